// SPDX-License-Identifier: MIT
#include "cli/options/input_options.hpp"

#include "base/error.hpp"
#include "base/io/paths.hpp"
#include "base/parallel.hpp"
#include "debian/apt_sources.hpp"

#include <fmt/format.h>

namespace kiln {

namespace {

constexpr const char* kHostSources = "/etc/apt";

MirrorSettings mirror_settings(const Arguments& arguments, const Environment& env) {
    MirrorSettings settings;
    settings.command_line = arguments.values(kMirrorOption.name);
    settings.environment = variable(env, "KILN_MIRROR");
    settings.host_sources = [] { return load_apt_sources(kHostSources); };
    settings.snapshot = arguments.value_or(kSnapshotOption.name, variable(env, "KILN_SNAPSHOT"));
    return settings;
}

CpanLocation cpan_location(const Arguments& arguments, const Environment& env) {
    std::string where = arguments.value_or(kCpanOption.name, variable(env, "KILN_CPAN"));
    if (!where.empty() && where.find("://") == std::string::npos) {
        if (!fs::is_directory(where)) {
            throw UsageError(fmt::format("'{}' is not a URL or directory (--cpan)", where));
        }
        where = file_url(fs::canonical(where));
    }
    const std::string keyring = arguments.value_or(kCpanKeyringOption.name, "");
    if (!keyring.empty() && !fs::is_regular_file(keyring)) {
        throw UsageError(fmt::format("'{}' is not a regular file (--cpan-keyring)", keyring));
    }
    return {where, keyring};
}

Arguments without_input_options() {
    Arguments none;
    for (const OptionSpec& option :
         {kMirrorOption, kSnapshotOption, kOfflineOption, kCpanOption, kCpanKeyringOption}) {
        none.set(option.name, {});
    }
    return none;
}

/// SSL_CERT_FILE is OpenSSL's own variable, which libcurl does not look at. `proxies` must outlive
/// the client.
HttpOptions http_options(const Environment& env, const HostProxies& proxies) {
    HttpOptions options;
    options.proxy = [&proxies](HttpPurpose purpose, const Url& url) {
        return proxies.find(purpose, url);
    };
    options.no_proxy = proxies.environment().no_proxy;
    options.ca_file = variable(env, "SSL_CERT_FILE");
    return options;
}

} // namespace

InputServices::InputServices(const Arguments& arguments, Context& context)
    : console_(context.console), processes_(context.io.processes),
      cache_(own_cache_root(lookup_in(context.io.env))), pool_(cache_ / "pool"),
      mirrors_(mirror_settings(arguments, context.io.env)),
      proxies_(context.io.env, context.io.processes),
      http_(std::make_unique<CurlHttpClient>(http_options(context.io.env, proxies_))),
      offline_(arguments.flag(kOfflineOption.name)),
      cpan_(cpan_location(arguments, context.io.env)), env_(context.io.env) {
    if (const std::string warning = warning_of_cache(cache_); !warning.empty()) {
        console_.warning(warning);
    }
}

InputServices::InputServices(Context& context) : InputServices(without_input_options(), context) {}

InputContext InputServices::context() const {
    return {console_, processes_, *http_, mirrors_, pool_, offline_, cpan_, env_, &proxies_};
}

unsigned jobs_of(const Arguments& arguments) {
    constexpr std::uint64_t kMost = 256;
    const auto jobs = arguments.number(kJobsOption.name, 1, kMost);
    return jobs ? static_cast<unsigned>(*jobs) : default_jobs();
}

} // namespace kiln
