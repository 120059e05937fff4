// SPDX-License-Identifier: MIT
//
// Users and groups of a tree as this process sees them. When root bakes, the ids of a tree are
// shifted into a subordinate range, so that root inside a sandbox is nobody on the build host; they
// are shifted back wherever a tree is read. A plain user's namespace does the same on its own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kiln {

/// Ids 0 to 65535 of a tree are `offset` to `offset` + 65535 on this process's side.
struct TreeIds {
    /// Number of ids that a tree can use.
    static constexpr std::uint32_t kCount = 65536;

    std::uint32_t offset = 0;

    /// Throws Error for an id that no tree can have.
    [[nodiscard]] std::uint32_t to_host(std::uint32_t id) const;

    /// Files of kiln's own (id 0 here) count as root's. Throws Error for an id outside of the
    /// range.
    [[nodiscard]] std::uint32_t to_tree(std::uint32_t id) const;

    /// The same for an extended attribute that holds ids: access control lists, and the root id
    /// that the kernel adds to file capabilities set in a user namespace. Others pass unchanged.
    [[nodiscard]] std::string xattr_to_tree(std::string_view name, std::string value) const;
};

} // namespace kiln
