// SPDX-License-Identifier: MIT
//
// Deflates qcow2 clusters, with the settings that fix their bytes.
#pragma once

#include "base/io/stream.hpp"

#include <memory>
#include <mutex>
#include <vector>

namespace kiln {

class Deflater;

/// For any number of threads; each borrows a zlib stream that is used again and again.
class DeflaterPool {
  public:
    DeflaterPool();
    DeflaterPool(const DeflaterPool&) = delete;
    DeflaterPool& operator=(const DeflaterPool&) = delete;
    ~DeflaterPool();

    /// The deflated cluster; nothing when that is not smaller.
    [[nodiscard]] std::vector<std::byte> run(Bytes cluster);

  private:
    std::unique_ptr<Deflater> take();

    std::mutex mutex_;
    std::vector<std::unique_ptr<Deflater>> idle_;
};

} // namespace kiln
