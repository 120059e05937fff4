// SPDX-License-Identifier: MIT
//
// Identity and secret rules over a finished tree: an image must not know who it is, nor who built
// it, and must hold nothing that only one machine may have (decision D9).
#pragma once

#include "recipe/lint_exception.hpp"
#include "tree/file_tree.hpp"

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

struct LintFinding {
    std::string rule;        ///< "machine-id"
    std::string path;        ///< without a leading slash
    std::uint32_t stage = 0; ///< index of the stage that brought the file, see LintOptions::stages
    std::string why;         ///< "the image would give every machine the same id"
    bool operator==(const LintFinding&) const = default;
};

/// A stage of the tree.
struct LintStage {
    bool ran_programs = false; ///< programs of the tree, which leave behind what nobody asked for
    const FileTree* delta = nullptr; ///< what it changed; not owned
};

struct LintOptions {
    /// Words that must not occur in configuration and state: the build host's name, its working
    /// directories. Words of fewer than four characters and "localhost" are not looked for.
    std::vector<std::string> builder_words;
    std::vector<LintException> exceptions;
    /// By stage index. With them, secrets that programs made are looked for, and a finding names
    /// the stage that brought the file's content; without, the last one that changed anything of
    /// it, such as its owner.
    std::vector<LintStage> stages = {};
    /// Packages of archives that are not Debian's. What another package ships, everybody has, so it
    /// is not a secret; what these ship may be one.
    std::set<std::string> private_packages = {};
};

/// All findings, sorted by path, then rule. Rules that look into files pass over those whose
/// content is not at hand (neither data nor source). Throws SystemError when a source is gone.
[[nodiscard]] std::vector<LintFinding> lint_tree(const FileTree& tree, const LintOptions& options);

/// Whether a rule may look into this file: what to keep while a tree is read out.
[[nodiscard]] bool is_linted_content(std::string_view path, std::uint64_t size);

/// Lines "RULE /PATH: WHY (stage 'NAME')"; `stage_names` by stage index, may be empty.
[[nodiscard]] std::vector<std::string>
describe_findings(std::span<const LintFinding> findings, std::span<const std::string> stage_names);

/// Throws Error (exit code 1, the first five findings of each rule as details) when there is a
/// finding.
void require_no_findings(
    std::span<const LintFinding> findings, std::span<const std::string> stage_names);

} // namespace kiln
