// SPDX-License-Identifier: MIT
#include "cli/options/results_argument.hpp"

#include "base/error.hpp"
#include "verify/inspect/image_detect.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace kiln {

namespace {

bool is_name(const std::string& argument) {
    return argument.find('/') == std::string::npos && !fs::exists(argument);
}

bool is_folder_of_results(const fs::path& path) {
    return fs::is_directory(path) && !fs::exists(path / "oci-layout") &&
           !fs::exists(path / "index.json");
}

bool is_container(ImageFormat format) {
    return format == ImageFormat::oci || format == ImageFormat::docker;
}

/// The first that fits: a layout before an archive of it, a qcow2 before a raw disk.
std::vector<ImageFormat> order_of_choice() {
    return {
        ImageFormat::oci,
        ImageFormat::docker,
        ImageFormat::qcow2,
        ImageFormat::raw_zst,
        ImageFormat::raw_gz,
        ImageFormat::raw};
}

/// Files of a folder whose name ends like results of that format; there is one for each recipe.
std::vector<fs::path> results_of(const fs::path& folder, ImageFormat format) {
    std::vector<fs::path> out;
    for (const auto& entry : fs::directory_iterator(folder)) {
        const std::string name = entry.path().filename().string();
        const bool fits = name.ends_with(info_of(format).suffix) && !name.starts_with('.');
        if (fits && entry.is_directory() == info_of(format).is_directory) {
            out.push_back(entry.path());
        }
    }
    std::sort(out.begin(), out.end());
    return out;
}

void take_from_folder(
    const fs::path& folder, std::optional<ImageFormat> wanted, ImageResults& results) {
    for (const ImageFormat format : order_of_choice()) {
        std::optional<ImageResult>& place = is_container(format) ? results.container : results.disk;
        if (place || (wanted && *wanted != format)) {
            continue;
        }
        const std::vector<fs::path> found = results_of(folder, format);
        if (found.size() > 1) {
            throw UsageError(fmt::format(
                                 "'{}' holds the results of several recipes: {} and {}",
                                 folder.string(),
                                 found.at(0).filename().string(),
                                 found.at(1).filename().string()))
                .with_hint("give the path of the image");
        }
        if (!found.empty()) {
            place = ImageResult{found.front(), format};
        }
    }
}

} // namespace

ImageResults find_results(
    const std::string& argument, std::optional<ImageFormat> wanted, const fs::path& folder) {
    ImageResults results;
    results.shown = argument;
    const fs::path path = is_name(argument) ? folder / argument : fs::path(argument);
    if (is_name(argument) && !fs::is_directory(path)) {
        throw UsageError(fmt::format("no image of '{}' in '{}'", argument, path.string()))
            .with_hint(fmt::format(
                "run 'kiln bake {}' to build it, or give the path of an image", argument));
    }
    if (is_folder_of_results(path)) {
        take_from_folder(path, wanted, results);
    } else {
        const ImageFormat format = detect_image_format(path);
        if (wanted && *wanted != format) {
            throw UsageError(fmt::format(
                "'{}' is {}, not {}", argument, info_of(format).article, info_of(*wanted).article));
        }
        if (is_container(format)) {
            results.container = ImageResult{path, format};
        } else if (is_disk(format)) {
            results.disk = ImageResult{path, format};
        } else {
            throw UsageError(fmt::format(
                "'{}' is {}, which cannot be published", argument, info_of(format).article));
        }
    }
    if (!results.container && !results.disk) {
        throw UsageError(fmt::format(
            "no {} in '{}'",
            wanted ? fmt::format("image of format '{}'", name_of(*wanted)) : "image",
            path.string()));
    }
    return results;
}

} // namespace kiln
