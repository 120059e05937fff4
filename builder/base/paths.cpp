// SPDX-License-Identifier: MIT
#include "base/paths.hpp"

#include "base/error.hpp"

#include <cstdlib>

namespace kiln {

namespace {

std::optional<std::filesystem::path> absolute_path(const EnvLookup& env, std::string_view name) {
    const auto value = env(name);
    if (!value || value->empty() || value->front() != '/') {
        return std::nullopt;
    }
    return std::filesystem::path(*value);
}

} // namespace

std::optional<std::string> process_env(std::string_view name) {
    const char* value = std::getenv(std::string(name).c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::filesystem::path cache_root(const EnvLookup& env) {
    if (const auto own = absolute_path(env, "KILN_CACHE")) {
        return *own;
    }
    if (const auto xdg = absolute_path(env, "XDG_CACHE_HOME")) {
        return *xdg / "kiln";
    }
    if (const auto home = absolute_path(env, "HOME")) {
        return *home / ".cache/kiln";
    }
    throw Error("there is no place for the cache: HOME is not set")
        .with_hint("set KILN_CACHE to the absolute path of a directory");
}

std::filesystem::path default_pool_dir(const EnvLookup& env) {
    return cache_root(env) / "pool";
}

} // namespace kiln
