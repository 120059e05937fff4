// SPDX-License-Identifier: MIT
//
// Proxies as the environment names them, by curl's rules: http_proxy (in lower case only, since
// HTTP_PROXY can come from a request of CGI), https_proxy, all_proxy and no_proxy.
#pragma once

#include "base/environment.hpp"
#include "base/http/url.hpp"

#include <string>

namespace kiln {

struct EnvironmentProxies {
    std::string http;
    std::string https;
    std::string no_proxy; ///< hosts and domains that are reached directly, separated by commas

    /// Empty: none. Does not look at `no_proxy`.
    [[nodiscard]] const std::string& for_scheme(const std::string& scheme) const;
};

[[nodiscard]] EnvironmentProxies environment_proxies(const Environment& env);

/// The same as variables for a child, such as git or apt, in the names that all of them read. This
/// machine and `direct` (a host) are reached directly.
[[nodiscard]] Environment
proxy_variables(const EnvironmentProxies& proxies, const std::string& direct = {});

} // namespace kiln
