// SPDX-License-Identifier: MIT
//
// JSON from images, registries and programs: parsed within limits, and read with messages that say
// which key of which file is wrong. The reader of JSON that people edit is strict_json.hpp.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

/// No JSON file of an image has a reason to be larger.
inline constexpr std::uint64_t kMaxJsonBytes = std::uint64_t{8} << 20U;

/// What is wrong with JSON, such as "syntax error at line 1, column 7"; empty when it is fine.
/// Wrong are syntax faults, text that is not UTF-8, keys that occur twice in an object, nesting
/// beyond 64 levels, numbers that no type holds, and more bytes or keys than any image has.
[[nodiscard]] std::string json_fault(std::string_view text);
/// Throws Error "malformed JSON in 'WHAT': ..." for text that has a fault.
[[nodiscard]] nlohmann::ordered_json parse_json(std::string_view text, std::string_view what);

/// A view of one object. Getters throw Error "'KEY' of WHAT must be ..." or "WHAT has no 'KEY'";
/// those with a default take a missing or null value for it. Unknown keys are ignored.
class JsonObject {
  public:
    /// `value` must outlive this. Throws Error when it is not an object.
    JsonObject(const nlohmann::ordered_json& value, std::string what);

    [[nodiscard]] bool has(std::string_view key) const { return find(key) != nullptr; }

    [[nodiscard]] std::string text(std::string_view key) const;
    [[nodiscard]] std::string text_or_empty(std::string_view key) const;
    [[nodiscard]] std::uint64_t number(std::string_view key) const;
    [[nodiscard]] std::uint64_t number_or(std::string_view key, std::uint64_t fallback) const;
    /// Signed, 0 when it is missing.
    [[nodiscard]] std::int64_t integer_or_zero(std::string_view key) const;
    [[nodiscard]] bool flag(std::string_view key) const;
    [[nodiscard]] std::vector<std::string> texts(std::string_view key) const;
    [[nodiscard]] std::vector<std::string> texts_or_empty(std::string_view key) const;
    [[nodiscard]] std::map<std::string, std::string> text_map(std::string_view key) const;
    /// Keys of an object (which represents a set); empty when it is missing.
    [[nodiscard]] std::set<std::string> keys(std::string_view key) const;

    [[nodiscard]] JsonObject object(std::string_view key) const;
    /// The items of a list of objects.
    [[nodiscard]] std::vector<JsonObject> objects(std::string_view key) const;
    [[nodiscard]] std::vector<JsonObject> objects_or_empty(std::string_view key) const;

    [[nodiscard]] const std::string& what() const noexcept { return what_; }

  private:
    [[nodiscard]] const nlohmann::ordered_json* find(std::string_view key) const;
    [[nodiscard]] const nlohmann::ordered_json& require(std::string_view key) const;
    [[noreturn]] void wrong_type(std::string_view key, std::string_view wanted) const;

    const nlohmann::ordered_json* value_;
    std::string what_;
};

/// Items of a list that is a separate document. Throws Error when it is none.
[[nodiscard]] std::vector<JsonObject>
json_objects(const nlohmann::ordered_json& value, const std::string& what);

} // namespace kiln
