// SPDX-License-Identifier: MIT
//
// The keys of recipe and part files, as data.
#pragma once

#include "recipe/recipe.hpp"
#include "recipe/yaml/patterns.hpp"

#include <array>
#include <string_view>
#include <vector>

namespace kiln {

/// The keys that every stage item has beside its kind's own.
class StageItemShape {
  public:
    explicit StageItemShape(const StageShape& stage);
    StageItemShape(const StageItemShape&) = delete;
    StageItemShape& operator=(const StageItemShape&) = delete;
    ~StageItemShape() = default;

    [[nodiscard]] const Shape& shape() const noexcept { return shape_; }

  private:
    std::string name_;
    std::array<std::string_view, 1> kind_;
    Shape kind_shape_;
    std::vector<Field> fields_;
    Shape shape_;
};

inline constexpr auto kCommonStageKeys =
    std::to_array<std::string_view>({"stage", "name", "layer"});

/// A list of archives with their suites.
[[nodiscard]] const Shape& archives_shape();

/// `- part: FILE`
[[nodiscard]] const Shape& part_item_shape();

} // namespace kiln
