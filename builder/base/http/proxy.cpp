// SPDX-License-Identifier: MIT
#include "base/http/proxy.hpp"

#include <initializer_list>

namespace kiln {

namespace {

std::string first_of(const Environment& env, std::initializer_list<const char*> names) {
    for (const char* name : names) {
        if (std::string value = variable(env, name); !value.empty()) {
            return value;
        }
    }
    return {};
}

} // namespace

const std::string& EnvironmentProxies::for_scheme(const std::string& scheme) const {
    static const std::string kNone;
    return scheme == "http" ? http : scheme == "https" ? https : kNone;
}

EnvironmentProxies environment_proxies(const Environment& env) {
    return {
        first_of(env, {"http_proxy", "all_proxy", "ALL_PROXY"}),
        first_of(env, {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}),
        first_of(env, {"no_proxy", "NO_PROXY"})};
}

Environment proxy_variables(const EnvironmentProxies& proxies, const std::string& direct) {
    Environment out;
    const auto put = [&](const char* name, const std::string& value) {
        if (!value.empty()) {
            out[name] = value;
        }
    };
    put("http_proxy", proxies.http);
    put("https_proxy", proxies.https);
    std::string hosts = proxies.no_proxy;
    if (hosts != "*") {
        hosts += hosts.empty() ? "" : ",";
        hosts += "localhost,127.0.0.1,::1";
        hosts += direct.empty() ? "" : "," + direct;
    }
    put("no_proxy", hosts);
    return out;
}

} // namespace kiln
