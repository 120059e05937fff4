// SPDX-License-Identifier: MIT
#include "cli/input_options.hpp"

#include "base/parallel.hpp"
#include "base/paths.hpp"
#include "formats/apt_sources.hpp"

namespace kiln {

namespace {

constexpr const char* kHostSources = "/etc/apt";

std::string variable(const Environment& env, const std::string& name) {
    const auto it = env.find(name);
    return it == env.end() ? std::string() : it->second;
}

EnvLookup lookup_in(const Environment& env) {
    return [&env](std::string_view name) -> std::optional<std::string> {
        const auto it = env.find(std::string(name));
        return it == env.end() ? std::nullopt : std::optional(it->second);
    };
}

MirrorSettings mirror_settings(const Arguments& arguments, const Environment& env) {
    MirrorSettings settings;
    settings.command_line = arguments.values(kMirrorOption.name);
    settings.environment = variable(env, "KILN_MIRROR");
    settings.host_sources = [] { return load_apt_sources(kHostSources); };
    settings.snapshot = arguments.value_or(kSnapshotOption.name, variable(env, "KILN_SNAPSHOT"));
    return settings;
}

} // namespace

InputWorld::InputWorld(const Arguments& arguments, Context& context)
    : console_(context.console), processes_(context.io.processes),
      cache_(cache_root(lookup_in(context.io.env))), pool_(cache_ / "pool"),
      mirrors_(mirror_settings(arguments, context.io.env)),
      http_(std::make_unique<CurlHttpClient>()), offline_(arguments.flag(kOfflineOption.name)) {}

InputContext InputWorld::context() const {
    return {console_, processes_, *http_, mirrors_, pool_, offline_};
}

unsigned jobs_of(const Arguments& arguments) {
    constexpr std::uint64_t kMost = 256;
    const auto jobs = arguments.number(kJobsOption.name, 1, kMost);
    return jobs ? static_cast<unsigned>(*jobs) : default_jobs();
}

} // namespace kiln
