// SPDX-License-Identifier: MIT
#include "disk/ext4/ext4_directory.hpp"

#include "base/error.hpp"

#include <ext2fs/ext2fs.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <tuple>

namespace kiln::ext4 {

namespace {

constexpr std::size_t kEntryHeader = 8;
constexpr std::size_t kTail = sizeof(ext2_dir_entry_tail);
constexpr std::size_t kLeafRoom = kBlockSize - kTail;
/// Leaves of a tree keep an eighth free, so that a new name does not split one at once.
constexpr std::size_t kLeafFill = kLeafRoom - kLeafRoom / 8;
constexpr std::size_t kDotsSize = 24;
constexpr std::size_t kIndexEntry = 8;
constexpr std::size_t kIndexTail = sizeof(ext2_dx_tail);
constexpr std::size_t kRootEntriesAt = kDotsSize + sizeof(ext2_dx_root_info);
constexpr std::size_t kNodeEntriesAt = kEntryHeader;

constexpr std::size_t index_limit(std::size_t entries_at) {
    return (kBlockSize - entries_at - kIndexTail) / kIndexEntry;
}

std::size_t record_size(std::string_view name) {
    return round_up(kEntryHeader + name.size(), 4);
}

std::uint8_t type_code(FileType type) {
    constexpr std::array<std::uint8_t, 7> kCodes{
        EXT2_FT_REG_FILE,
        EXT2_FT_DIR,
        EXT2_FT_SYMLINK,
        EXT2_FT_CHRDEV,
        EXT2_FT_BLKDEV,
        EXT2_FT_FIFO,
        EXT2_FT_SOCK};
    return kCodes.at(static_cast<std::size_t>(type));
}

/// Writes directory records into one block.
class BlockWriter {
  public:
    explicit BlockWriter(std::byte* block) : block_(block) {}

    void add(const DirectoryEntry& entry) {
        last_ = at_;
        put(at_, entry.inode);
        put(at_ + 4, static_cast<std::uint16_t>(record_size(entry.name)));
        put(at_ + 6, static_cast<std::uint8_t>(entry.name.size()));
        put(at_ + 7, type_code(entry.type));
        std::memcpy(block_ + at_ + kEntryHeader, entry.name.data(), entry.name.size());
        at_ += record_size(entry.name);
    }

    /// The last record takes the room that is left up to `end`; an empty block gets an unused one.
    void close(std::size_t end) { put(last_ + 4, static_cast<std::uint16_t>(end - last_)); }

    template <typename T> void put(std::size_t offset, T value) {
        std::memcpy(block_ + offset, &value, sizeof value);
    }

  private:
    std::byte* block_;
    std::size_t at_ = 0;
    std::size_t last_ = 0;
};

struct Hashed {
    std::uint32_t hash = 0;
    std::uint32_t minor = 0;
    const DirectoryEntry* entry = nullptr;
};

/// What a level of the tree points to: the lowest hash below, and the block within the directory.
struct Pointer {
    std::uint32_t hash = 0;
    std::uint32_t block = 0;
};

class Builder {
  public:
    Builder(const DirectoryParams& params, const Checksums& checksums)
        : params_(params), seed_(checksums.seed_for_inode(params.self)) {}

    DirectoryBlocks linear(const std::vector<DirectoryEntry>& entries) {
        BlockWriter writer(new_block());
        add_dots(writer);
        for (const DirectoryEntry& entry : entries) {
            writer.add(entry);
        }
        writer.close(kLeafRoom);
        seal_leaf(0);
        while (out_.blocks() < params_.least_blocks) {
            BlockWriter(new_block()).close(kLeafRoom);
            seal_leaf(out_.blocks() - 1);
        }
        return std::move(out_);
    }

    DirectoryBlocks tree(const std::vector<DirectoryEntry>& entries) {
        out_.indexed = true;
        new_block();
        const auto hashed = hash_all(entries);
        const auto leaves = cut(hashed);
        constexpr std::size_t kRootLimit = index_limit(kRootEntriesAt);
        constexpr std::size_t kNodeLimit = index_limit(kNodeEntriesAt);
        const std::size_t nodes =
            leaves.size() <= kRootLimit ? 0 : divide_up(leaves.size(), kNodeLimit);
        if (nodes > kRootLimit) {
            throw Error(fmt::format("too many entries in one directory: {}", entries.size()));
        }
        for (std::size_t i = 0; i < nodes; ++i) {
            new_block();
        }
        const auto pointers = write_leaves(hashed, leaves);
        if (nodes == 0) {
            write_root(pointers, 0);
        } else {
            std::vector<Pointer> upper;
            for (std::size_t i = 0; i < nodes; ++i) {
                const std::size_t first = i * kNodeLimit;
                const auto part = std::span(pointers).subspan(
                    first, std::min(kNodeLimit, pointers.size() - first));
                write_node(i + 1, part);
                upper.push_back({part.front().hash, static_cast<std::uint32_t>(i + 1)});
            }
            write_root(upper, 1);
        }
        return std::move(out_);
    }

  private:
    std::byte* new_block() {
        out_.bytes.resize(out_.bytes.size() + kBlockSize);
        return block(out_.blocks() - 1);
    }

    std::byte* block(std::size_t index) { return out_.bytes.data() + index * kBlockSize; }

    void add_dots(BlockWriter& writer) {
        writer.add({".", params_.self, FileType::directory});
        writer.add({"..", params_.parent, FileType::directory});
    }

    std::vector<Hashed> hash_all(const std::vector<DirectoryEntry>& entries) const {
        std::array<std::uint32_t, 4> seed{};
        std::memcpy(seed.data(), params_.hash_seed.data(), sizeof seed);
        std::vector<Hashed> out;
        out.reserve(entries.size());
        for (const DirectoryEntry& entry : entries) {
            Hashed hashed{0, 0, &entry};
            // REPRO: the unsigned variant always, whatever "char" is on the build host.
            KILN_CHECK(
                ext2fs_dirhash2(
                    EXT2_HASH_HALF_MD4_UNSIGNED,
                    entry.name.data(),
                    static_cast<int>(entry.name.size()),
                    nullptr,
                    0,
                    seed.data(),
                    &hashed.hash,
                    &hashed.minor) == 0);
            out.push_back(hashed);
        }
        std::ranges::sort(out, [](const Hashed& a, const Hashed& b) {
            return std::tuple(a.hash, a.minor, a.entry->name) <
                   std::tuple(b.hash, b.minor, b.entry->name);
        });
        return out;
    }

    /// Number of entries of each leaf.
    static std::vector<std::size_t> cut(const std::vector<Hashed>& hashed) {
        std::vector<std::size_t> counts(1);
        std::size_t used = 0;
        for (const Hashed& entry : hashed) {
            const std::size_t size = record_size(entry.entry->name);
            if (used + size > kLeafFill) {
                counts.push_back(0);
                used = 0;
            }
            ++counts.back();
            used += size;
        }
        return counts;
    }

    std::vector<Pointer>
    write_leaves(const std::vector<Hashed>& hashed, const std::vector<std::size_t>& counts) {
        std::vector<Pointer> pointers;
        std::size_t next = 0;
        for (const std::size_t count : counts) {
            BlockWriter writer(new_block());
            // The lowest bit says that names of this hash begin in the leaf before.
            const std::uint32_t hash = hashed[next].hash;
            const bool continued = next > 0 && hashed[next - 1].hash == hash;
            pointers.push_back(
                {hash | (continued ? 1U : 0U), static_cast<std::uint32_t>(out_.blocks() - 1)});
            for (std::size_t i = 0; i < count; ++i) {
                writer.add(*hashed[next++].entry);
            }
            writer.close(kLeafRoom);
            seal_leaf(out_.blocks() - 1);
        }
        return pointers;
    }

    void write_root(std::span<const Pointer> pointers, std::uint8_t levels) {
        BlockWriter writer(block(0));
        add_dots(writer);
        writer.close(kBlockSize);
        ext2_dx_root_info info{};
        info.hash_version = EXT2_HASH_HALF_MD4;
        info.info_length = sizeof info;
        info.indirect_levels = levels;
        writer.put(kDotsSize, info);
        write_index(writer, kRootEntriesAt, pointers);
        seal_index(0, kRootEntriesAt, pointers.size());
    }

    void write_node(std::size_t index, std::span<const Pointer> pointers) {
        BlockWriter writer(block(index));
        writer.close(kBlockSize);
        write_index(writer, kNodeEntriesAt, pointers);
        seal_index(index, kNodeEntriesAt, pointers.size());
    }

    static void
    write_index(BlockWriter& writer, std::size_t at, std::span<const Pointer> pointers) {
        for (std::size_t i = 0; i < pointers.size(); ++i) {
            writer.put(at + i * kIndexEntry, pointers[i].hash);
            writer.put(at + i * kIndexEntry + 4, pointers[i].block);
        }
        // The first entry's hash is implied; limit and count lie in its place.
        writer.put(at, static_cast<std::uint16_t>(index_limit(at)));
        writer.put(at + 2, static_cast<std::uint16_t>(pointers.size()));
    }

    void seal_leaf(std::size_t index) {
        ext2_dir_entry_tail tail{};
        tail.det_rec_len = kTail;
        tail.det_reserved_name_len = EXT2_DIR_NAME_LEN_CSUM;
        tail.det_checksum = Checksums::crc32c(seed_, Bytes(block(index), kLeafRoom));
        std::memcpy(block(index) + kLeafRoom, &tail, sizeof tail);
    }

    void seal_index(std::size_t index, std::size_t at, std::size_t count) {
        // Summed: the block up to the last entry in use, then the tail with a zero checksum.
        ext2_dx_tail tail{};
        const std::uint32_t sum =
            Checksums::crc32c(seed_, Bytes(block(index), at + count * kIndexEntry));
        tail.dt_checksum = Checksums::crc32c(sum, bytes_of(tail));
        std::memcpy(block(index) + at + index_limit(at) * kIndexEntry, &tail, sizeof tail);
    }

    const DirectoryParams& params_;
    std::uint32_t seed_;
    DirectoryBlocks out_;
};

bool fits_one_block(const std::vector<DirectoryEntry>& entries) {
    std::size_t size = kDotsSize;
    for (const DirectoryEntry& entry : entries) {
        size += record_size(entry.name);
    }
    return size <= kLeafRoom;
}

} // namespace

DirectoryBlocks build_directory(const DirectoryPlan& plan, const Checksums& checksums) {
    Builder builder(plan.params, checksums);
    return fits_one_block(plan.entries) ? builder.linear(plan.entries) : builder.tree(plan.entries);
}

std::uint64_t directory_blocks(const DirectoryPlan& plan) {
    if (fits_one_block(plan.entries)) {
        return plan.params.least_blocks;
    }
    return build_directory(plan, Checksums({})).blocks();
}

} // namespace kiln::ext4
