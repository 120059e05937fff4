// SPDX-License-Identifier: MIT
#include "bake/wanted_images.hpp"

#include "base/error.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>
#include <variant>

namespace kiln {

namespace {

ImageSide side_of(const ImageSpec& image) {
    return std::holds_alternative<DiskImageSpec>(image.form) ? ImageSide::disk
                                                             : ImageSide::container;
}

/// What a definition is made in unless the command line says otherwise.
std::vector<ImageFormat> defined_formats(const ImageSpec& image) {
    return std::visit([](const auto& form) { return form.formats; }, image.form);
}

bool has_definition(const Recipe& recipe, ImageFormat format) {
    return std::ranges::any_of(recipe.images, [&](const ImageSpec& image) {
        return side_of(image) == info_of(format).side;
    });
}

/// "it defines qcow2, raw": what --image may name.
std::string describe_images(const Recipe& recipe) {
    std::vector<std::string_view> names;
    for (const ImageFormatInfo& info : kImageFormats) {
        if (has_definition(recipe, info.format)) {
            names.push_back(info.name);
        }
    }
    return fmt::format("it defines {}", fmt::join(names, ", "));
}

} // namespace

WantedImages wanted_images(const Recipe& recipe, const std::vector<ImageFormat>& formats) {
    if (recipe.images.empty()) {
        throw Error(
            fmt::format("recipe '{}' defines no images", recipe.name), ExitCode::invalid_recipe)
            .with_hint("add image definitions under 'images:', such as ../images/qcow2.yaml");
    }
    for (const ImageFormat format : formats) {
        if (!has_definition(recipe, format)) {
            throw UsageError(fmt::format(
                                 "image format '{}' is not defined in recipe '{}' (--image)",
                                 name_of(format),
                                 recipe.name))
                .with_hint(describe_images(recipe));
        }
    }
    WantedImages out;
    for (const ImageSpec& image : recipe.images) {
        const ImageSide side = side_of(image);
        WantedImage wanted{&image, defined_formats(image)};
        if (!formats.empty()) {
            wanted.formats.clear();
            std::ranges::copy_if(formats, std::back_inserter(wanted.formats), [&](ImageFormat f) {
                return info_of(f).side == side;
            });
        }
        if (!wanted.formats.empty()) {
            (side == ImageSide::disk ? out.disks : out.containers).push_back(std::move(wanted));
        }
    }
    return out;
}

} // namespace kiln
