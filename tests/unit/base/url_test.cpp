// SPDX-License-Identifier: MIT
#include "base/http/url.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

TEST(Url, IsTakenApartAsLibcurlSeesIt) {
    const auto url = Url::parse("HTTPS://me:secret@Reg.Example/v2/a?x=1#y");
    ASSERT_TRUE(url);
    EXPECT_EQ(url->scheme(), "https");
    EXPECT_EQ(url->host(), "reg.example");
    EXPECT_EQ(url->origin(), "https://reg.example:443");
    EXPECT_TRUE(url->has_user());
    EXPECT_EQ(Url::parse("http://a:80/")->origin(), Url::parse("http://a")->origin());
    EXPECT_NE(Url::parse("http://a/")->origin(), Url::parse("http://a:8080/")->origin());
    EXPECT_NE(Url::parse("http://a/")->origin(), Url::parse("https://a/")->origin());
    EXPECT_EQ(Url::parse("file:///a/b")->scheme(), "file");
    // What precedes the last '@' is not a host, whatever it looks like.
    EXPECT_EQ(Url::parse("https://localhost:80@evil.example/")->host(), "evil.example");
}

TEST(Url, IsNoneWithControlCharactersOrWithoutScheme) {
    for (const std::string_view text :
         {std::string_view(""),
          std::string_view("/path"),
          std::string_view("host/path"),
          std::string_view("https://"),
          std::string_view("https://a/\n"),
          std::string_view("https://a/\r\nX: y"),
          std::string_view("https://a/\x01"),
          std::string_view("https://a/\0b", 12),
          std::string_view("https://a b/"),
          std::string_view("https://a:99999/")}) {
        EXPECT_FALSE(Url::parse(text)) << testing::PrintToString(text);
    }
}

TEST(Url, KnowsThisMachineByItsWholeHost) {
    for (const char* text :
         {"http://localhost/",
          "http://LOCALHOST:5000/",
          "http://127.0.0.1/",
          "http://127.8.9.10:5000/",
          "http://127.1/", // 127.0.0.1 in another form
          "http://2130706433/",
          "http://[::1]:5000/"}) {
        EXPECT_TRUE(Url::parse(text)->is_loopback()) << text;
    }
    for (const char* text :
         {"http://127.evil.example/",
          "http://127.0.0.1.evil.example/",
          "http://localhost.evil.example/",
          "http://notlocalhost/",
          "http://128.0.0.1/",
          "http://[::2]/",
          "http://127.0.0.1@evil.example/",
          "http://10.0.0.1/"}) {
        EXPECT_FALSE(Url::parse(text)->is_loopback()) << text;
    }
}

TEST(Url, TakesNoHostThatLibcurlWouldTranslate) {
    for (const char* text :
         {"https://bücher.example/", "https://①②⑦.⓪.⓪.①/", "https://%c3%bc.example/"}) {
        EXPECT_FALSE(Url::parse(text)) << text;
        EXPECT_FALSE(Url::parse("https://a.example/")->resolve(text)) << text;
    }
    EXPECT_EQ(Url::parse("https://xn--bcher-kva.example/ü")->host(), "xn--bcher-kva.example");
}

TEST(Url, KnowsOtherWaysToThisMachine) {
    for (const char* text :
         {"https://localhost/",
          "https://localhost./",
          "https://127.0.0.1./",
          "https://x.localhost/",
          "https://0.0.0.0/",
          "https://0/",
          "https://[::]/",
          "https://[::1]/",
          "https://[::127.0.0.1]/",
          "https://[::ffff:127.0.0.1]/",
          "https://[::ffff:7f00:1]/",
          "https://[::ffff:0.0.0.0]/"}) {
        EXPECT_TRUE(Url::parse(text)->may_be_loopback()) << text;
    }
    for (const char* text :
         {"https://notlocalhost/",
          "https://localhost.example/",
          "https://1.2.3.4/",
          "https://[::ffff:1.2.3.4]/",
          "https://[2001:db8::1]/"}) {
        EXPECT_FALSE(Url::parse(text)->may_be_loopback()) << text;
    }
    EXPECT_FALSE(Url::parse("https://x.localhost/")->is_loopback());
}

TEST(Url, ResolvesReferences) {
    const Url base = *Url::parse("https://me:pw@reg.example/v2/x/uploads/?a=b");
    EXPECT_EQ(base.resolve("/other?y=1")->text(), "https://me:pw@reg.example/other?y=1");
    EXPECT_EQ(
        base.resolve("7?state=z")->text(), "https://me:pw@reg.example/v2/x/uploads/7?state=z");
    EXPECT_EQ(base.resolve("https://cdn.example/b")->text(), "https://cdn.example/b");
    EXPECT_EQ(base.resolve("//cdn.example/b")->text(), "https://cdn.example/b");
    EXPECT_EQ(base.resolve("file:///etc/passwd")->scheme(), "file");
    EXPECT_EQ(base.resolve("/a b")->text(), "https://me:pw@reg.example/a%20b");
    EXPECT_FALSE(base.resolve("https://a/\x01"));
}

TEST(Url, AddsToItsQuery) {
    EXPECT_EQ(Url::parse("https://a/b")->with_query("d=x%3Ay").text(), "https://a/b?d=x%3Ay");
    EXPECT_EQ(Url::parse("https://a/b?c=1")->with_query("d=2").text(), "https://a/b?c=1&d=2");
    // Not into the fragment, which is never sent.
    EXPECT_EQ(Url::parse("https://a/b#f")->with_query("d=2").text(), "https://a/b?d=2#f");
}

TEST(Url, NamesAnyFileOfThisMachine) {
    const std::string path = "/srv/my project #1 100%25/a?b.tar";
    const std::string url = file_url(path);
    EXPECT_EQ(url, "file:///srv/my%20project%20%231%20100%2525/a%3Fb.tar");
    EXPECT_EQ(path_of_file_url(url), path);
    EXPECT_EQ(path_of_file_url("file://localhost/a%20b"), "/a b");
    EXPECT_FALSE(path_of_file_url("https://a/b"));
    EXPECT_FALSE(path_of_file_url("file://other.example/b"));
    EXPECT_TRUE(file_url("a").ends_with("/a"));
}

} // namespace
} // namespace kiln
