// SPDX-License-Identifier: MIT
#include "verify/read/image_files.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <deque>
#include <span>

namespace kiln {

namespace {

std::string joined(const std::string& directory, const std::string& name) {
    return directory.empty() ? name : directory + "/" + name;
}

} // namespace

std::optional<std::string> resolve_path(const FileTree& tree, const std::string& path) {
    constexpr int kMaxLinks = 40; // as Linux has it (path_resolution(7))
    std::deque<std::string> todo;
    for (const std::string& part : split(path, '/')) {
        todo.push_back(part);
    }
    std::string resolved;
    int links = 0;
    while (!todo.empty()) {
        const std::string part = todo.front();
        todo.pop_front();
        if (part.empty() || part == ".") {
            continue;
        }
        if (part == "..") {
            resolved = std::string(parent_path(resolved));
            continue;
        }
        const std::string next = joined(resolved, part);
        const Entry* const entry = tree.find(next);
        if (entry == nullptr) {
            return std::nullopt;
        }
        if (entry->type != FileType::symlink) {
            resolved = next;
            continue;
        }
        if (++links > kMaxLinks) {
            return std::nullopt;
        }
        const auto target = split(entry->target, '/');
        todo.insert(todo.begin(), target.begin(), target.end());
        if (entry->target.starts_with('/')) {
            resolved.clear();
        }
    }
    return resolved;
}

std::optional<std::string>
read_content(const FileTree& tree, const Entry& entry, std::uint64_t limit) {
    const Entry* holder = entry.hardlink_to.empty() ? &entry : tree.find(entry.hardlink_to);
    if (holder == nullptr || holder->type != FileType::regular) {
        return std::nullopt;
    }
    if (!holder->data && holder->source.empty()) {
        return holder->size == 0 ? std::optional<std::string>("") : std::nullopt;
    }
    const auto source = open_content(*holder);
    std::string text;
    std::array<std::byte, std::size_t{64} * 1024> buffer; // NOLINT: filled before it is read
    while (text.size() < limit) {
        const auto wanted = std::min<std::uint64_t>(buffer.size(), limit - text.size());
        const std::size_t count =
            source->read(std::span(buffer).first(static_cast<std::size_t>(wanted)));
        if (count == 0) {
            break;
        }
        text.append(as_text(Bytes(buffer.data(), count)));
    }
    return text;
}

std::vector<std::string> TreeFiles::list(const std::string& directory) {
    const auto path = resolve_path(tree_, directory);
    if (!path) {
        return {};
    }
    std::vector<std::string> names;
    const std::string below = path->empty() ? std::string() : *path + "/";
    for (auto it = tree_.entries().upper_bound(below);
         it != tree_.entries().end() && it->first.starts_with(below);
         ++it) {
        if (it->first.find('/', below.size()) == std::string::npos) {
            names.push_back(it->first.substr(below.size()));
        }
    }
    return names;
}

std::optional<std::string> TreeFiles::read(const std::string& path) {
    const auto resolved = resolve_path(tree_, path);
    return resolved ? read_content(tree_, *tree_.find(*resolved)) : std::nullopt;
}

std::vector<std::string> GuestFiles::list(const std::string& directory) {
    guestfs_h* const g = appliance_.get();
    const std::string path = "/" + directory;
    struct guestfs_is_dir_opts_argv options{};
    options.bitmask = GUESTFS_IS_DIR_OPTS_FOLLOWSYMLINKS_BITMASK;
    options.followsymlinks = 1;
    if (appliance_.check(guestfs_is_dir_opts_argv(g, path.c_str(), &options), "look up a file") ==
        0) {
        return {};
    }
    return appliance_.list(guestfs_ls(g, path.c_str()), "list '" + path + "'");
}

std::optional<std::string> GuestFiles::read(const std::string& path) {
    guestfs_h* const g = appliance_.get();
    const std::string full = "/" + path;
    struct guestfs_is_file_opts_argv options{};
    options.bitmask = GUESTFS_IS_FILE_OPTS_FOLLOWSYMLINKS_BITMASK;
    options.followsymlinks = 1;
    if (appliance_.check(guestfs_is_file_opts_argv(g, full.c_str(), &options), "look up a file") ==
        0) {
        return std::nullopt;
    }
    // libguestfs would take any size into memory, and a file may be one large hole.
    constexpr std::int64_t kLimit = std::int64_t{64} << 20U;
    const std::int64_t stated =
        appliance_.check(guestfs_filesize(g, full.c_str()), "look up a file");
    if (stated > kLimit) {
        throw Error(fmt::format(
            "'{}' of the image is too large: {}, the limit is {}",
            full,
            format_size(static_cast<std::uint64_t>(stated)),
            format_size(kLimit)));
    }
    std::size_t size = 0;
    const Handle<char, std::free> content(guestfs_read_file(g, full.c_str(), &size));
    if (!content) {
        appliance_.fail("read '" + full + "'");
    }
    return std::string(content.get(), size);
}

} // namespace kiln
