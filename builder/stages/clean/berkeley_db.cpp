// SPDX-License-Identifier: MIT
#include "stages/clean/berkeley_db.hpp"

#include "base/byte_order.hpp"
#include "base/io/digest.hpp"
#include "base/io/stream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace kiln {

namespace {

constexpr std::size_t kMagicAt = 12;
constexpr std::size_t kPageSizeAt = 20;
constexpr std::size_t kTypeAt = 25;
constexpr std::size_t kCipherAt = 24;
constexpr std::size_t kFlagsAt = 26;
constexpr std::size_t kItemsAt = 20;
constexpr std::size_t kBeginAt = 22;
constexpr std::size_t kOffsetsAt = 26;
constexpr std::size_t kIdAt = 52;
constexpr std::size_t kIdBytes = 20;
constexpr std::uint32_t kHashMagic = 0x061561;
constexpr std::uint32_t kBtreeMagic = 0x053162;
constexpr unsigned char kHashMeta = 8;
constexpr unsigned char kBtreeMeta = 9;
constexpr std::uint32_t kSmallestPage = 512;
constexpr std::uint32_t kLargestPage = 65536;

std::uint32_t number(std::string_view text, std::size_t at, std::size_t size = 4) {
    return static_cast<std::uint32_t>(get_le(as_byte_span(text), at, size));
}

bool is_metadata(std::string_view page) {
    const std::uint32_t magic = number(page, kMagicAt);
    const auto type = static_cast<unsigned char>(page[kTypeAt]);
    return (magic == kHashMagic && type == kHashMeta) ||
           (magic == kBtreeMagic && type == kBtreeMeta);
}

/// Hash pages unsorted (2) and sorted (13), inner (3) and leaf (5) pages of B-trees.
bool has_items(std::string_view page) {
    constexpr std::string_view kTypes = "\x02\x03\x05\x0d";
    return kTypes.find(page[kTypeAt]) != std::string_view::npos;
}

void clear_free_space(std::string& file, std::size_t page, std::size_t page_size) {
    const std::string_view content = std::string_view(file).substr(page, page_size);
    const std::size_t free = kOffsetsAt + std::size_t{2} * number(content, kItemsAt, 2);
    const std::size_t begin = number(content, kBeginAt, 2);
    // A full page of 64 KiB has 0 there, and nothing free.
    for (std::size_t at = free; at < std::min(begin, page_size); ++at) {
        file[page + at] = '\0';
    }
}

/// Keys and data lie next to each other from the page's end on, each behind a byte for its kind:
/// "...<kind>1700000000<kind>YP_LAST_MODIFIED", with a zero byte behind the time or without.
void set_alias_time(std::string& file, std::int64_t seconds) {
    constexpr std::string_view kKey = "YP_LAST_MODIFIED";
    const std::string time = fmt::format("{:010}", seconds);
    for (std::size_t key = file.find(kKey); key != std::string::npos;
         key = file.find(kKey, key + 1)) {
        for (const std::size_t gap : {std::size_t{1}, std::size_t{2}}) {
            if (key < gap + time.size()) {
                continue;
            }
            const auto begin = file.begin() + static_cast<std::ptrdiff_t>(key - gap - time.size());
            const auto end = begin + static_cast<std::ptrdiff_t>(time.size());
            if (std::all_of(begin, end, [](unsigned char c) { return std::isdigit(c) != 0; })) {
                std::ranges::copy(time, begin);
                break;
            }
        }
    }
}

} // namespace

std::optional<std::string>
berkeley_db_of(std::string_view file, std::string_view name, std::int64_t seconds) {
    if (file.size() < kSmallestPage || !is_metadata(file)) {
        return std::nullopt;
    }
    const std::uint32_t page_size = number(file, kPageSizeAt);
    const bool is_size = page_size >= kSmallestPage && page_size <= kLargestPage &&
                         (page_size & (page_size - 1)) == 0 && file.size() % page_size == 0;
    if (!is_size || file[kCipherAt] != 0 || (file[kFlagsAt] & 1) != 0) {
        return std::nullopt;
    }
    const Digest id = FieldHasher("berkeley-db-file-id").field("name", name).finish();
    std::string out(file);
    for (std::size_t page = 0; page < out.size(); page += page_size) {
        if (is_metadata(std::string_view(out).substr(page, page_size))) {
            for (std::size_t i = 0; i < kIdBytes; ++i) {
                out[page + kIdAt + i] = static_cast<char>(id.bytes()[i]);
            }
        } else if (has_items(std::string_view(out).substr(page, page_size))) {
            clear_free_space(out, page, page_size);
        }
    }
    set_alias_time(out, seconds);
    return out;
}

} // namespace kiln
