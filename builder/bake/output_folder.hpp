// SPDX-License-Identifier: MIT
//
// The folder that gets the results of a bake: who may write to it, who is writing to it, and how
// results appear there. Knows nothing of images.
#pragma once

#include "base/console.hpp"
#include "base/io/file.hpp"

#include <vector>

namespace kiln {

/// Makes the folder of the results if needed and checks who else can write to it
/// (base/io/paths.hpp); warns of what is only odd. Call it before enter_build_namespace(): owners
/// look different afterwards. Throws UsageError for a folder in the cache, and Error.
void prepare_out_folder(const fs::path& out, const fs::path& cache, Console& console);

/// Held while a bake writes to its output folder. What an earlier bake left there when it was
/// killed is removed. Throws Error when another kiln holds it.
class OutFolderLock {
  public:
    explicit OutFolderLock(const fs::path& out);
    OutFolderLock(const OutFolderLock&) = delete;
    OutFolderLock& operator=(const OutFolderLock&) = delete;
    ~OutFolderLock();

  private:
    fs::path path_;
    FileLock lock_;
};

/// Moves finished results to their names, each in one step, with the modes that `mask` leaves. What
/// had a name before is replaced: a link itself, not what it leads to. Returns the paths, sorted.
[[nodiscard]] std::vector<fs::path>
publish_results(const fs::path& from, const fs::path& out, unsigned mask);

/// The umask of this process, which can only be asked for by setting it: not while other threads
/// make files.
[[nodiscard]] unsigned own_umask();

} // namespace kiln
