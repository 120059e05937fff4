// SPDX-License-Identifier: MIT
#include "cli/options/registry_options.hpp"

#include <fmt/format.h>

namespace kiln {

unsigned transfers_of(const Arguments& arguments) {
    constexpr std::uint64_t kMost = 64;
    constexpr unsigned kUsual = 4;
    const auto jobs = arguments.number(kTransfersOption.name, 1, kMost);
    return jobs ? static_cast<unsigned>(*jobs) : kUsual;
}

std::vector<std::string_view> shown_parameters() {
    return {"digest", "mount", "from", "service", "scope"};
}

std::unique_ptr<HttpClient> with_debug_messages(HttpClient& http, Console& console) {
    return std::make_unique<TracedHttpClient>(
        http, shown_parameters(), [&console](const TracedRequest& request) {
            console.debug(fmt::format(
                "{} {}: {}",
                request.method,
                request.url,
                request.status == 0 ? "failed" : std::to_string(request.status)));
        });
}

RegistryClient
registry_client(HttpClient& http, const RegistryRepository& repository, Context& context) {
    return RegistryClient(
        http,
        repository,
        find_registry_credentials(repository, context.io.env, context.io.processes));
}

} // namespace kiln
