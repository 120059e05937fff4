// SPDX-License-Identifier: MIT
//
// The user and mount namespace in which kiln bakes. Inside it the process is root over ids 0..65535
// whoever started it, files keep their many owners, and every mount vanishes with the process.
#pragma once

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

/// Moves this process into new user and mount namespaces and makes it root there. Root maps all ids
/// onto themselves (and keeps to a mount namespace alone where user namespaces are refused, as in a
/// chroot); anybody else needs a subuid and subgid range and newuidmap(1). No mount of this process
/// shows outside, also where "/" is a plain chroot's folder (which needs /proc mounted in it). Must
/// be called while the process has one thread. Also sets the umask to 022. Calling it twice does
/// nothing. Throws Error with a hint of what to install or to set up.
void enter_build_namespace();

} // namespace kiln
