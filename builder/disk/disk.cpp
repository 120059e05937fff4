// SPDX-License-Identifier: MIT
#include "disk/disk.hpp"

#include "base/byte_order.hpp"
#include "base/error.hpp"
#include "base/io/file.hpp"
#include "base/text.hpp"
#include "disk/fat/fat.hpp"
#include "disk/gpt.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <span>

namespace kiln {

namespace {

constexpr std::uint64_t kMiB = 1 << 20;

/// Partition types: GRUB's manual ("BIOS installation"), the UEFI specification, and the
/// Discoverable Partitions Specification.
constexpr std::string_view kBiosBootType = "21686148-6449-6e6f-744e-656564454649";
constexpr std::string_view kEspType = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";
constexpr std::string_view kRootType = "4f68bce3-e8cd-4db1-96e7-fbcaf984b709";

constexpr std::uint64_t kBiosBootBytes = kMiB;
constexpr std::size_t kMbrCodeSize = 440; ///< up to the disk signature

/// Offsets within boot.img and core.img (grub-core/boot/i386/pc/boot.S and diskboot.S, constants in
/// include/grub/i386/pc/boot.h).
constexpr std::size_t kBootKernelSector = 0x5c;
constexpr std::size_t kBootDriveCheck = 0x66;
constexpr std::size_t kCoreBlocklist = kSectorSize - 12;
constexpr std::uint16_t kCoreSegment = 0x820;

void check_options(const DiskOptions& options) {
    if (options.boot_img.empty() != options.core_img.empty()) {
        throw Error("GRUB's boot.img and core.img are needed together");
    }
    if (!options.boot_img.empty() && options.boot_img.size() != kSectorSize) {
        throw Error(fmt::format("boot.img has {} bytes, expected 512", options.boot_img.size()));
    }
    if (!options.core_img.empty() && options.core_img.size() <= kSectorSize) {
        throw Error(fmt::format("core.img is too small: {} bytes", options.core_img.size()));
    }
    if (options.core_img.size() > kBiosBootBytes) {
        throw Error(fmt::format(
                        "core.img ({}) does not fit into the BIOS boot partition ({})",
                        format_size(options.core_img.size()),
                        format_size(kBiosBootBytes)))
            .with_hint("embed fewer GRUB modules");
    }
    if (options.esp_bytes % kMiB != 0 || options.root_bytes % kMiB != 0) {
        throw Error("partition sizes are multiples of 1 MiB");
    }
}

Ext4Options root_options(const DiskOptions& options) {
    const DiskIdentity identity = disk_identity(options.seed);
    return {
        identity.root_file_system,
        identity.root_hash_seed,
        options.root_label,
        options.epoch,
        options.root_free_bytes};
}

/// One partition behind the other, each on a whole MiB.
class LayoutBuilder {
  public:
    void add(std::string_view name, std::string_view type, const Guid& guid, std::uint64_t size) {
        layout_.partitions.push_back(
            {static_cast<std::uint32_t>(layout_.partitions.size() + 1),
             std::string(name),
             std::string(type),
             format_uuid(guid),
             end_,
             size});
        end_ += size;
    }

    /// The second table takes the last MiB.
    [[nodiscard]] DiskLayout finish() {
        layout_.size_bytes = end_ + kMiB;
        return std::move(layout_);
    }

  private:
    DiskLayout layout_;
    std::uint64_t end_ = kMiB;
};

const DiskPartition& partition_named(const DiskLayout& layout, std::string_view name) {
    const auto found = std::ranges::find(layout.partitions, name, &DiskPartition::name);
    KILN_CHECK(found != layout.partitions.end());
    return *found;
}

GptImage make_tables(const DiskLayout& layout, const DiskIdentity& identity) {
    std::vector<GptPartition> partitions;
    partitions.reserve(layout.partitions.size());
    for (const DiskPartition& partition : layout.partitions) {
        partitions.push_back(
            {parse_guid(partition.type_guid),
             parse_guid(partition.guid),
             partition.name,
             partition.start / kSectorSize,
             (partition.start + partition.size) / kSectorSize - 1});
    }
    return make_gpt(identity.disk, layout.size_bytes / kSectorSize, partitions);
}

/// boot.img with the place of core.img in it, and core.img with the place of its own rest.
struct GrubImages {
    std::string boot;
    std::string core;
};

GrubImages patch_grub(const DiskOptions& options, std::uint64_t core_sector) {
    GrubImages out{options.boot_img, options.core_img};
    const auto boot = std::as_writable_bytes(std::span(out.boot));
    const auto core = std::as_writable_bytes(std::span(out.core));
    put_le(boot, kBootKernelSector, core_sector, 8);
    // As grub-install does for hard disks: two NOPs instead of the jump that trusts the BIOS's
    // drive number.
    put_le(boot, kBootDriveCheck, 0x9090, 2);
    const std::uint64_t sectors = (out.core.size() + kSectorSize - 1) / kSectorSize;
    put_le(core, kCoreBlocklist, core_sector + 1, 8);
    put_le(core, kCoreBlocklist + 8, sectors - 1, 2);
    put_le(core, kCoreBlocklist + 10, kCoreSegment, 2);
    return out;
}

class DiskWriter {
  public:
    DiskWriter(const DiskOptions& options, const DiskLayout& layout, const AtomicFile& file)
        : options_(options), layout_(layout), identity_(disk_identity(options.seed)), file_(file) {}

    void run(const FileTree& root, const ByteProgress& progress) {
        if (::ftruncate(file_.fd(), static_cast<off_t>(layout_.size_bytes)) != 0) {
            throw SystemError(fmt::format("cannot resize '{}'", file_.temporary().string()));
        }
        write_tables();
        if (options_.esp_bytes > 0) {
            const DiskPartition& esp = partition_named(layout_, "esp");
            const FatOptions fat{
                identity_.esp_volume_id,
                "ESP",
                options_.epoch,
                static_cast<std::uint32_t>(esp.start / kSectorSize)};
            with_context("writing the EFI system partition", [&] {
                write_fat(options_.esp, fat, file_.fd(), esp.start, esp.size);
            });
        }
        const DiskPartition& place = partition_named(layout_, "root");
        with_context("writing the root file system", [&] {
            write_ext4(
                root,
                root_options(options_),
                {file_.fd(), place.start, place.size, file_.temporary()},
                progress);
        });
    }

  private:
    void write_tables() {
        GptImage tables = make_tables(layout_, identity_);
        if (!options_.boot_img.empty()) {
            const std::uint64_t start = partition_named(layout_, "bios").start;
            const GrubImages grub = patch_grub(options_, start / kSectorSize);
            std::memcpy(tables.front.data(), grub.boot.data(), kMbrCodeSize);
            write_at(as_byte_span(grub.core), start);
        }
        write_at(tables.front, 0);
        write_at(tables.back, layout_.size_bytes - tables.back.size());
    }

    void write_at(Bytes bytes, std::uint64_t offset) const {
        write_all_at(file_.fd(), bytes, offset, file_.temporary());
    }

    const DiskOptions& options_;
    const DiskLayout& layout_;
    DiskIdentity identity_;
    const AtomicFile& file_;
};

} // namespace

DiskIdentity disk_identity(const Digest& seed) {
    const auto derive = [&](std::string_view purpose) {
        return FieldHasher("kiln.disk-identity.v1")
            .field("purpose", purpose)
            .field("seed", seed)
            .finish();
    };
    const Digest volume = derive("esp volume id");
    std::uint32_t volume_id = 0;
    std::memcpy(&volume_id, volume.bytes().data(), sizeof volume_id);
    return {
        uuid_from(derive("disk")),
        uuid_from(derive("bios partition")),
        uuid_from(derive("esp partition")),
        uuid_from(derive("root partition")),
        uuid_from(derive("root file system")),
        uuid_from(derive("root hash seed")),
        volume_id};
}

std::string format_volume_id(std::uint32_t id) {
    return fmt::format("{:04X}-{:04X}", id >> 16, id & 0xffff);
}

DiskLayout plan_disk(const FileTree& root, const DiskOptions& options) {
    check_options(options);
    const DiskIdentity identity = disk_identity(options.seed);
    LayoutBuilder builder;
    builder.add("bios", kBiosBootType, identity.bios_partition, kBiosBootBytes);
    if (options.esp_bytes > 0) {
        builder.add("esp", kEspType, identity.esp_partition, options.esp_bytes);
    }
    const std::uint64_t root_bytes =
        options.root_bytes > 0 ? options.root_bytes : ext4_size(root, root_options(options));
    builder.add("root", kRootType, identity.root_partition, root_bytes);
    return builder.finish();
}

DiskLayout write_disk(
    const FileTree& root,
    const DiskOptions& options,
    const std::filesystem::path& raw_path,
    const ByteProgress& progress) {
    DiskLayout layout = plan_disk(root, options);
    AtomicFile file(raw_path);
    DiskWriter(options, layout, file).run(root, progress);
    file.commit();
    return layout;
}

void write_disk_root(
    const FileTree& root, const DiskOptions& options, const std::filesystem::path& path) {
    const Ext4Options ext4 = root_options(options);
    const std::uint64_t size = options.root_bytes > 0 ? options.root_bytes : ext4_size(root, ext4);
    AtomicFile file(path);
    if (::ftruncate(file.fd(), static_cast<off_t>(size)) != 0) {
        throw SystemError(fmt::format("cannot resize '{}'", path.string()));
    }
    write_ext4(root, ext4, {file.fd(), 0, size, path}, [](std::uint64_t) {});
    file.commit();
}

} // namespace kiln
