// SPDX-License-Identifier: MIT
#include "base/json.hpp"

#include <nlohmann/json.hpp>

namespace kiln {

namespace {

constexpr auto kReplace = nlohmann::json::error_handler_t::replace;

} // namespace

std::string json_text(const nlohmann::ordered_json& json, int indent) {
    return json.dump(indent, ' ', false, kReplace);
}

std::string json_text(const nlohmann::json& json, int indent) {
    return json.dump(indent, ' ', false, kReplace);
}

std::optional<nlohmann::json> parse_json_object(std::string_view text) {
    nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
    return json.is_object() ? std::optional(std::move(json)) : std::nullopt;
}

const nlohmann::json* json_member(const nlohmann::json& object, const char* key) {
    if (!object.is_object()) {
        return nullptr;
    }
    const auto found = object.find(key);
    return found == object.end() ? nullptr : &*found;
}

std::optional<std::string> json_string(const nlohmann::json& object, const char* key) {
    const nlohmann::json* value = json_member(object, key);
    return value != nullptr && value->is_string() ? std::optional(value->get<std::string>())
                                                  : std::nullopt;
}

std::optional<std::uint64_t> json_unsigned(const nlohmann::json& object, const char* key) {
    const nlohmann::json* value = json_member(object, key);
    return value != nullptr && value->is_number_unsigned()
               ? std::optional(value->get<std::uint64_t>())
               : std::nullopt;
}

std::optional<double> json_number(const nlohmann::json& object, const char* key) {
    const nlohmann::json* value = json_member(object, key);
    return value != nullptr && value->is_number() ? std::optional(value->get<double>())
                                                  : std::nullopt;
}

} // namespace kiln
