// SPDX-License-Identifier: MIT
#include "base/paths.hpp"

#include "base/error.hpp"

#include <optional>
#include <string_view>

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

} // namespace kiln
