// SPDX-License-Identifier: MIT
//
// The version of kiln's output, which is an input of every image.
#pragma once

#include <cstdint>

namespace kiln {

/// Rises whenever kiln makes other bytes of the same inputs. Part of every key, lock and record.
inline constexpr std::uint64_t kOutputVersion = 5;

} // namespace kiln
