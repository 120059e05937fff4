// SPDX-License-Identifier: MIT
#include "recipe/yaml/value.hpp"

#include "base/error.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace kiln {

namespace {

const Value* find_in(const std::vector<Member>& members, std::string_view key) {
    const auto found = std::ranges::find(members, key, &Member::key);
    return found == members.end() ? nullptr : &found->value;
}

} // namespace

Value Value::of_string(std::string text, SourcePos pos) {
    Value value;
    value.kind_ = Kind::string;
    value.text_ = std::move(text);
    value.pos_ = std::move(pos);
    return value;
}

Value Value::of_integer(std::int64_t integer, SourcePos pos) {
    Value value;
    value.kind_ = Kind::integer;
    value.integer_ = integer;
    value.pos_ = std::move(pos);
    return value;
}

Value Value::of_boolean(bool boolean, SourcePos pos) {
    Value value;
    value.kind_ = Kind::boolean;
    value.integer_ = boolean ? 1 : 0;
    value.pos_ = std::move(pos);
    return value;
}

Value Value::of_list(std::vector<Value> items, SourcePos pos) {
    Value value;
    value.kind_ = Kind::list;
    value.items_ = std::move(items);
    value.pos_ = std::move(pos);
    return value;
}

Value Value::of_map(std::vector<Member> members, SourcePos pos, Defaults defaults) {
    Value value;
    value.kind_ = Kind::map;
    value.members_ = std::move(members);
    value.defaults_ = std::move(defaults);
    value.pos_ = std::move(pos);
    return value;
}

const std::string& Value::as_string() const {
    KILN_CHECK(kind_ == Kind::string);
    return text_;
}

std::int64_t Value::as_integer() const {
    KILN_CHECK(kind_ == Kind::integer);
    return integer_;
}

bool Value::as_boolean() const {
    KILN_CHECK(kind_ == Kind::boolean);
    return integer_ != 0;
}

std::span<const Value> Value::as_list() const {
    KILN_CHECK(kind_ == Kind::list);
    return items_;
}

std::span<const Member> Value::members() const {
    KILN_CHECK(kind_ == Kind::map);
    return members_;
}

std::vector<std::string> Value::as_strings() const {
    std::vector<std::string> out;
    for (const Value& item : as_list()) {
        out.push_back(item.as_string());
    }
    return out;
}

const Value* Value::find(std::string_view key) const {
    return find_in(members_, key);
}

const Value& Value::at(std::string_view key) const {
    const Value* value = find(key);
    if (value == nullptr && defaults_ != nullptr) {
        value = find_in(*defaults_, key);
    }
    KILN_CHECK(value != nullptr);
    return *value;
}

std::string Value::string_or_empty(std::string_view key) const {
    const Value* value = find(key);
    return value == nullptr ? std::string() : value->as_string();
}

std::vector<std::string> Value::strings_or_empty(std::string_view key) const {
    const Value* value = find(key);
    return value == nullptr ? std::vector<std::string>() : value->as_strings();
}

void Value::copy_given(std::string_view key, std::string& to) const {
    if (const Value* value = find(key)) {
        to = value->as_string();
    }
}

Value Value::without(std::span<const std::string_view> keys) const {
    std::vector<Member> kept;
    for (const Member& member : members()) {
        if (std::find(keys.begin(), keys.end(), member.key) == keys.end()) {
            kept.push_back(member);
        }
    }
    return of_map(std::move(kept), pos_, defaults_);
}

nlohmann::json Value::to_json() const {
    switch (kind_) {
    case Kind::none:
        return nullptr;
    case Kind::string:
        return text_;
    case Kind::integer:
        return integer_;
    case Kind::boolean:
        return integer_ != 0;
    case Kind::list: {
        nlohmann::json out = nlohmann::json::array();
        for (const Value& item : items_) {
            out.push_back(item.to_json());
        }
        return out;
    }
    case Kind::map: {
        nlohmann::json out = nlohmann::json::object();
        for (const Member& member : members_) {
            out[member.key] = member.value.to_json();
        }
        return out;
    }
    }
    return nullptr;
}

std::string Value::canonical() const {
    return to_json().dump();
}

} // namespace kiln
