// SPDX-License-Identifier: MIT
#include "base/environment.hpp"

#include <cstdlib>

namespace kiln {

std::string variable(const Environment& env, const std::string& name) {
    const auto found = env.find(name);
    return found == env.end() ? std::string() : found->second;
}

EnvLookup lookup_in(const Environment& env) {
    return [&env](std::string_view name) -> std::optional<std::string> {
        const auto found = env.find(std::string(name));
        return found == env.end() ? std::nullopt : std::optional(found->second);
    };
}

std::optional<std::string> process_env(std::string_view name) {
    const char* value = std::getenv(std::string(name).c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

} // namespace kiln
