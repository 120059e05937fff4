// SPDX-License-Identifier: MIT
#include "stages/packages/stand_ins.hpp"

#include "base/file.hpp"

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

fs::path real_of(const fs::path& path) {
    return path.string() + std::string(kRealSuffix);
}

} // namespace

StandIns::StandIns(const fs::path& root, const std::set<std::string, std::less<>>& packages) {
    for (const StandIn& stand_in : kStandIns) {
        const fs::path path = root / stand_in.path;
        const bool exists = fs::exists(fs::symlink_status(path));
        if (!stand_in.package.empty() && !(exists && packages.contains(stand_in.package))) {
            continue;
        }
        fs::create_directories(path.parent_path());
        if (exists) {
            fs::rename(path, real_of(path));
        }
        placed_.push_back(path);
        write_file(path, stand_in.text, stand_in.mode);
    }
}

StandIns::~StandIns() {
    for (const fs::path& path : placed_) {
        std::error_code ignored;
        const fs::path real = real_of(path);
        if (fs::exists(fs::symlink_status(real, ignored))) {
            fs::rename(real, path, ignored);
        } else {
            fs::remove(path, ignored);
        }
    }
}

} // namespace kiln
