// SPDX-License-Identifier: MIT
#include "stages/packages/program_replacements.hpp"

#include "base/error.hpp"

#include <array>
#include <string_view>

namespace kiln {

namespace {

struct ProgramReplacement {
    const char* path; ///< relative to the root
    unsigned mode;
    std::string_view package; ///< used only while this one is installed; empty: always
    std::string_view text;
};

/// Suffix of the original file while it is replaced.
constexpr std::string_view kRealSuffix = ".kiln-real";

constexpr std::array kReplacements{
    ProgramReplacement{"usr/sbin/policy-rc.d", 0755, "", "#!/bin/sh\nexit 101\n"},
    ProgramReplacement{
        "etc/dpkg/dpkg.cfg.d/zz-kiln", 0644, "", "force-unsafe-io\nforce-confdef\nforce-confold\n"},
    // ca-certificates' postinst calls it without hooks and then asks for the trigger that does the
    // same with hooks, at the end of the same run of dpkg.
    ProgramReplacement{
        "usr/sbin/update-ca-certificates",
        0755,
        "ca-certificates",
        "#!/bin/sh\n"
        "[ \"$1\" != --hooksdir ] || exit 0\n"
        "exec /usr/sbin/update-ca-certificates.kiln-real \"$@\"\n"},
};

std::string real_of(const std::string& path) {
    return path + std::string(kRealSuffix);
}

} // namespace

ProgramReplacements::ProgramReplacements(
    const TreeRoot& tree, const std::set<std::string, std::less<>>& packages)
    : tree_(tree) {
    for (const ProgramReplacement& replacement : kReplacements) {
        const std::string path = replacement.path;
        const bool exists = tree_.exists(path);
        if (!replacement.package.empty() && !(exists && packages.contains(replacement.package))) {
            continue;
        }
        if (exists) {
            tree_.rename(path, real_of(path));
        }
        placed_.push_back(path);
        tree_.write_file(path, replacement.text, {.mode = replacement.mode});
    }
}

ProgramReplacements::~ProgramReplacements() {
    for (const std::string& path : placed_) {
        try {
            if (tree_.exists(real_of(path))) {
                tree_.rename(real_of(path), path);
            } else {
                tree_.remove(path);
            }
        } catch (const Error&) { // NOLINT(bugprone-empty-catch): a failed stage's tree is dropped
        }
    }
}

} // namespace kiln
