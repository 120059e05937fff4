// SPDX-License-Identifier: MIT
//
// Names and times as FAT directories store them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kiln {

/// In steps of 2 s.
struct DosTime {
    std::uint16_t date = 0;
    std::uint16_t time = 0;
};

/// REPRO: FAT's local time is UTC here, and what it cannot express goes to the nearest end.
[[nodiscard]] DosTime dos_time(std::int64_t seconds);

/// An 8.3 name as a directory stores it.
struct ShortName {
    std::string padded; ///< 11 upper-case characters
    std::uint8_t case_flags = 0;
};

/// Of the last part of `path`. Throws Error when that is not 8.3 or mixes cases within a part.
[[nodiscard]] ShortName short_name(std::string_view path);

} // namespace kiln
