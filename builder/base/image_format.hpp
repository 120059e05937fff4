// SPDX-License-Identifier: MIT
//
// The forms in which images are shipped: one row for each, which everybody else reads. How a form
// is written is said in bake/writers.hpp, how it is recognised and read in verify/inspect.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace kiln {

/// In the order in which they are listed and looked for.
enum class ImageFormat { docker, oci, tar, qcow2, raw, raw_gz, raw_zst };

/// What an image holds: a bootable disk, or the tree of a container with its configuration.
enum class ImageSide { disk, container };

struct ImageFormatInfo {
    ImageFormat format;
    std::string_view name;   ///< in recipes, options and records
    std::string_view suffix; ///< of a result, after the recipe's name
    ImageSide side;
    std::string_view article; ///< for messages: "a qcow2 disk"
    bool is_directory = false;
    bool is_compressed = false; ///< a raw disk in a compressed stream
    bool runs = true;           ///< `kiln run` starts it as it is
};

inline constexpr auto kImageFormats = std::to_array<ImageFormatInfo>({
    {ImageFormat::docker, "docker", ".docker.tar", ImageSide::container, "a docker archive"},
    {.format = ImageFormat::oci,
     .name = "oci",
     .suffix = ".oci",
     .side = ImageSide::container,
     .article = "an OCI layout directory",
     .is_directory = true},
    {.format = ImageFormat::tar,
     .name = "tar",
     .suffix = ".tar",
     .side = ImageSide::container,
     .article = "a tar archive of a root file system",
     .runs = false},
    {ImageFormat::qcow2, "qcow2", ".qcow2", ImageSide::disk, "a qcow2 disk"},
    {ImageFormat::raw, "raw", ".raw", ImageSide::disk, "a raw disk"},
    {.format = ImageFormat::raw_gz,
     .name = "raw.gz",
     .suffix = ".raw.gz",
     .side = ImageSide::disk,
     .article = "a raw disk, gzip-compressed",
     .is_compressed = true,
     .runs = false},
    {.format = ImageFormat::raw_zst,
     .name = "raw.zst",
     .suffix = ".raw.zst",
     .side = ImageSide::disk,
     .article = "a raw disk, zstd-compressed",
     .is_compressed = true,
     .runs = false},
});

static_assert(
    [] {
        for (std::size_t i = 0; i < kImageFormats.size(); ++i) {
            if (kImageFormats.at(i).format != static_cast<ImageFormat>(i)) {
                return false;
            }
        }
        return true;
    }(),
    "the rows are in the order of the enumeration");

[[nodiscard]] constexpr const ImageFormatInfo& info_of(ImageFormat format) {
    return kImageFormats.at(static_cast<std::size_t>(format));
}

[[nodiscard]] constexpr std::string_view name_of(ImageFormat format) {
    return info_of(format).name;
}

[[nodiscard]] constexpr bool is_disk(ImageFormat format) {
    return info_of(format).side == ImageSide::disk;
}

[[nodiscard]] constexpr std::optional<ImageFormat> find_image_format(std::string_view name) {
    for (const ImageFormatInfo& info : kImageFormats) {
        if (info.name == name) {
            return info.format;
        }
    }
    return std::nullopt;
}

namespace image_format_names {

template <typename Wanted> constexpr std::size_t count_of(Wanted wanted) {
    std::size_t count = 0;
    for (const ImageFormatInfo& info : kImageFormats) {
        count += wanted(info) ? 1U : 0U;
    }
    return count;
}

constexpr bool any(const ImageFormatInfo& /*info*/) {
    return true;
}

constexpr bool of_disks(const ImageFormatInfo& info) {
    return info.side == ImageSide::disk;
}

constexpr bool of_containers(const ImageFormatInfo& info) {
    return info.side == ImageSide::container;
}

template <auto Wanted> constexpr auto list() {
    std::array<std::string_view, count_of(Wanted)> names{};
    std::size_t at = 0;
    for (const ImageFormatInfo& info : kImageFormats) {
        if (Wanted(info)) {
            names.at(at++) = info.name;
        }
    }
    return names;
}

} // namespace image_format_names

/// Names of all formats, and of those of each side, for options and shapes.
inline constexpr auto kImageFormatNames = image_format_names::list<image_format_names::any>();
inline constexpr auto kDiskFormatNames = image_format_names::list<image_format_names::of_disks>();
inline constexpr auto kContainerFormatNames =
    image_format_names::list<image_format_names::of_containers>();

} // namespace kiln
