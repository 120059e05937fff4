// SPDX-License-Identifier: MIT
#include "recipe/variables.hpp"

#include "base/text.hpp"
#include "recipe/yaml_text.hpp"

#include <fmt/format.h>

#include <utility>
#include <vector>

namespace kiln {

namespace {

constexpr std::string_view kEscapeHint = "write '$${' where a plain '${' is meant";

class Substitution {
  public:
    Substitution(const Variables& variables, Diagnostics& diags)
        : variables_(variables), diags_(diags) {}

    void visit(YamlNode& node) {
        if (node.kind == YamlNode::Kind::scalar) {
            node.text = replace(node);
            if (faulty_) {
                node.kind = YamlNode::Kind::invalid;
                faulty_ = false;
            }
        }
        for (YamlNode& item : node.items) {
            visit(item);
        }
        for (YamlMember& member : node.members) {
            visit(member.value);
        }
    }

  private:
    std::string replace(const YamlNode& node) {
        const std::string_view text = node.text;
        std::string out;
        std::size_t search_from = node.offset;
        std::size_t done = 0;
        while (true) {
            const std::size_t dollar = text.find("${", done);
            out += text.substr(done, dollar == std::string_view::npos ? dollar : dollar - done);
            if (dollar == std::string_view::npos) {
                return out;
            }
            if (dollar > 0 && text[dollar - 1] == '$' && dollar > done) {
                out += '{'; // the first '$' of "$${" has been copied
                pass(node, search_from, "$${");
                done = dollar + 2;
                continue;
            }
            const std::size_t end = text.find('}', dollar);
            if (end == std::string_view::npos) {
                report(node, search_from, "${", "'${' without '}'", std::string(kEscapeHint));
                return out;
            }
            out += value_of(node, search_from, text.substr(dollar + 2, end - dollar - 2));
            done = end + 1;
        }
    }

    std::string value_of(const YamlNode& node, std::size_t& search_from, std::string_view name) {
        if (const auto found = variables_.find(name); found != variables_.end()) {
            pass(node, search_from, fmt::format("${{{}}}", name));
            return found->second;
        }
        std::vector<std::string_view> known;
        for (const auto& [known_name, value] : variables_) {
            known.push_back(known_name);
        }
        std::string hint = did_you_mean(name, known);
        report(
            node,
            search_from,
            fmt::format("${{{}}}", name),
            fmt::format("unknown variable '{}'", name),
            hint.empty() ? std::string(kEscapeHint) : std::move(hint));
        return {};
    }

    static void pass(const YamlNode& node, std::size_t& search_from, std::string_view written) {
        const std::size_t place = node.pos.file->text.find(written, search_from);
        if (place != std::string::npos) {
            search_from = place + written.size();
        }
    }

    /// `search_from` moves past what was reported, so that the next one of its kind is found at
    /// its own place. Escapes in quotes can hide the place; then the scalar's is good enough.
    void report(
        const YamlNode& node,
        std::size_t& search_from,
        std::string_view written,
        std::string message,
        std::string hint) {
        const std::size_t place = node.pos.file->text.find(written, search_from);
        SourcePos pos = node.pos;
        if (place != std::string::npos) {
            pos = position_at(node.pos.file, place, written.size());
        }
        pass(node, search_from, written);
        faulty_ = true;
        diags_.error(std::move(pos), std::move(message), std::move(hint));
    }

    const Variables& variables_;
    Diagnostics& diags_;
    bool faulty_ = false; ///< the scalar at hand
};

} // namespace

void substitute(YamlNode& node, const Variables& variables, Diagnostics& diags) {
    Substitution(variables, diags).visit(node);
}

} // namespace kiln
