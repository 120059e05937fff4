// SPDX-License-Identifier: MIT
//
// Files and folders of the build host that go into a tree. Each is read once for the keys of
// stages; what is copied later is compared with that, so that no tree is kept under a key of other
// bytes.
#pragma once

#include "base/io/file.hpp"
#include "tree/file_tree.hpp"

#include <map>
#include <memory>
#include <mutex>

namespace kiln {

/// A folder as far as it counts: paths, kinds, executable bits (mode 0755 or 0644), link targets
/// and contents. `.git` at its top is left out.
struct HostFolder {
    FileTree tree;
    Digest digest;
};

/// A regular file, or that which a link leads to.
struct HostFile {
    fs::path path; ///< no link
    std::uint64_t size = 0;
    Digest digest;
};

/// Throws Error for a folder with anything but files, directories and links, and for one with a
/// part in a file system that shows the kernel (see base/process/kernel_files.hpp). Reads no file.
/// `.git` at the top is not looked at.
void check_host_folder(const fs::path& folder);
/// The same for a single file: "'PATH' is in a kernel file system (proc)".
void check_host_file(const fs::path& file);

/// What was read of the build host so far, by path. May be used by several threads.
class HostFiles {
  public:
    /// The folder, or that which a link leads to. Throws SystemError for what cannot be read, and
    /// as check_host_folder() does. The reference stays valid.
    [[nodiscard]] const HostFolder& folder(const fs::path& path) const;
    /// Throws as open_regular_file() and check_host_file() do.
    [[nodiscard]] const HostFile& file(const fs::path& path) const;

  private:
    mutable std::mutex mutex_;
    mutable std::map<fs::path, HostFolder> folders_;
    mutable std::map<fs::path, HostFile> files_;
};

/// The content of a file that was read before. Opening it, or reading it to its end, throws Error
/// "'PATH' changed while kiln read it" when it is gone, no regular file any more, or not of the
/// size and digest of `expected`.
[[nodiscard]] std::unique_ptr<Source> open_unchanged(const HostFile& expected);

/// Throws the same error for the first path below `folder` that differs.
void check_unchanged(const fs::path& folder, const HostFolder& before);

} // namespace kiln
