// SPDX-License-Identifier: MIT
#include "formats/fat_name.hpp"

#include "base/error.hpp"
#include "formats/file_tree.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <chrono>

namespace kiln {

namespace {

/// "NT reserved" bits that say which part is shown in lower case.
constexpr std::uint8_t kLowerBase = 0x08;
constexpr std::uint8_t kLowerExtension = 0x10;

bool is_name_char(char c) {
    constexpr std::string_view kOthers = "!#$%&'()-@^_`{}~";
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           kOthers.find(c) != std::string_view::npos;
}

/// Upper-cases one part in place; false when it mixes cases.
bool fold_case(std::string& part, bool& was_lower) {
    const auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
    const auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
    was_lower = std::ranges::any_of(part, is_lower);
    if (was_lower && std::ranges::any_of(part, is_upper)) {
        return false;
    }
    for (char& c : part) {
        c = is_lower(c) ? static_cast<char>(c - 'a' + 'A') : c;
    }
    return true;
}

} // namespace

DosTime dos_time(std::int64_t seconds) {
    using namespace std::chrono;
    constexpr std::int64_t k1980 = 315'532'800;
    constexpr std::int64_t k2107End = 4'354'819'198;
    const sys_seconds point{std::chrono::seconds{std::clamp(seconds, k1980, k2107End)}};
    const auto day = floor<days>(point);
    const year_month_day date{day};
    const hh_mm_ss time{point - day};
    const int packed_date = (static_cast<int>(date.year()) - 1980) << 9 |
                            static_cast<int>(static_cast<unsigned>(date.month())) << 5 |
                            static_cast<int>(static_cast<unsigned>(date.day()));
    const auto packed_time =
        time.hours().count() << 11 | time.minutes().count() << 5 | time.seconds().count() / 2;
    return {static_cast<std::uint16_t>(packed_date), static_cast<std::uint16_t>(packed_time)};
}

ShortName short_name(std::string_view path) {
    const std::string_view name = base_name(path);
    const std::size_t dot = name.find('.');
    std::string base(name.substr(0, dot));
    std::string extension(dot == std::string_view::npos ? "" : name.substr(dot + 1));
    bool base_lower = false;
    bool extension_lower = false;
    const bool has_extension = dot == std::string_view::npos || !extension.empty();
    if (base.empty() || base.size() > 8 || extension.size() > 3 || !has_extension ||
        !std::ranges::all_of(base + extension, is_name_char) || !fold_case(base, base_lower) ||
        !fold_case(extension, extension_lower)) {
        throw Error(fmt::format("'/{}' is not an 8.3 name, which FAT asks for", path))
            .with_hint("use up to 8 characters, a dot and up to 3, each part in one case");
    }
    return {
        fmt::format("{:8}{:3}", base, extension),
        static_cast<std::uint8_t>(
            (base_lower ? kLowerBase : 0) | (extension_lower ? kLowerExtension : 0))};
}

} // namespace kiln
