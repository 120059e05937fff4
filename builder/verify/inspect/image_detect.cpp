// SPDX-License-Identifier: MIT
#include "verify/inspect/image_detect.hpp"

#include "archive/archive_reader.hpp"
#include "base/error.hpp"
#include "base/io/beneath.hpp"
#include "base/text.hpp"
#include "disk/foreign_disk.hpp"
#include "verify/read/read_fully.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace kiln {

namespace {

// RFC 1952, RFC 8878, the .xz file format 1.1, POSIX.1-1988 ustar.
constexpr std::string_view kGzip = "\x1f\x8b";
constexpr std::string_view kZstd = "\x28\xb5\x2f\xfd";
constexpr std::string_view kXz("\xfd\x37\x7a\x58\x5a\0", 6);
constexpr std::string_view kTar = "ustar";
constexpr std::size_t kTarMagicAt = 257;

constexpr std::size_t kSector = 512;
using Head = std::array<std::byte, 2 * kSector>;

/// The first bytes of a stream; fewer when it ends before.
std::string_view read_head(Source& source, Head& head) {
    return as_text(std::span(head).first(read_fully(source, head)));
}

bool is_tar(std::string_view head) {
    return head.size() >= kSector && head.substr(kTarMagicAt).starts_with(kTar);
}

bool is_partitioned(std::string_view head) {
    constexpr std::string_view kMbrSignature = "\x55\xaa";
    return head.size() == Head().size() && head.substr(kSector - 2).starts_with(kMbrSignature);
}

bool is_of_root(std::string_view path) {
    constexpr auto kFolders = std::to_array<std::string_view>({"bin", "boot", "etc", "usr", "var"});
    const std::string_view top = path.substr(0, path.find('/'));
    return std::ranges::find(kFolders, top) != kFolders.end();
}

/// Whether one of the first members is of a root file system. Those of a docker archive are
/// manifests, blobs and folders named by digests.
bool is_root_tar(const fs::path& image) {
    constexpr int kEnough = 64;
    FileSource source(image);
    ArchiveReader reader(source, image.string());
    for (int i = 0; i < kEnough; ++i) {
        const auto member = reader.next();
        if (!member) {
            break;
        }
        if (is_of_root(member->path)) {
            return true;
        }
    }
    return false;
}

bool is_compressed_disk(const fs::path& image) {
    FileSource source(image);
    DecompressSource plain(source, image.string());
    Head head{};
    return is_partitioned(read_head(plain, head));
}

/// `if_disk` is what it is when it holds no archive but a disk. What is damaged counts as a docker
/// archive: whoever reads it says what is wrong.
ImageFormat kind_of_archive(const fs::path& image, std::optional<ImageFormat> if_disk) {
    try {
        if (if_disk && is_compressed_disk(image)) {
            return *if_disk;
        }
        return is_root_tar(image) ? ImageFormat::tar : ImageFormat::docker;
    } catch (const Error&) {
        return ImageFormat::docker;
    }
}

} // namespace

ImageFormat detect_image_format(const fs::path& image) {
    if (fs::is_directory(image)) {
        if (fs::exists(image / "oci-layout")) {
            return ImageFormat::oci;
        }
        throw Error(fmt::format("'{}' is a directory, but not an OCI image layout", image.string()))
            .with_hint("an image is a qcow2 or raw disk, an OCI layout directory or a docker "
                       "archive");
    }
    Head bytes{};
    RegularFile file(image);
    const std::string_view head = read_head(file, bytes);
    if (head.starts_with(kGzip)) {
        return kind_of_archive(image, ImageFormat::raw_gz);
    }
    if (head.starts_with(kZstd)) {
        return kind_of_archive(image, ImageFormat::raw_zst);
    }
    return is_tar(head) || head.starts_with(kXz) ? kind_of_archive(image, std::nullopt)
                                                 : detect_disk_format(image);
}

void require_readable_disk(const fs::path& image, ImageFormat format) {
    if (info_of(format).is_compressed) {
        throw Error(fmt::format(
                        "'{}' is {}; decompress it first",
                        printable(image.string()),
                        info_of(format).article))
            .with_hint(
                format == ImageFormat::raw_zst ? "run 'zstd -dk' to decompress it"
                                               : "run 'gzip -dk' to decompress it");
    }
}

} // namespace kiln
