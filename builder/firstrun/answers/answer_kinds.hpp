// SPDX-License-Identifier: MIT
//
// What the kinds of answers accept, and the one form in which a good value is kept.
#pragma once

#include "firstrun/answers/answer_table.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace kiln::firstrun {

/// A value in its kept form (lists: one entry a line), or what is wrong with it. Fault texts never
/// repeat the value of a secret.
struct CheckedValue {
    std::string value;
    std::string fault; ///< empty: the value is good
};

[[nodiscard]] CheckedValue check_value(const KeySpec& spec, std::string_view text);

/// "50G", "512M", "64MiB" to bytes; 0 when it is not a size.
[[nodiscard]] std::uint64_t size_in_bytes(std::string_view text);
[[nodiscard]] bool is_host_name(std::string_view text);
/// An IPv4 or IPv6 address in numbers.
[[nodiscard]] bool is_ip_address(std::string_view text);
/// Text of a key or certificate rather than the path of a file.
[[nodiscard]] bool is_pem_text(std::string_view text);

} // namespace kiln::firstrun
