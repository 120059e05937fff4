// SPDX-License-Identifier: MIT
#include "base/http/proxy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

TEST(EnvironmentProxies, AreFoundAsCurlFindsThem) {
    const EnvironmentProxies proxies = environment_proxies(
        {{"http_proxy", "http://p:1"}, {"HTTPS_PROXY", "http://p:2"}, {"NO_PROXY", "a,b"}});
    EXPECT_EQ(proxies.for_scheme("http"), "http://p:1");
    EXPECT_EQ(proxies.for_scheme("https"), "http://p:2");
    EXPECT_EQ(proxies.for_scheme("file"), "");
    EXPECT_EQ(proxies.no_proxy, "a,b");
    // HTTP_PROXY is what a CGI program gets from a request's header "Proxy".
    EXPECT_EQ(environment_proxies({{"HTTP_PROXY", "http://p"}}).http, "");
    const EnvironmentProxies all =
        environment_proxies({{"ALL_PROXY", "socks5h://s"}, {"https_proxy", "http://p"}});
    EXPECT_EQ(all.http, "socks5h://s");
    EXPECT_EQ(all.https, "http://p");
    EXPECT_EQ(environment_proxies({}).https, "");
}

TEST(EnvironmentProxies, AreHandedToChildrenWithoutThisMachine) {
    const Environment with = proxy_variables({"http://p:1", "", "a.example"}, "127.0.0.9");
    EXPECT_EQ(with.at("http_proxy"), "http://p:1");
    EXPECT_FALSE(with.contains("https_proxy"));
    EXPECT_EQ(with.at("no_proxy"), "a.example,localhost,127.0.0.1,::1,127.0.0.9");
    EXPECT_EQ(proxy_variables({"", "", "*"}).at("no_proxy"), "*");
}

} // namespace
} // namespace kiln
