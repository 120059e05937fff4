// SPDX-License-Identifier: MIT
#include "disk/fat/fat_name.hpp"

#include "base/byte_order.hpp"
#include "base/error.hpp"
#include "tree/file_tree.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <optional>
#include <utility>

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

namespace {

std::optional<ShortName> try_short_name(std::string_view name) {
    const std::size_t dot = name.find('.');
    std::string base(name.substr(0, dot));
    std::string extension(dot == std::string_view::npos ? "" : name.substr(dot + 1));
    bool base_lower = false;
    bool extension_lower = false;
    const bool has_extension = dot == std::string_view::npos || !extension.empty();
    if (base.empty() || base.size() > 8 || extension.size() > 3 || !has_extension ||
        !std::ranges::all_of(base + extension, is_name_char) || !fold_case(base, base_lower) ||
        !fold_case(extension, extension_lower)) {
        return std::nullopt;
    }
    return ShortName{
        fmt::format("{:8}{:3}", base, extension),
        static_cast<std::uint8_t>(
            (base_lower ? kLowerBase : 0) | (extension_lower ? kLowerExtension : 0))};
}

/// The first `most` characters that an 8.3 name may have, in upper case.
std::string short_part(std::string_view text, std::size_t most) {
    std::string out;
    for (const char c : text) {
        if (is_name_char(c) && out.size() < most) {
            out += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        }
    }
    return out;
}

bool is_long_name_char(char c) {
    constexpr std::string_view kForbidden = "\"*/:<>?\\|";
    return c >= ' ' && c <= '~' && kForbidden.find(c) == std::string_view::npos;
}

} // namespace

bool has_short_name(std::string_view path) {
    return try_short_name(base_name(path)).has_value();
}

ShortName short_name(std::string_view path) {
    std::optional<ShortName> name = try_short_name(base_name(path));
    if (!name) {
        throw Error(fmt::format("'/{}' is not a valid 8.3 file name for FAT", path))
            .with_hint("use up to 8 characters, a dot and up to 3 characters, each part all upper "
                       "or all lower case");
    }
    return *name;
}

ShortName
alias_name(std::string_view path, const std::function<bool(const std::string&)>& is_taken) {
    constexpr std::size_t kLongest = 255;
    const std::string_view name = base_name(path);
    if (name.size() > kLongest || name.ends_with('.') || name.ends_with(' ') ||
        !std::ranges::all_of(name, is_long_name_char)) {
        throw Error(fmt::format("'/{}' is not a valid file name for FAT", path));
    }
    const std::size_t dot = name.rfind('.');
    const std::string extension =
        dot == std::string_view::npos ? "" : short_part(name.substr(dot + 1), 3);
    for (unsigned number = 1;; ++number) {
        const std::string tail = fmt::format("~{}", number);
        const std::string base = short_part(name.substr(0, dot), 8 - tail.size()) + tail;
        std::string padded = fmt::format("{:8}{:3}", base, extension);
        if (!is_taken(padded)) {
            return {std::move(padded), 0};
        }
    }
}

/// As Microsoft's specification of FAT (fatgen103) describes them, pages 28 to 30.
std::vector<FatRecord> long_name_records(std::string_view name, const ShortName& alias) {
    constexpr std::size_t kPerRecord = 13;
    constexpr std::array<std::size_t, kPerRecord> kPlaces{
        1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};
    constexpr std::uint8_t kAttributeLongName = 0x0f;
    constexpr std::uint8_t kLastRecord = 0x40;
    std::uint8_t sum = 0;
    for (const char c : alias.padded) {
        sum = static_cast<std::uint8_t>(
            ((sum & 1U) << 7U) + (sum >> 1U) + static_cast<unsigned char>(c));
    }
    const std::size_t count = (name.size() + kPerRecord - 1) / kPerRecord;
    std::vector<FatRecord> records;
    for (std::size_t part = count; part-- > 0;) {
        FatRecord& record = records.emplace_back();
        put_le(record, 0, (part + 1) | (part + 1 == count ? kLastRecord : 0), 1);
        put_le(record, 11, kAttributeLongName, 1);
        put_le(record, 13, sum, 1);
        for (std::size_t i = 0; i < kPerRecord; ++i) {
            const std::size_t at = part * kPerRecord + i;
            const unsigned value = at < name.size()    ? static_cast<unsigned char>(name[at])
                                   : at == name.size() ? 0U
                                                       : 0xffffU;
            put_le(record, kPlaces.at(i), value, 2);
        }
    }
    return records;
}

} // namespace kiln
