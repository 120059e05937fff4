// SPDX-License-Identifier: MIT
#include "stages/host_name.hpp"

#include "base/error.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace kiln {

namespace {

constexpr std::string_view kPath = "/etc/hosts";
/// 'kiln' is what sandboxes are called (sandbox/sandbox.cpp).
constexpr std::string_view kLines = "127.0.0.1 localhost kiln\n::1 localhost\n";

} // namespace

ResolvableHostName::ResolvableHostName(StageContext& context) : tree_(context.tree) {
    if (tree_.is_directory("/etc") && !tree_.exists(kPath)) {
        tree_.write_file(kPath, kLines, {});
        std::string directory = tree_.real_path(kPath);
        directory.resize(directory.rfind('/'));
        context.restored.push_back(std::move(directory));
        placed_ = true;
    }
}

ResolvableHostName::~ResolvableHostName() {
    if (!placed_) {
        return;
    }
    try {
        remove_lines();
    } catch (const Error&) { // NOLINT(bugprone-empty-catch): a failed stage's tree is dropped
    }
}

void ResolvableHostName::remove_lines() const {
    const auto info = tree_.look(kPath);
    if (!info || !S_ISREG(info->st_mode)) {
        return; // the script's own
    }
    const std::string text = tree_.read_text(kPath);
    if (text == kLines) {
        tree_.remove(kPath);
    } else if (text.starts_with(kLines)) {
        tree_.write_file(
            kPath,
            std::string_view(text).substr(kLines.size()),
            {info->st_uid, info->st_gid, info->st_mode & 07777U});
    }
}

} // namespace kiln
