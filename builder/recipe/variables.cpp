// SPDX-License-Identifier: MIT
#include "recipe/variables.hpp"

#include "base/text.hpp"
#include "recipe/yaml/yaml_text.hpp"

#include <fmt/format.h>

#include <utility>
#include <vector>

namespace kiln {

namespace {

constexpr std::string_view kEscapeHint = "write '$${' for a literal '${'";

class Substitution {
  public:
    Substitution(const Variables& variables, Diagnostics& diags, ExpansionBudget& budget)
        : variables_(variables), diags_(diags), budget_(budget) {}

    void visit(YamlNode& node) {
        if (node.kind == YamlNode::Kind::scalar) {
            const bool is_one_variable =
                node.text.starts_with("${") && node.text.find('}') == node.text.size() - 1;
            node.text = replace(node);
            // In a flow map "${uid}" must stand in quotes, which then say nothing of its kind.
            node.quoted = node.quoted && !is_one_variable;
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
                report(node, search_from, "${", "unterminated '${'", std::string(kEscapeHint));
                return out;
            }
            out += value_of(node, search_from, text.substr(dollar + 2, end - dollar - 2));
            done = end + 1;
        }
    }

    std::string value_of(const YamlNode& node, std::size_t& search_from, std::string_view name) {
        if (const auto found = variables_.find(name); found != variables_.end()) {
            pass(node, search_from, fmt::format("${{{}}}", name));
            return spend(node, found->second);
        }
        if (diags_.is_full()) { // counted; nobody reads its words
            faulty_ = true;
            diags_.error(node.pos, {});
            return {};
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

    std::string spend(const YamlNode& node, const std::string& value) {
        if (value.size() <= budget_.left) {
            budget_.left -= value.size();
            return value;
        }
        faulty_ = true;
        if (!std::exchange(budget_.said, true)) {
            diags_.error(node.pos, "the recipe is too large after expanding variables");
        }
        return {};
    }

    /// Where `written` is from `search_from` on. Escapes in quotes can hide it; then nothing
    /// more is looked for in this scalar.
    static std::size_t
    find(const YamlNode& node, std::size_t& search_from, std::string_view written) {
        // Of no escape are more than ten characters written for one.
        const std::size_t window = search_from + 12 * (node.text.size() + written.size());
        const std::string_view text = node.pos.file->text;
        if (search_from < text.size()) {
            search_from = text.substr(0, window).find(written, search_from);
        }
        return search_from;
    }

    static void pass(const YamlNode& node, std::size_t& search_from, std::string_view written) {
        if (find(node, search_from, written) != std::string::npos) {
            search_from += written.size();
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
        const std::size_t place = find(node, search_from, written);
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
    ExpansionBudget& budget_;
    bool faulty_ = false; ///< the scalar at hand
};

} // namespace

void substitute(
    YamlNode& node, const Variables& variables, Diagnostics& diags, ExpansionBudget& budget) {
    Substitution(variables, diags, budget).visit(node);
}

void substitute(YamlNode& node, const Variables& variables, Diagnostics& diags) {
    ExpansionBudget budget;
    substitute(node, variables, diags, budget);
}

} // namespace kiln
