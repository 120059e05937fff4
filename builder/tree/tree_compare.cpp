// SPDX-License-Identifier: MIT
#include "tree/tree_compare.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>

namespace kiln {

namespace {

constexpr std::string_view kLostFound = "lost+found";

std::string_view type_name(FileType type) {
    switch (type) {
    case FileType::regular:
        return "file";
    case FileType::directory:
        return "directory";
    case FileType::symlink:
        return "symbolic link";
    case FileType::char_device:
        return "character device";
    case FileType::block_device:
        return "block device";
    case FileType::fifo:
        return "fifo";
    case FileType::socket:
        return "socket";
    case FileType::whiteout:
        return "whiteout";
    }
    return "";
}

std::string short_digest(const Digest& digest) {
    constexpr std::size_t kDigits = 12;
    return digest.hex().substr(0, kDigits);
}

/// Collects "what EXPECTED, found ACTUAL" for one path.
class PathDifferences {
  public:
    template <typename T> void compare(std::string_view what, const T& expected, const T& actual) {
        if (expected != actual) {
            parts_.push_back(fmt::format("{} {} expected, {} found", what, expected, actual));
        }
    }

    void add(std::string part) { parts_.push_back(std::move(part)); }

    [[nodiscard]] const std::vector<std::string>& parts() const noexcept { return parts_; }

  private:
    std::vector<std::string> parts_;
};

void compare_xattrs(const Entry& expected, const Entry& actual, PathDifferences& differences) {
    std::set<std::string> names;
    for (const auto& [name, value] : expected.xattrs) {
        names.insert(name);
    }
    for (const auto& [name, value] : actual.xattrs) {
        names.insert(name);
    }
    for (const std::string& name : names) {
        const auto before = expected.xattrs.find(name);
        const auto after = actual.xattrs.find(name);
        if (before == expected.xattrs.end()) {
            differences.add(fmt::format("unexpected attribute '{}'", name));
        } else if (after == actual.xattrs.end()) {
            differences.add(fmt::format("attribute '{}' is missing", name));
        } else if (before->second != after->second) {
            differences.add(fmt::format("attribute '{}' differs", name));
        }
    }
}

void compare_content(const Entry& expected, const Entry& actual, PathDifferences& differences) {
    switch (expected.type) {
    case FileType::regular:
        differences.compare("size", expected.size, actual.size);
        if (expected.content != actual.content) {
            differences.add(fmt::format(
                "content {} expected, {} found",
                short_digest(expected.content),
                short_digest(actual.content)));
        }
        break;
    case FileType::symlink:
        if (expected.target != actual.target) {
            differences.add(
                fmt::format("target '{}' expected, '{}' found", expected.target, actual.target));
        }
        break;
    case FileType::char_device:
    case FileType::block_device:
        differences.compare(
            "device",
            fmt::format("{}:{}", expected.device_major, expected.device_minor),
            fmt::format("{}:{}", actual.device_major, actual.device_minor));
        break;
    default:
        break;
    }
}

std::vector<std::string> compare_entries(const Entry& expected, const Entry& actual) {
    PathDifferences differences;
    if (expected.hardlink_to != actual.hardlink_to) {
        const auto name = [](const Entry& entry) {
            return entry.hardlink_to.empty() ? "none" : "'" + entry.hardlink_to + "'";
        };
        differences.add(
            fmt::format("hard link to {} expected, {} found", name(expected), name(actual)));
    }
    if (!expected.hardlink_to.empty()) {
        return differences.parts();
    }
    if (expected.type != actual.type) {
        return {
            fmt::format("{} expected, {} found", type_name(expected.type), type_name(actual.type))};
    }
    if (expected.type != FileType::symlink) {
        differences.compare(
            "mode", fmt::format("{:04o}", expected.mode), fmt::format("{:04o}", actual.mode));
    }
    differences.compare(
        "owner",
        fmt::format("{}:{}", expected.uid, expected.gid),
        fmt::format("{}:{}", actual.uid, actual.gid));
    differences.compare("mtime", expected.mtime, actual.mtime);
    compare_content(expected, actual, differences);
    compare_xattrs(expected, actual, differences);
    return differences.parts();
}

bool is_own_directory_of_ext4(const FileTree& tree, const std::string& path) {
    return path == kLostFound && tree.find(path)->type == FileType::directory &&
           tree.entries().lower_bound(std::string(kLostFound) + "/") ==
               tree.entries().upper_bound(std::string(kLostFound) + "/\xff");
}

} // namespace

TreeComparison compare_trees(const FileTree& expected, const FileTree& actual, std::size_t limit) {
    TreeComparison result;
    const auto report = [&](const std::string& path, const std::string& text) {
        ++result.count;
        if (result.lines.size() < limit) {
            result.lines.push_back(printable(fmt::format("/{}: {}", path, text)));
        }
    };
    std::set<std::string_view> paths;
    for (const auto& [path, entry] : expected.entries()) {
        paths.insert(path);
    }
    for (const auto& [path, entry] : actual.entries()) {
        paths.insert(path);
    }
    for (const std::string_view view : paths) {
        const std::string path(view);
        const Entry* const before = expected.find(path);
        const Entry* const after = actual.find(path);
        if (before == nullptr) {
            if (!is_own_directory_of_ext4(actual, path)) {
                report(path, fmt::format("unexpected {}", type_name(after->type)));
            }
        } else if (after == nullptr) {
            report(path, fmt::format("{} is missing", type_name(before->type)));
        } else if (const auto parts = compare_entries(*before, *after); !parts.empty()) {
            report(path, join(parts, "; "));
        }
    }
    return result;
}

} // namespace kiln
