// SPDX-License-Identifier: MIT
#include "base/json_object.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <unordered_set>

namespace kiln {

namespace {

using Json = nlohmann::ordered_json;

constexpr int kMaxDepth = 64;
/// ordered_json looks keys up one by one: time is the product of these two.
constexpr std::size_t kMaxKeys = 65536;
constexpr std::size_t kMaxKeysOfObject = 4096;

/// "line 3, column 7" of a byte, counted from 1.
std::string place_of(std::string_view text, std::size_t byte) {
    const std::string_view before = text.substr(0, std::min(byte == 0 ? 0 : byte - 1, text.size()));
    const std::size_t line_begin = before.rfind('\n') + 1; // npos + 1 is 0
    return fmt::format(
        "line {}, column {}",
        std::count(before.begin(), before.end(), '\n') + 1,
        before.size() - line_begin + 1);
}

/// Reads the text without keeping it and ends at what the parser of documents would take and kiln
/// does not. That parser's own callback looks at all items of a list for each of them.
class Guard final : public nlohmann::json_sax<Json> {
  public:
    explicit Guard(std::string_view text) : text_(text) {}

    bool null() override { return true; }

    bool boolean(bool) override { return true; }

    bool number_integer(number_integer_t) override { return true; }

    bool number_unsigned(number_unsigned_t) override { return true; }

    bool number_float(number_float_t, const string_t&) override { return true; }

    bool string(string_t&) override { return true; }

    bool binary(binary_t&) override { return true; }

    bool start_object(std::size_t) override {
        keys_.emplace_back();
        return enter();
    }

    bool end_object() override {
        keys_.pop_back();
        --depth_;
        return true;
    }

    bool start_array(std::size_t) override { return enter(); }

    bool end_array() override {
        --depth_;
        return true;
    }

    bool key(string_t& key) override {
        if (++count_ > kMaxKeys || keys_.back().size() == kMaxKeysOfObject) {
            throw Error("too many keys");
        }
        if (!keys_.back().insert(key).second) {
            throw Error(fmt::format("duplicate key '{}'", excerpt(key)));
        }
        return true;
    }

    bool parse_error(
        std::size_t byte,
        const std::string& /*token*/,
        const nlohmann::detail::exception& error) override {
        if (dynamic_cast<const nlohmann::json::parse_error*>(&error) == nullptr) {
            throw Error("a number is out of range");
        }
        throw Error(fmt::format(
            "{} at {}",
            byte > text_.size() ? "unexpected end" : "syntax error",
            place_of(text_, byte)));
    }

  private:
    bool enter() {
        if (++depth_ > kMaxDepth) {
            throw Error(fmt::format("nested more than {} levels deep", kMaxDepth));
        }
        return true;
    }

    std::string_view text_;
    std::vector<std::unordered_set<std::string>> keys_;
    std::size_t count_ = 0;
    int depth_ = 0;
};

} // namespace

std::string json_fault(std::string_view text) {
    if (text.size() > kMaxJsonBytes) {
        return fmt::format(
            "{}, the limit is {}", format_size(text.size()), format_size(kMaxJsonBytes));
    }
    try {
        Guard guard(text);
        Json::sax_parse(text, &guard);
        return {};
    } catch (const Error& error) {
        return error.message();
    }
}

Json parse_json(std::string_view text, std::string_view what) {
    if (const std::string fault = json_fault(text); !fault.empty()) {
        throw Error(fmt::format("malformed JSON in '{}': {}", printable(what), fault));
    }
    return Json::parse(text);
}

JsonObject::JsonObject(const Json& value, std::string what)
    : value_(&value), what_(std::move(what)) {
    if (!value.is_object()) {
        throw Error(fmt::format("{} must be an object", what_));
    }
}

const Json* JsonObject::find(std::string_view key) const {
    const auto it = value_->find(std::string(key));
    return it == value_->end() || it->is_null() ? nullptr : &*it;
}

const Json& JsonObject::require(std::string_view key) const {
    const Json* const value = find(key);
    if (value == nullptr) {
        throw Error(fmt::format("{} has no '{}'", what_, key));
    }
    return *value;
}

void JsonObject::wrong_type(std::string_view key, std::string_view wanted) const {
    throw Error(fmt::format("'{}' of {} must be {}", key, what_, wanted));
}

std::string JsonObject::text(std::string_view key) const {
    const Json& value = require(key);
    if (!value.is_string()) {
        wrong_type(key, "a string");
    }
    return value.get<std::string>();
}

std::string JsonObject::text_or_empty(std::string_view key) const {
    return has(key) ? text(key) : std::string();
}

std::uint64_t JsonObject::number(std::string_view key) const {
    const Json& value = require(key);
    if (!value.is_number_unsigned()) {
        wrong_type(key, "a whole number");
    }
    return value.get<std::uint64_t>();
}

std::uint64_t JsonObject::number_or(std::string_view key, std::uint64_t fallback) const {
    return has(key) ? number(key) : fallback;
}

std::int64_t JsonObject::integer_or_zero(std::string_view key) const {
    const Json* const value = find(key);
    if (value == nullptr) {
        return 0;
    }
    if (!value->is_number_integer() ||
        (value->is_number_unsigned() && value->get<std::uint64_t>() > INT64_MAX)) {
        wrong_type(key, "a whole number");
    }
    return value->get<std::int64_t>();
}

bool JsonObject::flag(std::string_view key) const {
    const Json* const value = find(key);
    if (value != nullptr && !value->is_boolean()) {
        wrong_type(key, "true or false");
    }
    return value != nullptr && value->get<bool>();
}

std::vector<std::string> JsonObject::texts(std::string_view key) const {
    const Json& value = require(key);
    const bool fits =
        value.is_array() &&
        std::all_of(value.begin(), value.end(), [](const Json& i) { return i.is_string(); });
    if (!fits) {
        wrong_type(key, "a list of strings");
    }
    return value.get<std::vector<std::string>>();
}

std::vector<std::string> JsonObject::texts_or_empty(std::string_view key) const {
    return has(key) ? texts(key) : std::vector<std::string>();
}

std::map<std::string, std::string> JsonObject::text_map(std::string_view key) const {
    std::map<std::string, std::string> out;
    const Json* const value = find(key);
    if (value == nullptr) {
        return out;
    }
    if (!value->is_object()) {
        wrong_type(key, "an object of strings");
    }
    for (const auto& item : value->items()) {
        if (!item.value().is_string()) {
            wrong_type(key, "an object of strings");
        }
        out.emplace(item.key(), item.value().get<std::string>());
    }
    return out;
}

std::set<std::string> JsonObject::keys(std::string_view key) const {
    std::set<std::string> out;
    if (const Json* const value = find(key)) {
        if (!value->is_object()) {
            wrong_type(key, "an object");
        }
        for (const auto& item : value->items()) {
            out.insert(item.key());
        }
    }
    return out;
}

JsonObject JsonObject::object(std::string_view key) const {
    return {require(key), fmt::format("'{}' of {}", key, what_)};
}

std::vector<JsonObject> JsonObject::objects(std::string_view key) const {
    return json_objects(require(key), fmt::format("'{}' of {}", key, what_));
}

std::vector<JsonObject> JsonObject::objects_or_empty(std::string_view key) const {
    return has(key) ? objects(key) : std::vector<JsonObject>();
}

std::vector<JsonObject> json_objects(const Json& value, const std::string& what) {
    if (!value.is_array()) {
        throw Error(fmt::format("{} must be a list", what));
    }
    std::vector<JsonObject> out;
    for (const Json& item : value) {
        out.emplace_back(item, fmt::format("item {} of {}", out.size() + 1, what));
    }
    return out;
}

} // namespace kiln
