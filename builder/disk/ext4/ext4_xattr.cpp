// SPDX-License-Identifier: MIT
#include "disk/ext4/ext4_xattr.hpp"

#include "base/error.hpp"

#include <ext2fs/ext2_ext_attr.h>
#include <ext2fs/ext2fs.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <tuple>
#include <vector>

namespace kiln::ext4 {

namespace {

constexpr std::size_t kEndMark = 4;

struct Attribute {
    std::uint8_t index = 0;
    std::string_view suffix;
    std::string value;
};

/// Name prefixes and their numbers (kernel, fs/ext4/xattr.h). Longer ones come first.
struct Prefix {
    std::string_view name;
    std::uint8_t index;
};

constexpr Prefix kPrefixes[] = {
    {"system.posix_acl_access", 2},
    {"system.posix_acl_default", 3},
    {"user.", 1},
    {"trusted.", 4},
    {"security.", 6},
    {"system.", 7},
};

template <typename T> T load(std::string_view bytes, std::size_t at) {
    T value{};
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
}

template <typename T> void append(std::string& out, T value) {
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

/// From the form of getxattr(2) (version 2, 8 bytes an entry) to ext4's (version 1, ids only where
/// they mean something).
std::string convert_acl(std::string_view acl, std::string_view path) {
    constexpr std::size_t kHeader = 4;
    constexpr std::size_t kEntry = 8;
    constexpr std::uint16_t kUser = 0x02;
    constexpr std::uint16_t kGroup = 0x08;
    if (acl.size() < kHeader || (acl.size() - kHeader) % kEntry != 0 ||
        load<std::uint32_t>(acl, 0) != 2) {
        throw Error(fmt::format("malformed access control list on '/{}'", path));
    }
    std::string out;
    append(out, std::uint32_t{1});
    for (std::size_t at = kHeader; at < acl.size(); at += kEntry) {
        const auto tag = load<std::uint16_t>(acl, at);
        append(out, tag);
        append(out, load<std::uint16_t>(acl, at + 2));
        if (tag == kUser || tag == kGroup) {
            append(out, load<std::uint32_t>(acl, at + 4));
        }
    }
    return out;
}

Attribute convert(const std::string& name, const std::string& value, std::string_view path) {
    const auto* prefix = std::ranges::find_if(
        kPrefixes, [&](const Prefix& candidate) { return name.starts_with(candidate.name); });
    if (prefix == std::end(kPrefixes)) {
        throw Error(
            fmt::format("ext4 cannot store the extended attribute '{}' of '/{}'", name, path));
    }
    const bool is_acl = prefix->index == 2 || prefix->index == 3;
    return {
        prefix->index,
        std::string_view(name).substr(prefix->name.size()),
        is_acl ? convert_acl(value, path) : value};
}

std::vector<Attribute> convert_all(const Xattrs& attributes, std::string_view path) {
    std::vector<Attribute> out;
    for (const auto& [name, value] : attributes) {
        out.push_back(convert(name, value, path));
    }
    // The order in which the kernel searches a block.
    std::ranges::sort(out, [](const Attribute& a, const Attribute& b) {
        return std::tuple(a.index, a.suffix.size(), a.suffix) <
               std::tuple(b.index, b.suffix.size(), b.suffix);
    });
    return out;
}

/// Entries grow from the front, values from the back.
class Region {
  public:
    /// Value offsets count from the start of `place`; entries begin at `first`.
    Region(std::span<std::byte> place, std::size_t first)
        : place_(place), entry_(first), value_(place.size()) {}

    /// False when there is no room.
    bool add(const Attribute& attribute, bool with_hash) {
        const std::size_t entry_size =
            round_up(sizeof(ext2_ext_attr_entry) + attribute.suffix.size(), 4);
        const std::size_t value_size = round_up(attribute.value.size(), 4);
        if (entry_ + entry_size + kEndMark + value_size > value_) {
            return false;
        }
        value_ -= value_size;
        std::memcpy(place_.data() + value_, attribute.value.data(), attribute.value.size());
        ext2_ext_attr_entry entry{};
        entry.e_name_len = static_cast<std::uint8_t>(attribute.suffix.size());
        entry.e_name_index = attribute.index;
        entry.e_value_offs = value_size == 0 ? std::uint16_t{0} : low16(value_);
        entry.e_value_size = low32(attribute.value.size());
        std::byte* const at = place_.data() + entry_;
        std::memcpy(at, &entry, sizeof entry);
        std::memcpy(at + sizeof entry, attribute.suffix.data(), attribute.suffix.size());
        if (with_hash) {
            entry.e_hash = ext2fs_ext_attr_hash_entry(
                reinterpret_cast<ext2_ext_attr_entry*>(at), place_.data() + value_);
            std::memcpy(at, &entry, sizeof entry);
        }
        entry_ += entry_size;
        return true;
    }

    [[nodiscard]] std::size_t entries_end() const noexcept { return entry_; }

  private:
    std::span<std::byte> place_;
    std::size_t entry_;
    std::size_t value_;
};

AttributeBlock make_block(std::span<const Attribute> attributes, std::string_view path) {
    alignas(8) AttributeBlock block{};
    ext2_ext_attr_header header{};
    header.h_magic = EXT2_EXT_ATTR_MAGIC;
    header.h_refcount = 1;
    header.h_blocks = 1;
    std::memcpy(block.data(), &header, sizeof header);
    Region region(block, sizeof header);
    for (const Attribute& attribute : attributes) {
        if (!region.add(attribute, true)) {
            throw Error(
                fmt::format("the extended attributes of '/{}' do not fit into a block", path));
        }
    }
    ext2fs_ext_attr_block_rehash(
        reinterpret_cast<ext2_ext_attr_header*>(block.data()),
        reinterpret_cast<ext2_ext_attr_entry*>(block.data() + region.entries_end()));
    return block;
}

} // namespace

std::optional<AttributeBlock>
store_attributes(Inode& inode, const Xattrs& attributes, std::string_view path) {
    if (attributes.empty()) {
        return std::nullopt;
    }
    const auto all = convert_all(attributes, path);
    const std::uint32_t magic = EXT2_EXT_ATTR_MAGIC;
    Region region(std::span(inode.attributes).subspan(sizeof magic), 0);
    std::vector<Attribute> rest;
    for (const Attribute& attribute : all) {
        if (region.add(attribute, false)) {
            std::memcpy(inode.attributes.data(), &magic, sizeof magic);
        } else {
            rest.push_back(attribute);
        }
    }
    if (rest.empty()) {
        return std::nullopt;
    }
    return make_block(rest, path);
}

std::uint64_t attribute_blocks(const Xattrs& attributes, std::string_view path) {
    Inode scratch;
    return store_attributes(scratch, attributes, path) ? 1 : 0;
}

void seal_attribute_block(
    AttributeBlock& content, std::uint64_t block, const Checksums& checksums) {
    const std::uint32_t sum = Checksums::crc32c(checksums.seed_for_block(block), content);
    std::memcpy(content.data() + offsetof(ext2_ext_attr_header, h_checksum), &sum, sizeof sum);
}

} // namespace kiln::ext4
