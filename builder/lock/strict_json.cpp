// SPDX-License-Identifier: MIT
#include "lock/strict_json.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_set>

namespace kiln {

namespace {

constexpr int kMaxDepth = 32;
/// Each takes up some hundred bytes of memory.
constexpr std::size_t kMaxNodes = 1'000'000;

std::string_view type_name(JsonNode::Type type) {
    constexpr std::array<std::string_view, 6> kNames{
        "null", "true or false", "a number", "a string", "a list", "an object"};
    return kNames.at(static_cast<std::size_t>(type));
}

void append_utf8(std::string& out, std::uint32_t code) {
    const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
    if (code < 0x80) {
        put(code);
    } else if (code < 0x800) {
        put(0xc0U | (code >> 6U));
        put(0x80U | (code & 0x3fU));
    } else {
        put(0xe0U | (code >> 12U));
        put(0x80U | ((code >> 6U) & 0x3fU));
        put(0x80U | (code & 0x3fU));
    }
}

/// Thrown at the first syntax fault, after it was reported.
struct SyntaxFault {};

class Parser {
  public:
    Parser(std::shared_ptr<const SourceFile> file, Diagnostics& diagnostics)
        : file_(std::move(file)), text_(file_->text), diagnostics_(diagnostics) {}

    JsonNode document() {
        JsonNode node = value(0);
        skip_space();
        if (pos_ < text_.size()) {
            fail("unexpected text after the end of the document");
        }
        return node;
    }

  private:
    [[nodiscard]] SourcePos here(std::size_t length = 1) const {
        return {file_, line_, static_cast<int>(pos_ - line_begin_) + 1, static_cast<int>(length)};
    }

    [[noreturn]] void fail(const std::string& message) {
        const bool cut = pos_ >= text_.size();
        diagnostics_.error(here(), cut ? "unexpected end of file" : message);
        throw SyntaxFault();
    }

    void skip_space() {
        for (; pos_ < text_.size(); ++pos_) {
            const char c = text_[pos_];
            if (c == '\n') {
                ++line_;
                line_begin_ = pos_ + 1;
            } else if (c != ' ' && c != '\t' && c != '\r') {
                return;
            }
        }
    }

    [[nodiscard]] bool at(char c) const { return pos_ < text_.size() && text_[pos_] == c; }

    void expect(char c) {
        skip_space();
        if (!at(c)) {
            fail(fmt::format("expected '{}'", c));
        }
        ++pos_;
    }

    JsonNode value(int depth) {
        skip_space();
        if (depth > kMaxDepth) {
            fail("nested too deeply");
        }
        if (++nodes_ > kMaxNodes) {
            fail(fmt::format("more than {} values", kMaxNodes));
        }
        JsonNode node;
        node.pos = here();
        if (at('{')) {
            object(node, depth);
        } else if (at('[')) {
            array(node, depth);
        } else if (at('"')) {
            node.type = JsonNode::Type::string;
            node.text = string(node.pos);
        } else {
            word(node);
        }
        return node;
    }

    void object(JsonNode& node, int depth) {
        node.type = JsonNode::Type::object;
        ++pos_;
        skip_space();
        if (at('}')) {
            ++pos_;
            return;
        }
        while (true) {
            skip_space();
            if (!at('"')) {
                fail("expected a key in double quotes");
            }
            JsonNode::Member member;
            member.pos = here();
            member.key = string(member.pos);
            expect(':');
            member.value = value(depth + 1);
            node.members.push_back(std::move(member));
            if (!more('}')) {
                return;
            }
        }
    }

    void array(JsonNode& node, int depth) {
        node.type = JsonNode::Type::array;
        ++pos_;
        skip_space();
        if (at(']')) {
            ++pos_;
            return;
        }
        do {
            node.items.push_back(value(depth + 1));
        } while (more(']'));
    }

    /// After an item: true past a comma, false past `end`.
    bool more(char end) {
        skip_space();
        if (at(end)) {
            ++pos_;
            return false;
        }
        if (!at(',')) {
            fail(fmt::format("expected ',' or '{}'", end));
        }
        ++pos_;
        return true;
    }

    std::string string(SourcePos& pos) {
        const std::size_t begin = pos_++;
        std::string out;
        while (!at('"')) {
            if (pos_ >= text_.size() || static_cast<unsigned char>(text_[pos_]) < 0x20) {
                fail("unterminated string");
            }
            if (text_[pos_] == '\\') {
                escape(out);
            } else {
                out += text_[pos_++];
            }
        }
        ++pos_;
        pos.length = static_cast<int>(pos_ - begin);
        return out;
    }

    void escape(std::string& out) {
        constexpr std::string_view kNames = "\"\\/bfnrt";
        constexpr std::string_view kValues = "\"\\/\b\f\n\r\t";
        ++pos_;
        const char name = pos_ < text_.size() ? text_[pos_] : '\0';
        if (const std::size_t i = kNames.find(name); i != std::string_view::npos && name != '\0') {
            out += kValues[i];
            ++pos_;
            return;
        }
        const auto code =
            name == 'u' ? parse_unsigned(text_.substr(pos_ + 1, 4), 16) : std::nullopt;
        if (!code || text_.size() - pos_ < 5 || (*code >= 0xd800 && *code < 0xe000)) {
            fail("unknown escape sequence");
        }
        append_utf8(out, static_cast<std::uint32_t>(*code));
        pos_ += 5;
    }

    void word(JsonNode& node) {
        const std::size_t end =
            std::min(text_.find_first_of(" \t\r\n,:[]{}\"", pos_), text_.size());
        const std::string_view word = text_.substr(pos_, end - pos_);
        node.pos.length = static_cast<int>(std::max<std::size_t>(word.size(), 1));
        if (word == "true" || word == "false") {
            node.type = JsonNode::Type::boolean;
            node.number = word == "true" ? 1 : 0;
        } else if (const auto number = parse_unsigned(word)) {
            node.type = JsonNode::Type::number;
            node.number = *number;
        } else if (word != "null") {
            fail("expected a value: a string, a whole number, true, false, a list or an object");
        }
        pos_ = end;
    }

    std::shared_ptr<const SourceFile> file_;
    std::string_view text_;
    Diagnostics& diagnostics_;
    std::size_t nodes_ = 0;
    std::size_t pos_ = 0;
    std::size_t line_begin_ = 0;
    int line_ = 1;
};

} // namespace

std::optional<JsonNode>
parse_strict_json(std::shared_ptr<const SourceFile> file, Diagnostics& diagnostics) {
    try {
        return Parser(std::move(file), diagnostics).document();
    } catch (const SyntaxFault&) {
        return std::nullopt;
    }
}

JsonFields::JsonFields(const JsonNode& node, std::string what, Diagnostics& diagnostics)
    : node_(node), what_(std::move(what)), diagnostics_(diagnostics) {
    if (node.type != JsonNode::Type::object) {
        diagnostics_.error(node.pos, fmt::format("{} must be an object", what_));
    }
    std::unordered_set<std::string_view> seen;
    for (const JsonNode::Member& member : node.members) {
        if (!seen.insert(member.key).second) {
            diagnostics_.error(
                member.pos, fmt::format("duplicate key '{}' in {}", member.key, what_));
        }
    }
}

const JsonNode* JsonFields::take(std::string_view key, JsonNode::Type type, bool required) {
    asked_.push_back(key);
    for (const JsonNode::Member& member : node_.members) {
        if (member.key != key) {
            continue;
        }
        if (member.value.type == type) {
            return &member.value;
        }
        diagnostics_.error(member.value.pos, fmt::format("'{}' must be {}", key, type_name(type)));
        return nullptr;
    }
    if (required && node_.type == JsonNode::Type::object) {
        diagnostics_.error(node_.pos, fmt::format("{} has no '{}'", what_, key));
    }
    return nullptr;
}

std::string JsonFields::text(std::string_view key) {
    const JsonNode* node = take(key, JsonNode::Type::string, true);
    return node == nullptr ? std::string() : node->text;
}

std::string JsonFields::optional_text(std::string_view key) {
    const JsonNode* node = take(key, JsonNode::Type::string, false);
    return node == nullptr ? std::string() : node->text;
}

std::uint64_t JsonFields::number(std::string_view key) {
    const JsonNode* node = take(key, JsonNode::Type::number, true);
    return node == nullptr ? 0 : node->number;
}

bool JsonFields::flag(std::string_view key) {
    const JsonNode* node = take(key, JsonNode::Type::boolean, false);
    return node != nullptr && node->number != 0;
}

namespace {

const std::vector<JsonNode>& items_of(const JsonNode* node) {
    static const std::vector<JsonNode> kNone;
    return node == nullptr ? kNone : node->items;
}

} // namespace

const std::vector<JsonNode>& JsonFields::list(std::string_view key) {
    return items_of(take(key, JsonNode::Type::array, true));
}

const std::vector<JsonNode>& JsonFields::optional_list(std::string_view key) {
    return items_of(take(key, JsonNode::Type::array, false));
}

const JsonNode* JsonFields::optional_object(std::string_view key) {
    return take(key, JsonNode::Type::object, false);
}

std::vector<std::string> JsonFields::texts(std::string_view key) {
    std::vector<std::string> out;
    for (const JsonNode& item : list(key)) {
        if (item.type != JsonNode::Type::string) {
            diagnostics_.error(item.pos, fmt::format("'{}' must be a list of strings", key));
        }
        out.push_back(item.text);
    }
    return out;
}

SourcePos JsonFields::pos_of(std::string_view key) const {
    for (const JsonNode::Member& member : node_.members) {
        if (member.key == key) {
            return member.value.pos;
        }
    }
    return node_.pos;
}

void JsonFields::finish() {
    for (const JsonNode::Member& member : node_.members) {
        if (std::find(asked_.begin(), asked_.end(), member.key) == asked_.end()) {
            if (diagnostics_.is_full()) { // counted; nobody reads its words
                diagnostics_.error(member.pos, {});
                continue;
            }
            diagnostics_.error(
                member.pos,
                fmt::format("unknown key '{}' in {}", member.key, what_),
                did_you_mean(member.key, asked_));
        }
    }
}

std::string quote_json(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        } else {
            out += c;
        }
    }
    return out + '"';
}

} // namespace kiln
