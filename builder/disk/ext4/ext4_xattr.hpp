// SPDX-License-Identifier: MIT
//
// Extended attributes in ext4's form: first in what an inode has left, then in one block of their
// own.
#pragma once

#include "disk/ext4/ext4_inode.hpp"

#include <array>
#include <optional>
#include <string_view>

namespace kiln::ext4 {

using AttributeBlock = std::array<std::byte, kBlockSize>;

/// Stores the attributes in the inode as far as they fit; the rest is returned as a block that
/// lacks only its checksum (see seal_attribute_block). Throws Error when they fit nowhere or when a
/// name has a prefix that ext4 does not know.
[[nodiscard]] std::optional<AttributeBlock>
store_attributes(Inode& inode, const Xattrs& attributes, std::string_view path);

/// How many blocks store_attributes will ask for.
[[nodiscard]] std::uint64_t attribute_blocks(const Xattrs& attributes, std::string_view path);

void seal_attribute_block(AttributeBlock& content, std::uint64_t block, const Checksums& checksums);

} // namespace kiln::ext4
