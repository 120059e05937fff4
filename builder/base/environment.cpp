// SPDX-License-Identifier: MIT
#include "base/environment.hpp"

#include "base/text.hpp"

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <system_error>

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

Environment clean_environment() {
    return {
        {"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
        {"LC_ALL", "C.UTF-8"},
        {"TZ", "UTC"},
        {"HOME", "/root"},
    };
}

void clean_process_environment() {
    // Where kiln's own folders are, and how libguestfs gets another kernel, appliance or processor.
    constexpr std::array kKept{
        "HOME",
        "KILN_CACHE",
        "XDG_CACHE_HOME",
        "TMPDIR",
        "LIBGUESTFS_PATH",
        "LIBGUESTFS_BACKEND_SETTINGS",
        "SUPERMIN_KERNEL",
        "SUPERMIN_KERNEL_VERSION",
        "SUPERMIN_MODULES"};
    Environment env = clean_environment();
    for (const char* name : kKept) {
        if (const auto value = process_env(name)) {
            env[name] = *value;
        }
    }
    ::clearenv();
    for (const auto& [name, value] : env) {
        ::setenv(name.c_str(), value.c_str(), 1);
    }
}

std::vector<std::string> absolute_folders(std::string_view path) {
    std::vector<std::string> out = split(path, ':');
    std::erase_if(out, [](const std::string& folder) { return !folder.starts_with('/'); });
    return out;
}

std::filesystem::path find_program(std::string_view name, const Environment& env) {
    const auto found = env.find("PATH");
    const std::string path = found == env.end() ? clean_environment().at("PATH") : found->second;
    for (const std::string& folder : absolute_folders(path)) {
        const std::filesystem::path candidate = std::filesystem::path(folder) / name;
        std::error_code ignored;
        if (std::filesystem::is_regular_file(candidate, ignored) &&
            ::access(candidate.c_str(), X_OK) == 0) {
            return candidate;
        }
    }
    return {};
}

} // namespace kiln
