// SPDX-License-Identifier: MIT
//
// Which disks were checked before: a disk with the same bytes and the same expected trees need not
// be read a second time.
//
//     ROOT/checked/KEY    empty; KEY names the files' digests, the trees' and the level
#pragma once

#include "bake/images.hpp"
#include "base/io/digest.hpp"
#include "base/io/file.hpp"
#include "verify/check/image_check.hpp"

#include <cstdint>
#include <vector>

namespace kiln {

class CheckedDisks {
  public:
    /// `root` is the cache's; the folder below it is made if needed.
    explicit CheckedDisks(const fs::path& root);

    /// What was checked: the files of one disk (its formats) and the trees that they must hold.
    [[nodiscard]] static Digest
    subject(const std::vector<ImageFile>& files, const DiskTrees& trees);

    /// Whether a check of this level or a closer one has passed.
    [[nodiscard]] bool contains(const Digest& subject, CheckLevel level) const;
    /// Remembers that it has. Throws SystemError.
    void add(const Digest& subject, CheckLevel level) const;

    /// Forgets what no bake asked for since `time` (seconds since 1970).
    void prune(std::int64_t time) const;

  private:
    [[nodiscard]] fs::path path_of(const Digest& subject, CheckLevel level) const;

    fs::path folder_;
};

} // namespace kiln
