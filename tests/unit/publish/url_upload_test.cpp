// SPDX-License-Identifier: MIT
#include "publish/digitalocean/url_upload.hpp"
#include "support/expect_error.hpp"
#include "support/fake_http_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

UploadFile file_of_size(std::uint64_t size, const std::string& name = "shop.qcow2") {
    return {"/out/" + name, name, size, sha256("x")};
}

TEST(UrlUpload, TakesNamesOfDisksThatDigitalOceanImports) {
    for (const char* good :
         {"a.img", "a.qcow2", "a.qcow2.gz", "a.img.bz2", "a.vmdk", "a.vdi.gz", "a.vhdx"}) {
        EXPECT_TRUE(is_importable_name(good)) << good;
    }
    for (const char* bad :
         {"a.raw",
          "a.qcow2.xz",
          "a.img.zst",
          ".img",
          ".gz",
          "a.tar.gz",
          "a.iso",
          "",
          "img",
          "a.img.gz.gz"}) {
        EXPECT_FALSE(is_importable_name(bad)) << bad;
    }
}

TEST(UrlUpload, TakesPlainUrlsOnly) {
    test::FakeHttpClient http;
    const auto thrown = [&](const std::string& url, bool allows_loopback) {
        return test::thrown([&] { UrlUpload(http, url, allows_loopback); });
    };
    EXPECT_EQ(thrown("https://files.example/a.img", false), "no error");
    EXPECT_EQ(thrown("http://files.example/a.img", false), "no error");
    EXPECT_EQ(thrown("http://127.0.0.1:80/a.img", true), "no error");
    for (const char* bad :
         {"https://files.example/a.img?x",
          "https://files.example/a.img#x",
          "https://me:secret@files.example/a.img",
          "file:///a.img",
          "a.img",
          "",
          "https://files.example/",
          "https://files.example/a.raw",
          "http://127.0.0.1:80/a.img",
          "http://localhost./a.img"}) {
        EXPECT_THAT(thrown(bad, false), StartsWith("2: '")) << bad;
        EXPECT_THAT(thrown(bad, false), testing::Not(HasSubstr("secret")));
    }
}

TEST(UrlUpload, LooksWithHeadWhetherTheFileIsThere) {
    test::FakeHttpClient http;
    const std::string url = "https://files.example/shop.qcow2";
    UrlUpload upload(http, url, false);
    const auto check = [&](test::FakeHttpClient::Answer answer) {
        http.answer(url, std::move(answer));
        return test::thrown([&] { upload.check(file_of_size(100)); });
    };
    EXPECT_EQ(check({.headers = {{"Content-Length", "100"}}}), "no error");
    EXPECT_EQ(http.seen().back().method, "HEAD");
    EXPECT_EQ(
        check({.headers = {{"Content-Length", "99"}}}),
        "5: 'https://files.example/shop.qcow2' cannot be used (--url): the file there has 99 "
        "bytes, "
        "'/out/shop.qcow2' has 100");
    EXPECT_THAT(check({}), HasSubstr("does not state the file's size"));
    EXPECT_THAT(check({.status = 302}), HasSubstr("answers HEAD with status 302"));
    EXPECT_THAT(check({.status = 403}), HasSubstr("answers HEAD with status 403"));
}

TEST(UrlUpload, DoesNotCompareTheSizesOfDifferentForms) {
    test::FakeHttpClient http;
    const std::string url = "https://files.example/shop.qcow2.gz";
    http.answer(url, {.headers = {{"Content-Length", "7"}}});
    UrlUpload upload(http, url, false);
    EXPECT_EQ(test::thrown([&] { upload.check(file_of_size(100)); }), "no error");
    EXPECT_THAT(
        test::thrown([&] { upload.check(file_of_size(100, "shop.raw.gz")); }),
        HasSubstr("the file there has 7 bytes"));
}

} // namespace
} // namespace kiln
