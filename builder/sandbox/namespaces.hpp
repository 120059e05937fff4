// SPDX-License-Identifier: MIT
//
// The user and mount namespace in which kiln bakes. Inside it the process is root over ids 0..65535
// whoever started it, files keep their many owners, and every mount vanishes with the process.
#pragma once

#include "tree/tree_ids.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kiln {

/// A range of subordinate ids, from subuid(5) or subgid(5).
struct IdRange {
    std::uint32_t start = 0;
    std::uint32_t count = 0;
};

/// Finds the first range of at least 65536 ids given to `user` (by name or number) in the text of
/// /etc/subuid or /etc/subgid. Malformed lines are passed over, as newuidmap(1) does.
[[nodiscard]] std::optional<IdRange>
find_id_range(std::string_view text, std::string_view user, std::uint32_t uid);

/// The same for root, whose trees take the range as it is: the first that has no id below 65536 and
/// is given to root in both files.
[[nodiscard]] std::optional<IdRange>
find_root_range(std::string_view subuid, std::string_view subgid);

/// Where a free range of 65536 ids begins, given the text of /etc/subuid and /etc/subgid.
[[nodiscard]] std::uint32_t free_range_start(std::string_view subuid, std::string_view subgid);

/// Lines for /proc/PID/uid_map and gid_map: id inside, id outside, count.
struct IdMaps {
    std::string uid;
    std::string gid;
};

/// What enter_build_namespace() found and made.
struct BuildNamespace {
    TreeIds tree_ids;
    /// Sandboxes have a separate user namespace: root in them is nobody on the host, and their
    /// mounts cannot be undone. False only where the kernel gives root none.
    bool has_sandbox_user_namespace = false;
    IdMaps sandbox_maps = {}; ///< of those
    bool is_entered = false;
};

/// Moves this process into new user and mount namespaces and makes it root there. Root maps all ids
/// onto themselves, and keeps to a mount namespace alone where user namespaces are refused, as in a
/// chroot; its trees and sandboxes use a range of subordinate ids. Anybody else needs such a range
/// and newuidmap(1), and lives in it himself. No mount of this process shows outside, also where
/// "/" is a plain chroot's folder (which needs /proc mounted in it). Must be called while the
/// process has one thread. Also sets the umask to 022. Calling it twice does nothing. Throws Error
/// with a hint of what to install or to set up.
const BuildNamespace& enter_build_namespace();

/// The same after enter_build_namespace(); before, ids are taken as they are.
[[nodiscard]] const BuildNamespace& build_namespace();

[[nodiscard]] inline const TreeIds& build_tree_ids() {
    return build_namespace().tree_ids;
}

/// Makes an open directory, which must be the root of a mount, the root of this process's mount
/// namespace, which must be its own, also from within a chroot. The old root is on top of it,
/// where umount2(".") takes it away. For a child between fork and exec; returns 0 or an errno.
[[nodiscard]] int make_root_of_namespace(int directory);

} // namespace kiln
