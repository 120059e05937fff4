// SPDX-License-Identifier: MIT
//
// Files that programs write with the time or with random ids inside, made the same on every bake.
#pragma once

#include "stages/stage_context.hpp"

namespace kiln {

/// Rewrites the known ones that the stage made: databases of Berkeley DB and Java's key store of
/// authorities. Files that are as they should be stay untouched.
void stabilize_files(const StageContext& context);

} // namespace kiln
