// SPDX-License-Identifier: MIT
//
// The mounts of a sandbox: what it sees below "/". Everything that needs memory is made before the
// fork; set_up() runs in the child between fork and exec.
#pragma once

#include "base/io/file.hpp"
#include "sandbox/sandbox.hpp"
#include "tree/tree_ids.hpp"

#include <string>
#include <vector>

namespace kiln {

class SandboxMounts {
  public:
    /// `tmpfs_bytes` bounds each of /tmp and /dev/shm.
    SandboxMounts(const SandboxOptions& options, const TreeIds& ids, std::uint64_t tmpfs_bytes);

    /// Mounts everything and makes the tree "/" of the calling process, which must have a mount
    /// namespace and be process 1 of a process id namespace. Returns 0 or an errno.
    [[nodiscard]] int set_up();

    /// Throws an Error when the tree has anything but a directory, or nothing, where a file system
    /// is to be mounted. To be asked before set_up(), which cannot say what is wrong.
    void require_places() const;

  private:
    struct Mount {
        const char* target;
        std::string type;
        unsigned long flags = 0;
        std::string data;
    };

    /// Something of the build host at a place in the sandbox.
    struct Bind {
        std::string source;
        int descriptor = -1;                  ///< of the source, while the sandbox is set up
        std::vector<std::string> directories; ///< to make, the outermost first
        std::string target;
        bool read_only = true;
    };

    void add_bind(const SandboxBind& bind);
    [[nodiscard]] int open_sources();
    [[nodiscard]] int mount_file_systems() const;
    [[nodiscard]] int mount_binds() const;
    [[nodiscard]] int make_devices() const;

    std::string root_;
    bool read_only_root_ = false;
    std::vector<Mount> mounts_;
    std::vector<Bind> binds_;
    std::vector<Bind> devices_;
};

} // namespace kiln
