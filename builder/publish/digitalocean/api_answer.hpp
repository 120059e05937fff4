// SPDX-License-Identifier: MIT
//
// From an answer of DigitalOcean's API to values: a member, all items of a list, and one message
// for whatever is not as the specification has it. Knows none of the values.
#pragma once

#include "base/error.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <utility>
#include <vector>

namespace kiln {

/// Throws Error (exit code 5): the answer to "asked to WHAT" is not valid, because of `why`.
[[noreturn]] void fail_answer(const std::string& what, const std::string& why);

/// The member that an answer consists of. Throws Error (exit code 5) when it is missing.
[[nodiscard]] const nlohmann::ordered_json&
answer_member(const nlohmann::ordered_json& answer, const char* key, const std::string& what);

/// Runs `read`, which may use what throws on missing keys and wrong types (JsonObject).
template <typename Read> auto read_answer(const std::string& what, Read&& read) {
    try {
        return std::forward<Read>(read)();
    } catch (const Error& error) {
        fail_answer(what, error.message());
    }
}

/// Every item by `read`, within read_answer().
template <typename Value>
std::vector<Value> read_answers(
    const std::vector<nlohmann::ordered_json>& items,
    const std::string& what,
    Value (*read)(const nlohmann::ordered_json&)) {
    return read_answer(what, [&] {
        std::vector<Value> out;
        out.reserve(items.size());
        for (const nlohmann::ordered_json& item : items) {
            out.push_back(read(item));
        }
        return out;
    });
}

} // namespace kiln
