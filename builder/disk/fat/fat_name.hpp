// SPDX-License-Identifier: MIT
//
// Names and times as FAT directories store them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

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
[[nodiscard]] bool has_short_name(std::string_view path);

/// The 8.3 name beside a long one: "USER-D~1". `is_taken` tells which are in use in the directory.
/// Throws Error when the last part of `path` cannot be a long name, either.
[[nodiscard]] ShortName
alias_name(std::string_view path, const std::function<bool(const std::string&)>& is_taken);

using FatRecord = std::array<std::byte, 32>;

/// The records of a long name in the order in which they stand before its alias.
[[nodiscard]] std::vector<FatRecord>
long_name_records(std::string_view name, const ShortName& alias);

} // namespace kiln
