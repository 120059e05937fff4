// SPDX-License-Identifier: MIT
//
// Reads a file's content for a writer that cares about blocks of zeros.
#pragma once

#include "base/io/file.hpp"
#include "tree/file_tree.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

namespace kiln::ext4 {

/// Calls `take(offset, bytes)` for stretches of whole blocks that are not zero, in ascending order;
/// the last block is padded with zeros. What is never named reads as zeros.
/// REPRO: decided by content alone; holes of the source file only save reading.
class ContentReader {
  public:
    using Taker = std::function<void(std::uint64_t offset, Bytes bytes)>;

    ContentReader();
    /// Throws SystemError, or Error when the file's size is not the one that the entry states.
    void read(std::string_view path, const Entry& entry, const Taker& take);

  private:
    void pass_on(std::uint64_t offset, std::size_t size, const Taker& take);

    std::vector<std::byte> buffer_;
};

} // namespace kiln::ext4
