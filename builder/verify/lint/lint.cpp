// SPDX-License-Identifier: MIT
#include "verify/lint/lint.hpp"

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/text.hpp"
#include "verify/lint/lint_rules.hpp"
#include "verify/lint/secret_text.hpp"
#include "verify/lint/shipped_files.hpp"
#include "verify/lint/shipped_text.hpp"
#include "verify/read/image_files.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <tuple>

namespace kiln {

namespace {

constexpr std::size_t kShortestBuilderWord = 4;
/// A forgotten database has hundreds of files; a few of them tell.
constexpr std::size_t kShownPerRule = 5;

bool matches_path(const std::string& pattern, const std::string& path) {
    return ::fnmatch(pattern.c_str(), path.c_str(), FNM_PATHNAME) == 0;
}

/// A pattern without a slash is for names, wherever they are.
bool matches(std::string_view pattern, const std::string& path) {
    const bool is_name = pattern.find('/') == std::string_view::npos;
    return matches_path(std::string(pattern), is_name ? std::string(base_name(path)) : path);
}

bool is_word_character(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
}

/// Whether `word` occurs with no further word character at either end.
bool contains_word(std::string_view text, std::string_view word) {
    for (std::size_t at = text.find(word); at != std::string_view::npos;
         at = text.find(word, at + 1)) {
        const std::size_t end = at + word.size();
        const bool begins = at == 0 || !is_word_character(text[at - 1]);
        const bool ends = end == text.size() || !is_word_character(text[end]);
        if (begins && ends) {
            return true;
        }
    }
    return false;
}

std::string describe(const LintFinding& finding, std::span<const std::string> stage_names) {
    std::string line =
        fmt::format("{} /{}: {}", finding.rule, printable(finding.path), finding.why);
    if (finding.stage < stage_names.size()) {
        line += fmt::format(" (stage '{}')", stage_names[finding.stage]);
    }
    return line;
}

class Linter {
  public:
    Linter(const FileTree& tree, const LintOptions& options) : tree_(tree), options_(options) {}

    std::vector<LintFinding> run() {
        for (const auto& [path, entry] : tree_.entries()) {
            throw_if_interrupted();
            if (entry.type != FileType::directory && entry.type != FileType::whiteout) {
                check_path(path, entry);
                check_content(path, entry);
                check_made(path, entry);
            }
        }
        std::sort(findings_.begin(), findings_.end(), [](const auto& a, const auto& b) {
            return std::tie(a.path, a.rule) < std::tie(b.path, b.rule);
        });
        return std::move(findings_);
    }

  private:
    void
    add(std::string_view rule, const std::string& path, const Entry& entry, std::string_view why) {
        const bool excepted = std::any_of(
            options_.exceptions.begin(), options_.exceptions.end(), [&](const auto& exception) {
                return exception.rule == rule && matches_path(exception.path, path);
            });
        // Files are looked at one after the other: what is known of this one is at the end.
        bool known = false;
        for (auto it = findings_.rbegin(); it != findings_.rend() && it->path == path; ++it) {
            known = known || it->rule == rule;
        }
        if (!excepted && !known && !is_public(rule, path, entry)) {
            findings_.push_back({std::string(rule), path, stage_of(path, entry), std::string(why)});
        }
    }

    void check_path(const std::string& path, const Entry& entry) {
        const bool empty = entry.type == FileType::regular && entry.size == 0;
        for (const PathRule& rule : path_rules()) {
            if (matches(rule.pattern, path) &&
                !(empty && rule.applies == PathRule::Applies::when_not_empty)) {
                add(rule.rule, path, entry, rule.why);
            }
        }
        if (entry.type != FileType::regular || empty) {
            return;
        }
        for (const PlaceRule& rule : place_rules()) {
            if (path.starts_with(rule.place)) {
                add(rule.rule, path, entry, rule.why);
            }
        }
    }

    void check_content(const std::string& path, const Entry& entry) {
        if (entry.type != FileType::regular || !is_linted_content(path, entry.size)) {
            return;
        }
        const auto content = read_content(tree_, entry, kMaxScannedSize);
        if (!content) {
            return;
        }
        if (const auto fault = check_known_content(path, *content)) {
            add(fault->rule, path, entry, fault->why);
        }
        if (has_private_key(*content)) {
            add("private-key", path, entry, kOneKey);
        }
        for (const std::string& word : options_.builder_words) {
            if (word.size() >= kShortestBuilderWord && word != "localhost" &&
                contains_word(*content, word)) {
                add("builder-trace",
                    path,
                    entry,
                    fmt::format("contains '{}' of the build host", word));
            }
        }
    }

    /// The first stage in a row, from the last one back, in which the path had this content.
    [[nodiscard]] std::uint32_t stage_of(const std::string& path, const Entry& entry) const {
        std::uint32_t first = entry.stage;
        for (std::uint32_t i = first; i-- > 0 && first < options_.stages.size();) {
            const Entry* before = options_.stages[i].delta->find(path);
            if (before == nullptr) {
                continue;
            }
            if (before->type != entry.type || before->content != entry.content ||
                before->target != entry.target) {
                break;
            }
            first = i;
        }
        return first;
    }

    /// What a package of Debian's ships, everybody has. A login in a package is one all the same.
    bool is_public(std::string_view rule, const std::string& path, const Entry& entry) {
        return entry.type == FileType::regular && rule != "authorized-keys" &&
               rule != "credentials" && rule != "password" && shipped().is_unchanged(path, entry);
    }

    /// The net for secrets that no other rule knows: a file that no package ships, also under no
    /// other name, that a program made while the image was made, and that is for its owner alone or
    /// looks like a key. A few bytes, such as a counter, are no secret, nor is a text of words that
    /// packages bring.
    void check_made(const std::string& path, const Entry& entry) {
        const bool known = !findings_.empty() && findings_.back().path == path;
        if (known || entry.type != FileType::regular || entry.size < kShortestSecret ||
            !is_scanned_place(path) || is_harmless(path) || !is_made_by_program(path, entry)) {
            return;
        }
        const bool for_owner = (entry.mode & 07U) == 0;
        if ((for_owner || looks_like_a_key(path, entry)) && !shipped().contains(path) &&
            !shipped().has_copy(entry) && !has_nothing_new(path, entry)) {
            add("secret",
                path,
                entry,
                for_owner ? "a generated file that only its owner can read"
                          : "a generated file that looks like a key");
        }
    }

    [[nodiscard]] bool is_made_by_program(const std::string& path, const Entry& entry) const {
        const std::uint32_t stage = stage_of(path, entry);
        return stage < options_.stages.size() && options_.stages[stage].ran_programs;
    }

    [[nodiscard]] bool looks_like_a_key(const std::string& path, const Entry& entry) const {
        if (!has_telling_name(path) || entry.size > kMaxScannedSize) {
            return false;
        }
        const auto content = read_content(tree_, entry, kMaxScannedSize);
        return content && has_random_text(*content);
    }

    [[nodiscard]] bool has_nothing_new(const std::string& path, const Entry& entry) {
        const auto content = entry.size > kMaxScannedSize
                                 ? std::nullopt
                                 : read_content(tree_, entry, kMaxScannedSize);
        if (content && !shipped_text_) {
            shipped_text_.emplace(tree_, shipped(), options_.private_packages);
        }
        return content && shipped_text_->explains(path, *content);
    }

    /// Read when the first file is in doubt: that is rare, and reading takes hundreds of files.
    ShippedFiles& shipped() {
        if (!shipped_) {
            shipped_.emplace(tree_, options_.private_packages);
        }
        return *shipped_;
    }

    const FileTree& tree_;
    const LintOptions& options_;
    std::optional<ShippedFiles> shipped_;
    std::optional<ShippedText> shipped_text_;
    std::vector<LintFinding> findings_;
};

} // namespace

std::vector<LintFinding> lint_tree(const FileTree& tree, const LintOptions& options) {
    return Linter(tree, options).run();
}

bool is_linted_content(std::string_view path, std::uint64_t size) {
    return size <= kMaxScannedSize && is_scanned_place(path);
}

std::vector<std::string>
describe_findings(std::span<const LintFinding> findings, std::span<const std::string> stage_names) {
    std::vector<std::string> lines;
    lines.reserve(findings.size());
    for (const LintFinding& finding : findings) {
        lines.push_back(describe(finding, stage_names));
    }
    return lines;
}

void require_no_findings(
    std::span<const LintFinding> findings, std::span<const std::string> stage_names) {
    if (findings.empty()) {
        return;
    }
    std::map<std::string_view, std::size_t> counts;
    std::vector<std::string> lines;
    for (const LintFinding& finding : findings) {
        if (++counts[finding.rule] <= kShownPerRule) {
            lines.push_back(describe(finding, stage_names));
        }
    }
    for (const auto& [rule, count] : counts) {
        if (count > kShownPerRule) {
            lines.push_back(fmt::format("{}: and {} more", rule, count - kShownPerRule));
        }
    }
    throw Error(fmt::format(
                    "the image contains {} file{} that must not be shipped",
                    findings.size(),
                    findings.size() == 1 ? "" : "s"))
        .with_details(std::move(lines))
        .with_hint("remove them in the stage that adds them, or add an exception under 'lint' in "
                   "the recipe");
}

} // namespace kiln
