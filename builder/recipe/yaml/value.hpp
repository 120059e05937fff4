// SPDX-License-Identifier: MIT
//
// Data that has been checked against a Shape: typed, with the place of every key and value. Only
// what the file says is in it; defaults are the reader's business (`string_or` and its like).
#pragma once

#include "base/diagnostics.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

struct Member;

class Value {
  public:
    enum class Kind { none, string, integer, boolean, list, map };

    Value() = default;
    [[nodiscard]] static Value of_string(std::string text, SourcePos pos);
    /// Also sizes (bytes), file modes (permission bits) and durations (milliseconds).
    [[nodiscard]] static Value of_integer(std::int64_t integer, SourcePos pos);
    [[nodiscard]] static Value of_boolean(bool boolean, SourcePos pos);
    [[nodiscard]] static Value of_list(std::vector<Value> items, SourcePos pos);
    [[nodiscard]] static Value of_map(std::vector<Member> members, SourcePos pos);

    [[nodiscard]] Kind kind() const noexcept { return kind_; }

    [[nodiscard]] const SourcePos& pos() const noexcept { return pos_; }

    /// Each ends the program as a bug (exit code 70) when the value is of another kind: the Shape
    /// has promised it.
    [[nodiscard]] const std::string& as_string() const;
    [[nodiscard]] std::int64_t as_integer() const;
    [[nodiscard]] bool as_boolean() const;
    [[nodiscard]] std::span<const Value> as_list() const;
    /// Members of a map in the order of the file.
    [[nodiscard]] std::span<const Member> members() const;
    /// A list of strings, copied.
    [[nodiscard]] std::vector<std::string> as_strings() const;

    /// The value under a key of a map, or null.
    [[nodiscard]] const Value* find(std::string_view key) const;
    /// The value under a key that the Shape requires.
    [[nodiscard]] const Value& at(std::string_view key) const;

    [[nodiscard]] bool contains(std::string_view key) const { return find(key) != nullptr; }

    /// The value under a key of a map, or what holds when the key is not given.
    [[nodiscard]] std::string string_or(std::string_view key, std::string_view fallback) const;
    [[nodiscard]] std::int64_t integer_or(std::string_view key, std::int64_t fallback) const;
    [[nodiscard]] bool boolean_or(std::string_view key, bool fallback) const;
    [[nodiscard]] std::vector<std::string> strings_or_empty(std::string_view key) const;

    /// A map without some of its keys.
    [[nodiscard]] Value without(std::span<const std::string_view> keys) const;

    /// REPRO: JSON without spaces, keys sorted bytewise, positions left out. Cache keys are made of
    /// it, so equal data gives equal bytes however the file was laid out.
    [[nodiscard]] std::string canonical() const;
    [[nodiscard]] nlohmann::json to_json() const;

  private:
    Kind kind_ = Kind::none;
    SourcePos pos_;
    std::string text_;
    std::int64_t integer_ = 0;
    std::vector<Value> items_;
    std::vector<Member> members_;
};

struct Member {
    std::string key;
    SourcePos key_pos;
    Value value;
};

} // namespace kiln
