// SPDX-License-Identifier: MIT
#include "cli/options/stage_table.hpp"

#include "stages/stage.hpp"

namespace kiln {

std::span<const StageShape> stage_table() {
    return stage_shapes();
}

} // namespace kiln
