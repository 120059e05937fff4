// SPDX-License-Identifier: MIT
#include "recipe/yaml/yaml.hpp"

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "recipe/yaml/yaml_text.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <utility>

namespace kiln {

namespace {

using FilePtr = std::shared_ptr<const SourceFile>;

/// Parsing goes no further.
struct Refused {
    std::size_t offset;
    std::string message;
};

/// Builds the node tree from yaml-cpp's events.
class TreeBuilder final : public YAML::EventHandler {
  public:
    TreeBuilder(FilePtr file, Diagnostics& diags)
        : file_(std::move(file)), places_(file_), diags_(diags) {}

    [[nodiscard]] YamlNode take_root() { return std::move(root_); }

    void OnDocumentStart(const YAML::Mark&) override {}

    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
        complete(node_at(mark, YamlNode::Kind::null));
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
        refuse(mark, "aliases are not supported");
        complete(node_at(mark, YamlNode::Kind::invalid));
    }

    void OnAnchor(const YAML::Mark& mark, const std::string&) override {
        refuse(mark, "anchors are not supported");
    }

    void OnScalar(
        const YAML::Mark& mark,
        const std::string& tag,
        YAML::anchor_t,
        const std::string& value) override {
        check_tag(mark, tag);
        YamlNode node = node_at(mark, YamlNode::Kind::scalar);
        node.text = value;
        node.quoted = tag == "!";
        node.pos = places_.position(mark.line + 1, node.offset, written_length(node));
        complete(std::move(node));
    }

    void OnSequenceStart(
        const YAML::Mark& mark,
        const std::string& tag,
        YAML::anchor_t,
        YAML::EmitterStyle::value) override {
        open(mark, tag, YamlNode::Kind::list);
    }

    void OnMapStart(
        const YAML::Mark& mark,
        const std::string& tag,
        YAML::anchor_t,
        YAML::EmitterStyle::value) override {
        open(mark, tag, YamlNode::Kind::map);
    }

    void OnSequenceEnd() override { close(); }

    void OnMapEnd() override { close(); }

  private:
    struct Frame {
        YamlNode node;
        std::optional<YamlNode> key;                   ///< read, its value still to come
        std::map<std::string, int, std::less<>> lines; ///< of the keys so far
    };

    [[nodiscard]] YamlNode node_at(const YAML::Mark& mark, YamlNode::Kind kind) {
        throw_if_interrupted();
        YamlNode node;
        node.kind = kind;
        node.offset = std::min(static_cast<std::size_t>(std::max(mark.pos, 0)), file_->text.size());
        node.pos = places_.position(mark.line + 1, node.offset, 1);
        if (++nodes_ > kMaxYamlNodes) {
            throw Refused{node.offset, fmt::format("more than {} keys and values", kMaxYamlNodes)};
        }
        return node;
    }

    /// How many bytes of its first line a scalar takes up as it is written.
    std::size_t written_length(const YamlNode& node) {
        const std::string_view rest = std::string_view(file_->text).substr(node.offset);
        if (!node.quoted || rest.empty() || (rest[0] != '"' && rest[0] != '\'')) {
            return rest.starts_with(node.text) ? node.text.size() : 1;
        }
        const std::size_t end = end_of_quotes(rest);
        if (end == 0) {
            // yaml-cpp takes the end of the file for the missing quote.
            diags_.error(node.pos, fmt::format("unterminated {}", rest[0]));
        }
        const std::string_view written = rest.substr(0, end == 0 ? rest.size() : end);
        return std::min(written.size(), written.find('\n'));
    }

    /// Length of the quoted scalar at the start of `text`, 0 when it does not end.
    static std::size_t end_of_quotes(std::string_view text) {
        const char quote = text[0];
        for (std::size_t i = 1; i < text.size(); ++i) {
            if (quote == '"' && text[i] == '\\') {
                ++i;
            } else if (text[i] == quote) {
                if (quote == '"' || i + 1 == text.size() || text[i + 1] != quote) {
                    return i + 1;
                }
                ++i;
            }
        }
        return 0;
    }

    void refuse(const YAML::Mark& mark, std::string message) {
        diags_.error(
            node_at(mark, YamlNode::Kind::invalid).pos,
            std::move(message),
            "write the value out, or use ${NAME} with 'variables'");
    }

    void check_tag(const YAML::Mark& mark, const std::string& tag) {
        if (!tag.empty() && tag != "?" && tag != "!") {
            diags_.error(
                node_at(mark, YamlNode::Kind::invalid).pos,
                "tags are not supported",
                "remove the tag (the word that begins with '!')");
        }
    }

    void open(const YAML::Mark& mark, const std::string& tag, YamlNode::Kind kind) {
        check_tag(mark, tag);
        if (frames_.size() >= kMaxYamlDepth) {
            throw Refused{
                node_at(mark, kind).offset,
                fmt::format("nested more than {} levels deep", kMaxYamlDepth)};
        }
        frames_.push_back({node_at(mark, kind), std::nullopt, {}});
    }

    void close() {
        YamlNode node = std::move(frames_.back().node);
        frames_.pop_back();
        complete(std::move(node));
    }

    void complete(YamlNode node) {
        if (frames_.empty()) {
            root_ = std::move(node);
            return;
        }
        Frame& frame = frames_.back();
        if (frame.node.kind == YamlNode::Kind::list) {
            frame.node.items.push_back(std::move(node));
        } else if (!frame.key) {
            frame.key = check_key(frame, std::move(node));
        } else {
            add_member(frame, std::move(node));
        }
    }

    YamlNode check_key(Frame& frame, YamlNode key) {
        if (key.kind == YamlNode::Kind::invalid) {
            return key;
        }
        if (key.kind != YamlNode::Kind::scalar) {
            diags_.error(key.pos, "a key must be a single word or text");
            key.kind = YamlNode::Kind::invalid;
        } else if (key.text == "<<" && !key.quoted) {
            diags_.error(
                key.pos,
                "merge keys are not supported",
                "use 'extends' or a part to share settings between recipes");
            key.kind = YamlNode::Kind::invalid;
        } else if (const auto [first, added] = frame.lines.emplace(key.text, key.pos.line);
                   !added) {
            diags_.error(
                key.pos,
                fmt::format("duplicate key '{}'", key.text),
                fmt::format("first defined in line {}", first->second));
            key.kind = YamlNode::Kind::invalid;
        }
        return key;
    }

    static void add_member(Frame& frame, YamlNode value) {
        YamlNode key = std::move(*frame.key);
        frame.key.reset();
        if (key.kind != YamlNode::Kind::scalar) {
            return;
        }
        if (value.kind == YamlNode::Kind::null) {
            value.pos = key.pos; // the parser's mark of nothing is on what follows
            value.offset = key.offset;
        }
        frame.node.members.push_back({std::move(key), std::move(value)});
    }

    FilePtr file_;
    PlaceFinder places_;
    Diagnostics& diags_;
    std::size_t nodes_ = 0;
    std::vector<Frame> frames_;
    YamlNode root_;
};

class SecondDocument final : public YAML::EventHandler {
  public:
    int offset = -1;

    void OnDocumentStart(const YAML::Mark& mark) override { offset = mark.pos; }

    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark&, YAML::anchor_t) override {}

    void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}

    void
    OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}

    void OnSequenceStart(
        const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    }

    void OnSequenceEnd() override {}

    void OnMapStart(
        const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    }

    void OnMapEnd() override {}
};

std::string hint_for_syntax(std::string_view message) {
    if (message.find("illegal map value") != std::string_view::npos) {
        return "quote text that contains ': ', and check the indentation";
    }
    if (message.starts_with("end of map not found") ||
        message.starts_with("end of sequence not found")) {
        return "check the indentation of this line and the previous one";
    }
    if (message.find("flow") != std::string_view::npos) {
        return "a '[' or '{' is not closed, or a ',' is missing";
    }
    return {};
}

void report_syntax(const FilePtr& file, const YAML::Exception& error, Diagnostics& diags) {
    SourcePos pos{file};
    if (!error.mark.is_null() && error.mark.pos >= 0) {
        const auto offset = static_cast<std::size_t>(error.mark.pos);
        pos = position_at(file, std::min(offset, file->text.size()), 1);
    }
    diags.error(
        std::move(pos),
        fmt::format("YAML syntax error: {}", error.msg),
        hint_for_syntax(error.msg));
}

} // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
    const auto found = std::find_if(members.begin(), members.end(), [&](const YamlMember& member) {
        return member.key.text == key;
    });
    return found == members.end() ? nullptr : &found->value;
}

std::optional<YamlNode> parse_yaml(FilePtr file, Diagnostics& diags) {
    if (!check_yaml_text(file, diags)) {
        return std::nullopt;
    }
    try {
        std::istringstream stream(file->text);
        YAML::Parser parser(stream);
        TreeBuilder builder(file, diags);
        if (!parser.HandleNextDocument(builder)) {
            diags.error({file}, "empty file");
            return std::nullopt;
        }
        SecondDocument second;
        if (parser.HandleNextDocument(second)) {
            diags.error(
                position_at(file, static_cast<std::size_t>(std::max(second.offset, 0)), 1),
                "multiple documents in one file",
                "remove the '---' before this line");
        }
        return builder.take_root();
    } catch (const Refused& fault) {
        diags.error(position_at(file, fault.offset, 1), fault.message);
    } catch (const YAML::Exception& error) {
        report_syntax(file, error, diags);
    }
    return std::nullopt;
}

std::optional<YamlNode> load_yaml(const fs::path& path, Diagnostics& diags) {
    throw_if_interrupted();
    std::optional<std::string> text;
    try {
        text = read_text_within(path, kMaxYamlBytes);
    } catch (const SystemError&) {
        throw;
    } catch (const Error& error) {
        throw Error(error.message(), ExitCode::invalid_recipe);
    }
    const bool is_whole = text.has_value();
    auto file = std::make_shared<const SourceFile>(
        SourceFile{path.string(), std::move(text).value_or(std::string())});
    if (!is_whole) {
        diags.error({std::move(file)}, too_large_yaml());
        return std::nullopt;
    }
    return parse_yaml(std::move(file), diags);
}

} // namespace kiln
