// SPDX-License-Identifier: MIT
#include "disk/ext4/ext4_plan.hpp"

#include "base/error.hpp"
#include "disk/ext4/ext4_xattr.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <unordered_map>

namespace kiln::ext4 {

namespace {

constexpr std::string_view kLostFound = "lost+found";
constexpr std::size_t kLostFoundBlocks = 4;
constexpr std::size_t kMaxName = 255;

/// Each stage's content starts at a multiple of so many blocks (1 MiB), and within it that of each
/// place.
constexpr std::uint64_t kStageAlignment = 256;
constexpr std::uint64_t kPlaceAlignment = 16;

/// A part of the tree that changes on its own: "etc", "usr/bin", "usr/lib".
std::string_view place_of(std::string_view path) {
    constexpr std::array<std::string_view, 4> kDivided{"opt", "srv", "usr", "var"};
    const std::size_t first = path.find('/');
    const bool divided =
        first != std::string_view::npos && std::ranges::count(kDivided, path.substr(0, first)) > 0;
    return path.substr(0, divided ? path.find('/', first + 1) : first);
}

/// What is gathered of a directory before its blocks are built.
struct Gathered {
    DirectoryPlan plan;
    std::uint32_t stage = 0; ///< the last that touched it or a name in it
};

void check_entry(std::string_view path, const Entry& entry) {
    if (entry.type == FileType::whiteout) {
        throw Error(fmt::format("'/{}' is a whiteout, which cannot be stored on a disk", path));
    }
    if (base_name(path).size() > kMaxName) {
        throw Error(fmt::format("the name of '/{}' is longer than {} bytes", path, kMaxName));
    }
    if (entry.type == FileType::symlink && entry.target.size() >= kBlockSize) {
        throw Error(fmt::format("the target of the symlink '/{}' is too long", path));
    }
}

Entry plain_directory(std::uint32_t mode, std::int64_t time) {
    Entry entry;
    entry.type = FileType::directory;
    entry.mode = mode;
    entry.mtime = time;
    return entry;
}

} // namespace

std::uint64_t ContentAlignment::before(const Node& node) {
    const std::string_view place = place_of(node.path);
    const bool new_stage = node.entry->stage != stage_;
    const bool new_place = place != place_;
    stage_ = node.entry->stage;
    place_ = place;
    return new_stage ? kStageAlignment : new_place ? kPlaceAlignment : 1;
}

TreePlan::TreePlan(const FileTree& tree, const PlanParams& params)
    : root_(plain_directory(0755, params.epoch)), lost_found_(plain_directory(0700, params.epoch)) {
    number_nodes(tree);
    build_directories(tree, params);
}

void TreePlan::add_node(std::string_view path, const Entry& entry, std::uint32_t number) {
    nodes_.push_back({path, &entry, number, 1});
    last_inode_ = std::max(last_inode_, number);
}

void TreePlan::number_nodes(const FileTree& tree) {
    const Entry* root = tree.find("");
    const Entry* lost_found = tree.find(kLostFound);
    if (lost_found != nullptr && lost_found->type != FileType::directory) {
        throw Error("'/lost+found' is not a directory");
    }
    add_node("", root != nullptr ? *root : root_, kRootInode);
    add_node(kLostFound, lost_found != nullptr ? *lost_found : lost_found_, kLostFoundInode);
    std::vector<Node> others;
    for (const auto& [path, entry] : tree.entries()) {
        check_entry(path, entry);
        if (!path.empty() && path != kLostFound && entry.hardlink_to.empty()) {
            others.push_back({path, &entry, 0, 1});
        }
    }
    std::ranges::sort(
        others, {}, [](const Node& node) { return std::pair(node.entry->stage, node.path); });
    std::uint32_t number = kFirstFreeInode;
    for (const Node& node : others) {
        add_node(node.path, *node.entry, number++);
    }
}

void TreePlan::build_directories(const FileTree& tree, const PlanParams& params) {
    std::unordered_map<std::string_view, Node*> by_path;
    std::map<std::string_view, Gathered> gathered;
    for (Node& node : nodes_) {
        by_path[node.path] = &node;
        if (node.entry->type == FileType::directory) {
            gathered[node.path] = {
                {{node.number, kRootInode, params.hash_seed, 1}, {}}, node.entry->stage};
            node.links = 2;
        }
    }
    const auto add_name = [&](std::string_view path, const Entry& entry) {
        const bool is_link = !entry.hardlink_to.empty();
        const auto target = by_path.find(is_link ? std::string_view(entry.hardlink_to) : path);
        const auto parent = gathered.find(parent_path(path));
        if (target == by_path.end() || parent == gathered.end()) {
            throw Error(fmt::format(
                "'/{}' has no {} in the tree", path, is_link ? "link target" : "parent"));
        }
        Node& node = *target->second;
        parent->second.plan.entries.push_back({base_name(path), node.number, node.entry->type});
        parent->second.stage = std::max(parent->second.stage, entry.stage);
        if (is_link) {
            ++node.links;
        } else if (entry.type == FileType::directory) {
            ++by_path.at(parent->first)->links;
            gathered.at(path).plan.params.parent = parent->second.plan.params.self;
        }
    };
    for (const auto& [path, entry] : tree.entries()) {
        if (!path.empty() && path != kLostFound) {
            add_name(path, entry);
        }
    }
    add_name(kLostFound, *nodes_[1].entry);
    gathered.at(kLostFound).plan.params.least_blocks = kLostFoundBlocks;

    std::map<std::pair<std::uint32_t, std::string_view>, Gathered*> order;
    for (auto& [path, directory] : gathered) {
        order[{directory.stage, path}] = &directory;
    }
    for (auto& [key, item] : order) {
        std::ranges::sort(item->plan.entries, {}, &DirectoryEntry::name);
        directories_.push_back(std::move(item->plan));
    }
}

std::uint64_t TreePlan::directory_region() const {
    std::uint64_t blocks = 0;
    for (const DirectoryPlan& directory : directories_) {
        blocks += directory_blocks(directory);
    }
    return round_up(blocks + blocks / 16 + 16, 64);
}

std::uint64_t TreePlan::content_bound() const {
    std::uint64_t blocks = 0;
    ContentAlignment alignment;
    for (const Node& node : nodes_) {
        const Entry& entry = *node.entry;
        blocks += alignment.before(node) - 1;
        if (entry.type == FileType::regular) {
            const std::uint64_t data = divide_up(entry.size, kBlockSize);
            blocks += data + extent_tree_bound(data);
        } else if (entry.type == FileType::symlink && !is_fast_symlink(entry)) {
            ++blocks;
        }
        blocks += attribute_blocks(entry.xattrs, node.path);
    }
    return blocks;
}

} // namespace kiln::ext4
