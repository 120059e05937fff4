// SPDX-License-Identifier: MIT
#include "disk/foreign_disk.hpp"

#include "base/error.hpp"
#include "base/io/beneath.hpp"
#include "base/text.hpp"
#include "disk/qcow2/qcow2_header.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace kiln {

namespace {

using namespace std::string_view_literals;

constexpr std::size_t kLargestCluster = std::size_t{2} << 20U; // of qcow2

struct KnownFormat {
    std::string_view name;
    std::size_t offset;
    std::string_view magic;
};

/// From QEMU's block drivers (their probe functions) and Apple's and Microsoft's specifications.
constexpr std::array kOthers{
    KnownFormat{"a VMDK image", 0, "KDMV"sv},
    KnownFormat{"a VMDK image", 0, "COWD"sv},
    KnownFormat{"a VMDK image", 0, "# Disk DescriptorFile"sv},
    KnownFormat{"a VHD image", 0, "conectix"sv},
    KnownFormat{"a VHDX image", 0, "vhdxfile"sv},
    KnownFormat{"a VDI image", 64, "\x7f\x10\xda\xbe"sv},
    KnownFormat{"a QED image", 0, "QED\0"sv},
    KnownFormat{"a Parallels image", 0, "WithoutFreeSpace"sv},
    KnownFormat{"a Parallels image", 0, "WithouFreSpacExt"sv},
    KnownFormat{"a Bochs image", 0, "Bochs Virtual HD Image"sv},
    KnownFormat{"a zip archive (OVA files are tar archives)", 0, "PK\x03\x04"sv},
    KnownFormat{"a WIM image", 0, "MSWIM\0\0\0"sv},
};

std::vector<std::byte> read_head(RegularFile& file, const fs::path& path) {
    std::vector<std::byte> head(
        static_cast<std::size_t>(std::min<std::uint64_t>(file.size(), kLargestCluster)));
    read_exactly_at(file.fd(), head, 0, path);
    return head;
}

std::string shown(const fs::path& path) {
    return printable(path.string());
}

} // namespace

ImageFormat detect_disk_format(const fs::path& disk) {
    RegularFile file(disk);
    const std::vector<std::byte> head = read_head(file, disk);
    const std::string_view text = as_text(head);
    if (text.starts_with(kQcow2Magic)) {
        return ImageFormat::qcow2;
    }
    for (const KnownFormat& other : kOthers) {
        if (text.size() > other.offset && text.substr(other.offset).starts_with(other.magic)) {
            throw Error(
                fmt::format("'{}' is {}, which kiln does not support", shown(disk), other.name))
                .with_hint("if you trust the image, convert it with 'qemu-img convert -O qcow2'");
        }
    }
    return ImageFormat::raw;
}

std::uint64_t require_plain_disk(const fs::path& disk, ImageFormat format) {
    RegularFile file(disk);
    if (format != ImageFormat::qcow2) {
        return file.size();
    }
    return parse_qcow2_header(read_head(file, disk), file.size(), disk.string()).virtual_size;
}

ImageFormat format_by_name(const fs::path& disk) {
    return disk.extension() == info_of(ImageFormat::qcow2).suffix ? ImageFormat::qcow2
                                                                  : ImageFormat::raw;
}

ImageFormat require_guest_disk(const fs::path& disk) {
    const ImageFormat format = format_by_name(disk);
    if (fs::is_block_file(disk)) {
        return ImageFormat::raw;
    }
    if (format == ImageFormat::qcow2) {
        static_cast<void>(require_plain_disk(disk, format));
        return format;
    }
    RegularFile file(disk);
    std::array<std::byte, kQcow2Magic.size()> head{};
    if (file.size() >= head.size()) {
        read_exactly_at(file.fd(), head, 0, disk);
    }
    if (as_text(head) == kQcow2Magic) {
        throw Error(
            fmt::format("'{}' has a qcow2 header, but the file name of a raw disk", shown(disk)))
            .with_hint("if it is a qcow2 image, rename it to end in '.qcow2'; otherwise a guest "
                       "wrote that header into its disk");
    }
    return format;
}

std::string disk_argument(const fs::path& disk) {
    return fs::absolute(disk).string();
}

} // namespace kiln
