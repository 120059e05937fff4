// SPDX-License-Identifier: MIT
#include "base/http/http_policy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace kiln {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Url url(std::string_view text) {
    return Url::parse(text).value();
}

/// What require_allowed() says; empty when nothing.
std::string begin(HttpPurpose purpose, std::string_view at) {
    try {
        require_allowed(purpose, url(at));
    } catch (const TransferError& error) {
        EXPECT_FALSE(error.transient());
        return error.message();
    }
    return {};
}

std::string hop(HttpPurpose purpose, std::string_view from, std::string_view to) {
    try {
        static_cast<void>(follow_reference(purpose, url(from), to));
    } catch (const TransferError& error) {
        EXPECT_EQ(error.exit_code(), ExitCode::remote_refused);
        return error.message();
    }
    return {};
}

TEST(HttpPolicy, BeginsWhereThePurposeAllows) {
    for (const HttpPurpose purpose : {HttpPurpose::user_url, HttpPurpose::apt_mirror}) {
        for (const char* at : {"http://a/", "https://a/", "file:///a"}) {
            EXPECT_EQ(begin(purpose, at), "") << at;
        }
    }
    EXPECT_EQ(begin(HttpPurpose::web, "http://a/"), "");
    EXPECT_THAT(begin(HttpPurpose::web, "file:///a"), HasSubstr("file: URLs are not allowed"));
    EXPECT_EQ(begin(HttpPurpose::api, "https://a/"), "");
    EXPECT_THAT(begin(HttpPurpose::api, "http://a/"), HasSubstr("use https:"));
    EXPECT_EQ(begin(HttpPurpose::registry, "https://a/"), "");
    EXPECT_EQ(begin(HttpPurpose::registry, "http://127.0.0.1:5000/"), "");
    EXPECT_THAT(begin(HttpPurpose::registry, "file:///a"), HasSubstr("file: URLs"));
    EXPECT_THAT(begin(HttpPurpose::registry, "http://a/"), HasSubstr("use https:"));
    EXPECT_THAT(begin(HttpPurpose::registry, "http://127.evil.example/"), HasSubstr("use https:"));
    EXPECT_EQ(begin(HttpPurpose::local, "http://127.0.0.1/"), "");
    EXPECT_THAT(
        begin(HttpPurpose::local, "https://a/"), HasSubstr("only loopback addresses are allowed"));
    EXPECT_EQ(
        begin(HttpPurpose::user_url, "gopher://a/"),
        "cannot fetch 'gopher://a/': this protocol is not supported");
}

TEST(HttpPolicy, NeverSendsOnToAFileOrOutOfTls) {
    for (const HttpPurpose purpose :
         {HttpPurpose::web,
          HttpPurpose::user_url,
          HttpPurpose::apt_mirror,
          HttpPurpose::registry,
          HttpPurpose::local}) {
        EXPECT_THAT(
            hop(purpose, "https://127.0.0.1/a", "file:///etc/passwd"),
            HasSubstr("redirects to 'file:///etc/passwd': file: URLs"));
        EXPECT_THAT(
            hop(purpose, "https://127.0.0.1/a", "http://127.0.0.1/a"),
            HasSubstr("redirect from https to http is not allowed"));
        EXPECT_THAT(hop(purpose, "https://127.0.0.1/", "scp://a/b"), HasSubstr("redirects to"));
        EXPECT_THAT(hop(purpose, "https://127.0.0.1/", "https://a/\x1b"), HasSubstr("\\x1b"));
    }
    EXPECT_EQ(hop(HttpPurpose::user_url, "http://a/", "https://b/"), "");
    EXPECT_EQ(hop(HttpPurpose::apt_mirror, "http://a/", "http://b/"), "");
}

TEST(HttpPolicy, KeepsRegistriesOffPlainHostsAndThisMachine) {
    EXPECT_EQ(hop(HttpPurpose::registry, "https://reg/", "https://cdn.example/blob"), "");
    EXPECT_EQ(hop(HttpPurpose::registry, "http://127.0.0.1:1/", "http://localhost:2/"), "");
    EXPECT_THAT(
        hop(HttpPurpose::registry, "http://127.0.0.1:1/", "http://cdn.example/"),
        HasSubstr("use https:"));
    for (const char* to :
         {"https://127.0.0.1/",
          "https://0.0.0.0:8443/",
          "https://0/",
          "https://localhost./",
          "https://a.localhost/",
          "https://[::]/",
          "https://[::ffff:127.0.0.1]/",
          "https://[::ffff:0.0.0.0]/"}) {
        EXPECT_THAT(
            hop(HttpPurpose::registry, "https://reg.example/", to),
            HasSubstr("redirect from a remote registry to this machine"))
            << to;
    }
    for (const char* to :
         {"https://notlocalhost/",
          "https://128.0.0.1/",
          "https://[2001:db8::2]/",
          "https://[::ffff:10.0.0.1]/"}) {
        EXPECT_EQ(hop(HttpPurpose::registry, "https://reg.example/", to), "") << to;
    }
    EXPECT_THAT(
        hop(HttpPurpose::registry, "https://reg.example/", "https://①②⑦.⓪.⓪.①/"),
        HasSubstr("not a valid URL"));
}

TEST(HttpPolicy, TakesOnlyAcceptToAnotherOrigin) {
    const std::vector<HttpHeader> headers{
        {"Accept", "x"}, {"Authorization", "Basic dTpw"}, {"X-Key", "k"}};
    EXPECT_EQ(headers_after_hop(headers, url("https://a/1"), url("https://a/2")), headers);
    for (const char* other : {"https://b/", "https://a:444/", "http://a/", "https://a.b/"}) {
        EXPECT_THAT(
            headers_after_hop(headers, url("https://a/1"), url(other)),
            ElementsAre(HttpHeader{"Accept", "x"}))
            << other;
    }
}

TEST(HttpPolicy, KeepsTheLoginOfAUrlWithinItsOrigin) {
    const Url from = url("https://me:pw@a/x");
    EXPECT_EQ(
        follow_reference(HttpPurpose::user_url, from, "https://a/y").text(), "https://me:pw@a/y");
    EXPECT_EQ(follow_reference(HttpPurpose::user_url, from, "https://b/y").text(), "https://b/y");
    EXPECT_EQ(follow_reference(HttpPurpose::user_url, from, "//b/y").text(), "https://b/y");
}

TEST(HttpPolicy, LimitsTheWholeTime) {
    const HttpOptions options;
    EXPECT_EQ(time_limit(options, 0), std::chrono::hours(1));
    EXPECT_EQ(time_limit(options, 1), std::chrono::minutes(10));
    EXPECT_EQ(
        time_limit(options, std::uint64_t{64} << 20U),
        std::chrono::minutes(10) + std::chrono::seconds(1024));
    EXPECT_LT(
        time_limit(options, std::numeric_limits<std::uint64_t>::max()),
        std::chrono::hours(24 * 32));
}

} // namespace
} // namespace kiln
