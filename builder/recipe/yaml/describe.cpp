// SPDX-License-Identifier: MIT
#include "base/text.hpp"
#include "recipe/yaml/shape.hpp"

#include <fmt/format.h>

#include <limits>
#include <vector>

namespace kiln {

namespace {

std::string describe_range(const Shape& shape) {
    const bool open = shape.maximum == std::numeric_limits<std::int64_t>::max();
    if (open && shape.minimum == std::numeric_limits<std::int64_t>::min()) {
        return "a whole number";
    }
    if (shape.minimum == shape.maximum) {
        return fmt::format("the number {}", shape.minimum);
    }
    return open ? fmt::format("a whole number from {}", shape.minimum)
                : fmt::format("a whole number from {} to {}", shape.minimum, shape.maximum);
}

std::string describe_size(const Shape& shape) {
    const bool open = shape.maximum == std::numeric_limits<std::int64_t>::max();
    if (open && shape.minimum == 0) {
        return "a size such as 512MiB";
    }
    return open ? fmt::format(
                      "a size from {}", format_size(static_cast<std::uint64_t>(shape.minimum)))
                : fmt::format(
                      "a size from {} to {}",
                      format_size(static_cast<std::uint64_t>(shape.minimum)),
                      format_size(static_cast<std::uint64_t>(shape.maximum)));
}

} // namespace

std::string describe(const Shape& shape) {
    switch (shape.kind) {
    case ShapeKind::string:
        return shape.pattern == nullptr ? "text" : std::string(shape.pattern->what);
    case ShapeKind::integer:
        return describe_range(shape);
    case ShapeKind::boolean:
        return "true or false";
    case ShapeKind::size:
        return describe_size(shape);
    case ShapeKind::duration:
        return "a duration such as 30s";
    case ShapeKind::file_mode:
        return "a file mode such as 0644";
    case ShapeKind::choice:
        return shape.choices.size() == 1
                   ? fmt::format("'{}'", shape.choices.front())
                   : fmt::format("one of '{}'", fmt::join(shape.choices, "', '"));
    case ShapeKind::list:
        return fmt::format("a list, each entry {}", describe(*shape.element));
    case ShapeKind::map:
        return fmt::format(
            "a map, each key {}, each value {}", shape.pattern->what, describe(*shape.element));
    case ShapeKind::object: {
        std::vector<std::string_view> keys;
        for (const Field& field : shape.fields) {
            keys.push_back(field.name);
        }
        constexpr std::size_t kFew = 5;
        return keys.size() > kFew ? "a map"
                                  : fmt::format("a map with '{}'", fmt::join(keys, "', '"));
    }
    case ShapeKind::deferred:
        return fmt::format("a list of {}", shape.name);
    case ShapeKind::one_of: {
        std::vector<std::string> parts;
        for (const Shape* variant : shape.variants) {
            parts.push_back(describe(*variant));
        }
        return join(parts, " or ");
    }
    }
    return {};
}

} // namespace kiln
