// SPDX-License-Identifier: MIT
//
// Data that has been checked against a Shape: typed, with the place of every key and value. Only
// what the file says is in it; the Shape's defaults are beside it, for at().
#pragma once

#include "base/diagnostics.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

struct Member;
/// What holds for keys of a map that a file does not give.
using Defaults = std::shared_ptr<const std::vector<Member>>;

class Value {
  public:
    enum class Kind { none, string, integer, boolean, list, map };

    Value() = default;
    [[nodiscard]] static Value of_string(std::string text, SourcePos pos);
    /// Also sizes (bytes), file modes (permission bits) and durations (milliseconds).
    [[nodiscard]] static Value of_integer(std::int64_t integer, SourcePos pos);
    [[nodiscard]] static Value of_boolean(bool boolean, SourcePos pos);
    [[nodiscard]] static Value of_list(std::vector<Value> items, SourcePos pos);
    [[nodiscard]] static Value
    of_map(std::vector<Member> members, SourcePos pos, Defaults defaults = nullptr);

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

    /// The value that the file gives under a key of a map, or null.
    [[nodiscard]] const Value* find(std::string_view key) const;
    /// The value under a key that the Shape requires, or else the Shape's default for it: that of
    /// its Field, or an empty map where the key is of an object that requires no keys.
    [[nodiscard]] const Value& at(std::string_view key) const;

    [[nodiscard]] bool contains(std::string_view key) const { return find(key) != nullptr; }

    /// Values under keys that are optional and have no default.
    [[nodiscard]] std::string string_or_empty(std::string_view key) const;
    [[nodiscard]] std::vector<std::string> strings_or_empty(std::string_view key) const;

    /// Copies the value that the file gives under a key, if it gives one.
    void copy_given(std::string_view key, std::string& to) const;

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
    Defaults defaults_;
};

struct Member {
    std::string key;
    SourcePos key_pos;
    Value value;
};

} // namespace kiln
