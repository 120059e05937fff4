// SPDX-License-Identifier: MIT
#include "disk/fat/fat.hpp"

#include "base/byte_order.hpp"
#include "base/error.hpp"
#include "base/io/file.hpp"
#include "base/text.hpp"
#include "disk/fat/fat_layout.hpp"
#include "disk/fat/fat_name.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <span>
#include <utility>
#include <vector>

namespace kiln {

namespace {

constexpr std::uint32_t kSector = 512;
constexpr std::size_t kRecord = 32;
constexpr std::uint32_t kRootRecords = 512; ///< FAT16 keeps its root directory apart
constexpr std::uint8_t kAttributeLabel = 0x08;
constexpr std::uint8_t kAttributeDirectory = 0x10;
constexpr std::uint8_t kAttributeArchive = 0x20;
constexpr std::uint8_t kMediaFixed = 0xf8;

void put_text(std::span<std::byte> out, std::size_t at, std::string_view text) {
    std::ranges::copy(as_byte_span(text), out.begin() + static_cast<std::ptrdiff_t>(at));
}

/// Sizes and places, in sectors.
struct FatGeometry {
    bool is_fat32 = false;
    std::uint32_t sectors = 0;
    std::uint32_t sectors_per_cluster = 0;
    std::uint32_t reserved = 0;
    std::uint32_t fat_sectors = 0;
    std::uint32_t root_sectors = 0;
    std::uint32_t clusters = 0;

    [[nodiscard]] std::uint32_t fat_at(std::uint32_t copy) const {
        return reserved + copy * fat_sectors;
    }

    [[nodiscard]] std::uint32_t root_at() const { return reserved + 2 * fat_sectors; }

    [[nodiscard]] std::uint32_t cluster_bytes() const { return sectors_per_cluster * kSector; }

    [[nodiscard]] std::uint32_t cluster_at(std::uint32_t cluster) const {
        return root_at() + root_sectors + (cluster - 2) * sectors_per_cluster;
    }
};

/// Cluster sizes as in Microsoft's specification of FAT (fatgen103), page 20.
std::uint32_t choose_cluster(std::uint64_t size, bool is_fat32) {
    constexpr std::uint64_t kMiB = 1 << 20;
    if (is_fat32) {
        return size <= 260 * kMiB ? 1 : 8;
    }
    return size <= 16 * kMiB ? 2 : 4;
}

FatGeometry make_geometry(std::uint64_t size) {
    if (size < kLeastFatBytes) {
        throw Error(fmt::format(
            "a FAT partition of {} is too small: it needs {}",
            format_size(size),
            format_size(kLeastFatBytes)));
    }
    FatGeometry g;
    g.is_fat32 = size >= kLeastFat32Bytes;
    if (size / kSector > 0xffffffff) {
        throw Error(fmt::format("a FAT partition cannot have {}", format_size(size)));
    }
    g.sectors = static_cast<std::uint32_t>(size / kSector);
    g.sectors_per_cluster = choose_cluster(size, g.is_fat32);
    g.reserved = g.is_fat32 ? 32 : g.sectors_per_cluster;
    g.root_sectors = g.is_fat32 ? 0 : kRootRecords * kRecord / kSector;
    const std::uint32_t entry = g.is_fat32 ? 4 : 2;
    // Grows until both copies have an entry for each cluster that is left.
    while (true) {
        g.clusters = (g.sectors - g.root_at() - g.root_sectors) / g.sectors_per_cluster;
        const std::uint32_t needed = ((g.clusters + 2) * entry + kSector - 1) / kSector;
        if (needed <= g.fat_sectors) {
            return g;
        }
        g.fat_sectors = needed;
    }
}

class FatWriter {
  public:
    FatWriter(const FileTree& tree, const FatOptions& options, const FatGeometry& geometry)
        : tree_(tree), options_(options), g_(geometry) {
        fat_.push_back(0x0fffff00U | kMediaFixed);
        fat_.push_back(kEndOfChain);
    }

    void run(int fd, std::uint64_t offset) {
        fd_ = fd;
        offset_ = offset;
        gather();
        if (g_.is_fat32) {
            root_cluster_ = allocate(record_count("") * kRecord, "");
        }
        write_directory("", root_cluster_, 0);
        write_boot_sectors();
        write_fats();
    }

  private:
    struct Child {
        const std::string* path;
        const Entry* entry;
        ShortName name;
        std::vector<FatRecord> long_name; ///< empty when the short one is all there is to say
    };

    void gather() {
        for (const auto& [path, entry] : tree_.entries()) {
            if (entry.type == FileType::directory) {
                children_[path];
            } else if (entry.type != FileType::regular || !entry.hardlink_to.empty()) {
                throw Error(fmt::format(
                    "'/{}' is not a file or directory, which is all that FAT can store", path));
            }
            if (path.empty()) {
                continue;
            }
            const auto parent = children_.find(parent_path(path));
            if (parent == children_.end() && !parent_path(path).empty()) {
                throw Error(fmt::format("'/{}' has no parent in the tree", path));
            }
            auto& siblings = parent == children_.end() ? children_[std::string()] : parent->second;
            siblings.push_back(make_child(path, entry, siblings));
        }
        children_[std::string()];
    }

    [[nodiscard]] Child
    make_child(const std::string& path, const Entry& entry, const std::vector<Child>& siblings) {
        const auto same = [&](const std::string& padded) {
            return std::ranges::find_if(
                siblings, [&](const Child& each) { return each.name.padded == padded; });
        };
        if (options_.long_names && !has_short_name(path)) {
            ShortName alias = alias_name(
                path, [&](const std::string& padded) { return same(padded) != siblings.end(); });
            std::vector<FatRecord> records = long_name_records(base_name(path), alias);
            return {&path, &entry, std::move(alias), std::move(records)};
        }
        ShortName name = short_name(path);
        if (const auto sibling = same(name.padded); sibling != siblings.end()) {
            throw Error(
                fmt::format("'/{}' and '/{}' have the same name on FAT", *sibling->path, path));
        }
        return {&path, &entry, std::move(name), {}};
    }

    [[nodiscard]] std::size_t record_count(const std::string& path) const {
        const bool is_root = path.empty();
        std::size_t count = is_root ? (options_.label.empty() ? 0 : 1) : 2;
        for (const Child& child : children_.at(path)) {
            count += 1 + child.long_name.size();
        }
        return count;
    }

    /// A chain of contiguous clusters; 0 for no bytes.
    std::uint32_t allocate(std::uint64_t bytes, std::string_view path) {
        const std::uint64_t count = (bytes + g_.cluster_bytes() - 1) / g_.cluster_bytes();
        if (count == 0) {
            return 0;
        }
        if (fat_.size() + count > std::uint64_t{g_.clusters} + 2) {
            throw Error(fmt::format(
                "the FAT partition of {} is full: cannot add '/{}'",
                format_size(std::uint64_t{g_.sectors} * kSector),
                path));
        }
        const auto first = static_cast<std::uint32_t>(fat_.size());
        for (std::uint64_t i = 1; i < count; ++i) {
            fat_.push_back(static_cast<std::uint32_t>(fat_.size() + 1));
        }
        fat_.push_back(kEndOfChain);
        return first;
    }

    void write_at(std::uint64_t sector, Bytes bytes) {
        write_all_at(fd_, bytes, offset_ + sector * kSector, "FAT partition");
    }

    static void put_record(
        std::span<std::byte> out,
        const ShortName& name,
        const Entry& entry,
        std::uint32_t cluster) {
        const DosTime time = dos_time(entry.mtime);
        const bool is_file = entry.type == FileType::regular;
        put_text(out, record_field::kNameText, name.padded);
        put_le(out, record_field::kAttributes, is_file ? kAttributeArchive : kAttributeDirectory);
        put_le(out, record_field::kCaseFlags, name.case_flags);
        put_le(out, record_field::kCreationTime, time.time);
        put_le(out, record_field::kCreationDate, time.date);
        put_le(out, record_field::kAccessDate, time.date);
        put_le(out, record_field::kClusterHigh, cluster >> 16);
        put_le(out, record_field::kWriteTime, time.time);
        put_le(out, record_field::kWriteDate, time.date);
        put_le(out, record_field::kClusterLow, cluster & 0xffff);
        put_le(out, record_field::kFileSize, is_file ? entry.size : 0);
    }

    void write_directory(const std::string& path, std::uint32_t self, std::uint32_t parent) {
        const bool in_place = self == 0;
        if (in_place && record_count(path) > kRootRecords) {
            throw Error("too many entries in the root directory of a FAT16 partition");
        }
        std::vector<std::byte> records(record_count(path) * kRecord);
        std::span<std::byte> next(records);
        const auto advance = [&] {
            const auto record = next.first(kRecord);
            next = next.subspan(kRecord);
            return record;
        };
        if (!path.empty()) {
            const Entry& entry = *tree_.find(path);
            put_record(advance(), {".          ", 0}, entry, self);
            put_record(advance(), {"..         ", 0}, entry, parent);
        } else if (!options_.label.empty()) {
            Entry label;
            label.mtime = options_.epoch;
            const auto record = advance();
            put_record(record, {fmt::format("{:11}", options_.label), 0}, label, 0);
            put_le(record, record_field::kAttributes, kAttributeLabel);
        }
        for (const Child& child : children_.at(path)) {
            const bool is_file = child.entry->type == FileType::regular;
            const std::uint32_t cluster = allocate(
                is_file ? child.entry->size : record_count(*child.path) * kRecord, *child.path);
            for (const FatRecord& record : child.long_name) {
                std::ranges::copy(record, advance().begin());
            }
            put_record(advance(), child.name, *child.entry, cluster);
            if (is_file) {
                write_file(child, cluster);
            } else {
                // ".." of a directory in the root is 0 even where the root has a cluster.
                write_directory(*child.path, cluster, path.empty() ? 0 : self);
            }
        }
        write_at(in_place ? g_.root_at() : g_.cluster_at(self), records);
    }

    void write_file(const Child& child, std::uint32_t cluster) {
        const auto source = open_content(*child.entry);
        std::vector<std::byte> buffer(1 << 16);
        std::uint64_t done = 0;
        const std::uint64_t start =
            cluster == 0 ? 0 : std::uint64_t{g_.cluster_at(cluster)} * kSector;
        while (const std::size_t size = source->read(buffer)) {
            done += size;
            if (done <= child.entry->size) {
                write_all_at(
                    fd_,
                    std::span(buffer).first(size),
                    offset_ + start + done - size,
                    "FAT partition");
            }
        }
        if (done != child.entry->size) {
            throw Error(fmt::format(
                "'/{}' has {} bytes, expected {}", *child.path, done, child.entry->size));
        }
    }

    void write_boot_sectors() {
        constexpr std::uint64_t kJumpOver16 = 0x903ceb; // jmp +0x3c; nop
        constexpr std::uint64_t kJumpOver32 = 0x9058eb;
        std::array<std::byte, kSector> boot{};
        const bool has_sectors16 = g_.sectors < 65536 && !g_.is_fat32;
        put_le(boot, boot_field::kJump, g_.is_fat32 ? kJumpOver32 : kJumpOver16);
        put_text(boot, boot_field::kOemName, "MSWIN4.1");
        put_le(boot, boot_field::kBytesPerSector, kSector);
        put_le(boot, boot_field::kSectorsPerCluster, g_.sectors_per_cluster);
        put_le(boot, boot_field::kReservedSectors, g_.reserved);
        put_le(boot, boot_field::kFats, 2);
        put_le(boot, boot_field::kRootRecordsField, g_.is_fat32 ? 0 : kRootRecords);
        put_le(boot, boot_field::kSectors16, has_sectors16 ? g_.sectors : 0);
        put_le(boot, boot_field::kMedia, kMediaFixed);
        put_le(boot, boot_field::kFatSectors16, g_.is_fat32 ? 0 : g_.fat_sectors);
        put_le(boot, boot_field::kSectorsPerTrack, 63);
        put_le(boot, boot_field::kHeads, 255);
        put_le(boot, boot_field::kHiddenSectors, options_.hidden_sectors);
        put_le(boot, boot_field::kSectors32, has_sectors16 ? 0 : g_.sectors);
        put_le(boot, boot_field::kSignature, kBootSignature);
        put_tail(
            std::span(boot).subspan(g_.is_fat32 ? boot_field::kTailFat32 : boot_field::kTailFat16));
        if (g_.is_fat32) {
            put_le(boot, boot_field::kFatSectors32, g_.fat_sectors);
            put_le(boot, boot_field::kRootCluster, root_cluster_);
            put_le(boot, boot_field::kInfoSector, kInfoAt);
            put_le(boot, boot_field::kBackupSector, kBackupAt);
            write_info_sectors();
            write_at(kBackupAt, boot);
        }
        write_at(0, boot);
    }

    void put_tail(std::span<std::byte> tail) const {
        constexpr std::uint64_t kFirstDisk = 0x80; // as the BIOS counts
        constexpr std::uint64_t kHasVolumeIdAndLabel = 0x29;
        const std::string_view label = options_.label.empty() ? "NO NAME" : options_.label;
        put_le(tail, tail_field::kDrive, kFirstDisk);
        put_le(tail, tail_field::kExtendedSignature, kHasVolumeIdAndLabel);
        put_le(tail, tail_field::kVolumeId, options_.volume_id);
        put_text(tail, tail_field::kLabel, fmt::format("{:11}", label));
        put_text(tail, tail_field::kType, g_.is_fat32 ? "FAT32   " : "FAT16   ");
    }

    void write_info_sectors() {
        std::array<std::byte, kSector> info{};
        constexpr std::uint64_t kLead = 0x41615252;   // "RRaA"
        constexpr std::uint64_t kStruct = 0x61417272; // "rrAa"
        constexpr std::uint64_t kTrail = 0xaa550000;
        put_le(info, info_field::kLeadSignature, kLead);
        put_le(info, info_field::kStructSignature, kStruct);
        put_le(info, info_field::kFreeClusters, g_.clusters + 2 - fat_.size());
        put_le(info, info_field::kLastAllocated, fat_.size() - 1);
        put_le(info, info_field::kTrailSignature, kTrail);
        write_at(kInfoAt, info);
        write_at(kBackupAt + kInfoAt, info);
    }

    void write_fats() {
        const std::size_t width = g_.is_fat32 ? 4 : 2;
        std::vector<std::byte> table(fat_.size() * width);
        for (std::size_t i = 0; i < fat_.size(); ++i) {
            put_le(table, i * width, fat_[i], width);
        }
        write_at(g_.fat_at(0), table);
        write_at(g_.fat_at(1), table);
    }

    const FileTree& tree_;
    const FatOptions& options_;
    const FatGeometry& g_;
    int fd_ = -1;
    std::uint64_t offset_ = 0;
    std::map<std::string, std::vector<Child>, std::less<>> children_;
    std::vector<std::uint32_t> fat_;
    std::uint32_t root_cluster_ = 0;
};

} // namespace

void write_fat(
    const FileTree& tree,
    const FatOptions& options,
    int fd,
    std::uint64_t offset,
    std::uint64_t size) {
    const auto is_label_char = [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == ' ';
    };
    if (options.label.size() > 11 || !std::ranges::all_of(options.label, is_label_char)) {
        throw Error(fmt::format("'{}' is not a valid FAT label", options.label))
            .with_hint("use up to 11 of A-Z, 0-9, '-', '_' and space");
    }
    const FatGeometry geometry = make_geometry(size);
    FatWriter(tree, options, geometry).run(fd, offset);
}

} // namespace kiln
