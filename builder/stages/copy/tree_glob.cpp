// SPDX-License-Identifier: MIT
#include "stages/copy/tree_glob.hpp"

#include "base/interrupt.hpp"
#include "base/text.hpp"

#include <fmt/format.h>
#include <fnmatch.h>
#include <sys/stat.h>

#include <set>
#include <utility>

namespace kiln {

namespace {

using FolderIds = std::set<std::pair<dev_t, ino_t>>;

/// Links that lead to one folder would multiply what is found in it with every component.
FolderIds::value_type id_of(const TreeRoot& tree, const std::string& folder) {
    const auto status = tree.look_through(folder);
    return status ? FolderIds::value_type{status->st_dev, status->st_ino} : FolderIds::value_type{};
}

} // namespace

std::vector<std::string> matching_paths(const TreeRoot& tree, const std::string& pattern) {
    if (tree.exists(pattern)) {
        return {pattern};
    }
    std::vector<std::string> found{""};
    for (const std::string& part : split(pattern, '/')) {
        if (part.empty()) {
            continue;
        }
        const bool is_plain = part.find_first_of("*?[\\") == std::string::npos;
        std::vector<std::string> next;
        FolderIds listed;
        for (const std::string& folder : found) {
            if (is_plain) {
                next.push_back(folder + "/" + part);
                continue;
            }
            throw_if_interrupted();
            if (!listed.insert(id_of(tree, folder)).second) {
                continue;
            }
            for (const std::string& name : tree.names(folder)) {
                if (::fnmatch(part.c_str(), name.c_str(), FNM_PERIOD) == 0) {
                    next.push_back(folder + "/" + name);
                }
            }
        }
        found = std::move(next);
    }
    std::erase_if(found, [&](const std::string& path) { return !tree.exists(path); });
    return found;
}

std::vector<std::string> named_paths(const StageContext& context, const std::string& pattern) {
    auto paths = matching_paths(context.tree, pattern);
    if (paths.empty()) {
        context.console.warning(fmt::format("'{}' does not exist in the tree", printable(pattern)));
    }
    return paths;
}

} // namespace kiln
