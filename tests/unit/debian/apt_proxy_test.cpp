// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "debian/apt_proxy.hpp"
#include "support/fake_process_runner.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Url url(std::string_view text) {
    return Url::parse(text).value();
}

ProcessResult result(std::string output, int exit_status = 0) {
    ProcessResult out;
    out.output = std::move(output);
    out.exit_status = exit_status;
    return out;
}

TEST(AptProxies, ReadsTheDumpOfAptConfig) {
    EXPECT_THAT(
        parse_proxy_settings("Acquire \"\";\n"
                             "Acquire::http \"\";\n"
                             "Acquire::http::Proxy \"http://p:3128\";\n"
                             "acquire::HTTP::proxy::deb.example \"DIRECT\";\n"
                             "Acquire::http::Proxy::empty.example \"\";\n"
                             "Acquire::https::Proxy-Auto-Detect \"/usr/bin/detect\";\n"
                             "Acquire::http::ProxyLogin \"x\";\n"
                             "Acquire::ftp::Proxy \"ftp://p\";\n"
                             "Acquire::http::Proxy::broken \"a\" b\";\n"),
        ElementsAre(
            AptSetting{"Acquire::http::Proxy", "http://p:3128"},
            AptSetting{"acquire::HTTP::proxy::deb.example", "DIRECT"},
            AptSetting{"Acquire::https::Proxy-Auto-Detect", "/usr/bin/detect"}));
}

TEST(AptProxies, AreChosenAsAptDoes) {
    test::FakeProcessRunner runner;
    const AptProxies proxies(
        {{"Acquire::http::Proxy", "http://p:1"},
         {"acquire::http::PROXY::Deb.Example", "DIRECT"},
         {"Acquire::https::Proxy::sec.example", "http://q:2"}},
        runner);
    EXPECT_EQ(proxies.find(url("http://any.example/x")), "http://p:1");
    EXPECT_EQ(proxies.find(url("http://deb.example:8080/x")), "");
    EXPECT_EQ(proxies.find(url("https://sec.example/")), "http://q:2");
    EXPECT_EQ(proxies.find(url("https://other.example/")), "http://p:1"); // https falls back
    EXPECT_EQ(proxies.find(url("file:///a")), "");
    EXPECT_THAT(runner.commands, IsEmpty());
    EXPECT_EQ(AptProxies({}, runner).find(url("http://a/")), std::nullopt);
}

TEST(AptProxies, AsksTheProgramOfAutoDetectOnceForAHost) {
    test::FakeProcessRunner runner;
    runner.answer("/bin/detect", result("http://found:3142\n"));
    const AptProxies proxies(
        {{"Acquire::http::Proxy-Auto-Detect", "/bin/detect"},
         {"Acquire::http::Proxy::own.example", "http://own:1"}},
        runner);
    EXPECT_EQ(proxies.find(url("http://own.example/")), "http://own:1");
    EXPECT_EQ(proxies.find(url("http://a.example/x")), "http://found:3142");
    EXPECT_EQ(proxies.find(url("http://a.example/y")), "http://found:3142");
    ASSERT_EQ(runner.commands.size(), 1U);
    EXPECT_THAT(runner.commands[0].args, ElementsAre("http://a.example/x"));
    runner.answer("/bin/detect", result("DIRECT\n"));
    EXPECT_EQ(proxies.find(url("http://b.example/")), "");
    runner.answer("/bin/detect", result("no\n", 1));
    EXPECT_THROW(static_cast<void>(proxies.find(url("http://c.example/"))), ProcessError);
}

TEST(HostProxies, LetAptsSettingWinForItsMirrorsOnly) {
    test::FakeProcessRunner runner;
    runner.answer("apt-config", result("Acquire::http::Proxy \"http://apt:1\";\n"));
    const HostProxies proxies(
        {{"http_proxy", "http://env:1"}, {"https_proxy", "http://env:2"}}, runner);
    EXPECT_EQ(proxies.find(HttpPurpose::user_url, url("http://a/")), "http://env:1");
    EXPECT_EQ(proxies.find(HttpPurpose::registry, url("https://a/")), "http://env:2");
    EXPECT_THAT(runner.commands, IsEmpty()); // apt is asked when its mirrors are
    EXPECT_EQ(proxies.find(HttpPurpose::apt_mirror, url("http://a/")), "http://apt:1");
    EXPECT_EQ(proxies.find(HttpPurpose::apt_mirror, url("http://b/")), "http://apt:1");
    EXPECT_EQ(runner.commands.size(), 1U);
    test::FakeProcessRunner silent;
    const HostProxies without({{"http_proxy", "http://env:1"}}, silent);
    EXPECT_EQ(without.find(HttpPurpose::apt_mirror, url("http://a/")), "http://env:1");
}

TEST(HostProxies, AreNotRequiredToHaveApt) {
    class NoApt final : public ProcessRunner {
      public:
        ProcessResult run(const Command&) override {
            throw SystemError("cannot start 'apt-config'", ENOENT);
        }
    };

    NoApt runner;
    EXPECT_THAT(load_proxy_settings(runner, {}), IsEmpty());
}

} // namespace
} // namespace kiln
