// SPDX-License-Identifier: MIT
#include "disk/qcow2/qcow2_header.hpp"

#include "base/byte_order.hpp"
#include "base/error.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace kiln {

namespace {

namespace field {
constexpr std::size_t kVersion = 4;
constexpr std::size_t kBackingFileOffset = 8;
constexpr std::size_t kClusterBits = 20;
constexpr std::size_t kSize = 24;
constexpr std::size_t kCryptMethod = 32;
constexpr std::size_t kL1Size = 36;
constexpr std::size_t kL1Offset = 40;
constexpr std::size_t kRefcountOffset = 48;
constexpr std::size_t kSnapshots = 60;
constexpr std::size_t kIncompatible = 72;
constexpr std::size_t kRefcountOrder = 96;
constexpr std::size_t kHeaderLength = 100;
constexpr std::size_t kCompressionType = 104;
} // namespace field

constexpr std::size_t kHeaderSize2 = 72;  ///< of version 2, fixed
constexpr std::size_t kHeaderSize3 = 104; ///< of version 3, at least

namespace incompatible {
constexpr std::uint64_t kDirty = 1U << 0U;
constexpr std::uint64_t kCorrupt = 1U << 1U;
constexpr std::uint64_t kExternalData = 1U << 2U;
constexpr std::uint64_t kCompressionType = 1U << 3U;
constexpr std::uint64_t kExtendedL2 = 1U << 4U;
constexpr std::uint64_t kHarmless = kDirty | kCompressionType | kExtendedL2;
} // namespace incompatible

namespace extension {
constexpr std::uint32_t kEnd = 0;
constexpr std::uint32_t kBackingFormat = 0xe2792aca;
constexpr std::uint32_t kFeatureNames = 0x6803f857;
constexpr std::uint32_t kBitmaps = 0x23852875;
constexpr std::uint32_t kEncryption = 0x0537be77;
constexpr std::uint32_t kExternalData = 0x44415441;
} // namespace extension

class HeaderParser {
  public:
    HeaderParser(Bytes head, std::uint64_t file_size, std::string_view name)
        : head_(head), file_size_(file_size), name_(name) {}

    Qcow2Header parse() {
        if (!as_text(head_).starts_with(kQcow2Magic)) {
            refuse("is not a qcow2 image");
        }
        if (head_.size() < kHeaderSize2) {
            refuse("is not a valid qcow2 image: the header is truncated");
        }
        Qcow2Header header;
        header.version = number(field::kVersion, 4);
        if (header.version != 2 && header.version != 3) {
            refuse(fmt::format(
                "has the unsupported qcow2 version {} (supported: 2 and 3)", header.version));
        }
        header.cluster_bits = number(field::kClusterBits, 4);
        header.virtual_size = wide(field::kSize);
        header.snapshots = number(field::kSnapshots, 4);
        check_geometry(header);
        check_references();
        check_extensions(header, header.version == 3 ? check_version_3() : kHeaderSize2);
        return header;
    }

  private:
    [[noreturn]] void refuse(const std::string& why) const {
        throw Error(fmt::format("'{}' {}", printable(name_), why));
    }

    /// The same with what the user can do, who may well trust the file.
    [[noreturn]] void refuse_reference(std::string_view what) const {
        throw Error(fmt::format("'{}' refers to another file ({})", printable(name_), what))
            .with_hint("kiln opens self-contained disks only; if you trust the file, flatten it "
                       "with 'qemu-img convert -O qcow2'");
    }

    [[nodiscard]] std::uint64_t wide(std::size_t at, std::size_t size = 8) const {
        return get_be(head_, at, size);
    }

    [[nodiscard]] std::uint32_t number(std::size_t at, std::size_t size) const {
        return static_cast<std::uint32_t>(wide(at, size));
    }

    void check_geometry(const Qcow2Header& header) const {
        constexpr std::uint32_t kLeastBits = 9;
        constexpr std::uint32_t kMostBits = 21;
        constexpr std::uint32_t kMaxL1 = std::uint32_t{4} << 20U; // as QEMU: 32 MiB
        constexpr std::uint32_t kMaxSnapshots = 65536;
        if (header.cluster_bits < kLeastBits || header.cluster_bits > kMostBits) {
            refuse(fmt::format(
                "is not a valid qcow2 image: clusters of 2^{} bytes", header.cluster_bits));
        }
        if (header.virtual_size > kMaxVirtualSize) {
            refuse(fmt::format(
                "has a virtual size of {}, the limit is {}",
                format_size(header.virtual_size),
                format_size(kMaxVirtualSize)));
        }
        if (number(field::kL1Size, 4) > kMaxL1 || header.snapshots > kMaxSnapshots ||
            wide(field::kL1Offset) > file_size_ || wide(field::kRefcountOffset) > file_size_) {
            refuse("is not a valid qcow2 image: a table is outside of the file");
        }
    }

    void check_references() const {
        if (wide(field::kBackingFileOffset) != 0) {
            refuse_reference("backing file");
        }
        if (number(field::kCryptMethod, 4) != 0) {
            refuse("is encrypted");
        }
    }

    /// Returns where the header ends.
    [[nodiscard]] std::size_t check_version_3() const {
        if (head_.size() < kHeaderSize3) {
            refuse("is not a valid qcow2 image: the header is truncated");
        }
        const std::uint64_t features = wide(field::kIncompatible);
        if ((features & incompatible::kExternalData) != 0) {
            refuse_reference("external data file");
        }
        if ((features & incompatible::kCorrupt) != 0) {
            refuse("is marked as corrupt; 'qemu-img check -r all' may repair it");
        }
        if ((features & ~incompatible::kHarmless) != 0) {
            refuse(fmt::format("uses unknown incompatible features ({:#x})", features));
        }
        constexpr std::uint32_t kMaxRefcountOrder = 6;
        const std::uint32_t length = number(field::kHeaderLength, 4);
        if (number(field::kRefcountOrder, 4) > kMaxRefcountOrder || length < kHeaderSize3 ||
            length % 8 != 0 || length > head_.size()) {
            refuse("is not a valid qcow2 image: the header is malformed");
        }
        constexpr std::uint32_t kZstd = 1;
        if (length > field::kCompressionType && number(field::kCompressionType, 1) > kZstd) {
            refuse("uses an unknown compression type");
        }
        return length;
    }

    void check_extensions(const Qcow2Header& header, std::size_t at) const {
        constexpr std::size_t kFields = 8; // type and length
        const std::uint64_t end =
            std::min<std::uint64_t>(std::uint64_t{1} << header.cluster_bits, head_.size());
        while (at + kFields <= end) {
            const std::uint32_t type = number(at, 4);
            const std::uint64_t length = number(at + 4, 4);
            at += kFields;
            if (type == extension::kEnd) {
                return;
            }
            if (length > end - at) {
                refuse("is not a valid qcow2 image: a header extension is out of bounds");
            }
            check_extension(type);
            at += static_cast<std::size_t>((length + 7) / 8 * 8);
        }
    }

    /// The specification lets readers ignore what they do not know.
    void check_extension(std::uint32_t type) const {
        switch (type) {
        case extension::kExternalData:
            refuse_reference("external data file");
        case extension::kBackingFormat:
            refuse_reference("backing file format");
        case extension::kEncryption:
            refuse("is encrypted");
        case extension::kFeatureNames:
        case extension::kBitmaps:
        default:
            return;
        }
    }

    Bytes head_;
    std::uint64_t file_size_;
    std::string_view name_;
};

} // namespace

Qcow2Header parse_qcow2_header(Bytes head, std::uint64_t file_size, std::string_view name) {
    return HeaderParser(head, file_size, name).parse();
}

} // namespace kiln
