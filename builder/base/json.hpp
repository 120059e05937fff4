// SPDX-License-Identifier: MIT
//
// JSON that kiln writes for programs and reads back from its own folders: never throws what
// nlohmann::json throws. (Locks, which people touch, have lock/strict_json.hpp.)
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kiln {

/// The text of a value. Bytes that are not valid UTF-8 (file names may hold any) become U+FFFD.
[[nodiscard]] std::string json_text(const nlohmann::ordered_json& json, int indent = 2);
[[nodiscard]] std::string json_text(const nlohmann::json& json, int indent = 2);

/// The object that `text` is; nothing when it is anything else.
[[nodiscard]] std::optional<nlohmann::json> parse_json_object(std::string_view text);

/// A member of an object; null when there is none.
[[nodiscard]] const nlohmann::json* json_member(const nlohmann::json& object, const char* key);
/// Members of a type; nothing when there is none or it is of another one.
[[nodiscard]] std::optional<std::string> json_string(const nlohmann::json& object, const char* key);
[[nodiscard]] std::optional<std::uint64_t>
json_unsigned(const nlohmann::json& object, const char* key);
[[nodiscard]] std::optional<double> json_number(const nlohmann::json& object, const char* key);

} // namespace kiln
