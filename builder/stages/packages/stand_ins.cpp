// SPDX-License-Identifier: MIT
#include "stages/packages/stand_ins.hpp"

#include "base/error.hpp"

#include <array>
#include <string_view>

namespace kiln {

namespace {

struct StandIn {
    const char* path; ///< relative to the root
    unsigned mode;
    std::string_view package; ///< stands in only while this one is installed; empty: always
    std::string_view text;
};

/// What a stand-in replaced lies beside it under this name.
constexpr std::string_view kRealSuffix = ".kiln-real";

constexpr std::array kStandIns{
    StandIn{"usr/sbin/policy-rc.d", 0755, "", "#!/bin/sh\nexit 101\n"},
    StandIn{
        "etc/dpkg/dpkg.cfg.d/zz-kiln", 0644, "", "force-unsafe-io\nforce-confdef\nforce-confold\n"},
    // ca-certificates' postinst calls it without hooks and then asks for the trigger that does the
    // same with hooks, at the end of the same run of dpkg.
    StandIn{
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

StandIns::StandIns(const TreeRoot& tree, const std::set<std::string, std::less<>>& packages)
    : tree_(tree) {
    for (const StandIn& stand_in : kStandIns) {
        const std::string path = stand_in.path;
        const bool exists = tree_.exists(path);
        if (!stand_in.package.empty() && !(exists && packages.contains(stand_in.package))) {
            continue;
        }
        if (exists) {
            tree_.rename(path, real_of(path));
        }
        placed_.push_back(path);
        tree_.write_file(path, stand_in.text, {.mode = stand_in.mode});
    }
}

StandIns::~StandIns() {
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
