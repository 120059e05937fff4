// SPDX-License-Identifier: MIT
//
// Host keys of the SSH server. openssh-server's postinst makes them, and nothing else in Debian
// does (bookworm), or only on a first boot that an empty machine-id is not (trixie's
// sshd-keygen.service): an image without keys would boot into an ssh.service that fails.
#pragma once

#include "tree/tree_root.hpp"

namespace kiln {

[[nodiscard]] bool has_host_keys(const TreeRoot& tree);

/// Gives a tree that has ssh.service a unit that makes the missing keys before it starts. A unit of
/// that name stays as it is, and a later stage may replace it.
void make_host_keys_at_boot(const TreeRoot& tree);

} // namespace kiln
