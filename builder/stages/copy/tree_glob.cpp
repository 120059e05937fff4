// SPDX-License-Identifier: MIT
#include "stages/copy/tree_glob.hpp"

#include "base/text.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

namespace kiln {

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
        for (const std::string& folder : found) {
            if (is_plain) {
                next.push_back(folder + "/" + part);
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
        context.console.warning(fmt::format("'{}' is not in the tree", printable(pattern)));
    }
    return paths;
}

} // namespace kiln
