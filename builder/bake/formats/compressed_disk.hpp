// SPDX-License-Identifier: MIT
//
// What the compressed forms of a raw disk have in common.
#pragma once

#include "bake/formats/writers.hpp"
#include "base/io/stream.hpp"

#include <string>

namespace kiln {

/// Writes the raw disk `input.base` to `sink`, holes as zeros, and finishes it. `what` is the job's
/// name on the console.
void copy_disk(const WriteInput& input, const std::string& what, Sink& sink);

} // namespace kiln
