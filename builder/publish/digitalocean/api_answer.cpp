// SPDX-License-Identifier: MIT
#include "publish/digitalocean/api_answer.hpp"

#include "base/http/remote_json.hpp"

#include <fmt/format.h>

namespace kiln {

void fail_answer(const std::string& what, const std::string& why) {
    throw remote_error(fmt::format("the answer of DigitalOcean's API is not valid: {}", why))
        .with_hint(fmt::format("it was asked to {}", what));
}

const nlohmann::ordered_json&
answer_member(const nlohmann::ordered_json& answer, const char* key, const std::string& what) {
    const auto found = answer.find(key);
    if (found == answer.end()) {
        fail_answer(what, fmt::format("it has no '{}'", key));
    }
    return *found;
}

} // namespace kiln
