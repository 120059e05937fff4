// SPDX-License-Identifier: MIT
//
// The system calls that programs in a sandbox cannot make, and those that do nothing there.
#pragma once

#include <linux/filter.h>

#include <vector>

namespace kiln {

/// A program for seccomp(2). Refused are calls that no package script needs and that reach the
/// kernel's or the host's state: mounts, namespaces, key rings, tracing, modules, clocks, io_uring,
/// input into terminals, and sockets other than unix, inet and routing netlink. fsync and the like
/// succeed without doing anything: the tree is worthless after a crash anyway, and dpkg would
/// otherwise wait for the disk thousands of times.
[[nodiscard]] std::vector<sock_filter> sandbox_filter();

} // namespace kiln
