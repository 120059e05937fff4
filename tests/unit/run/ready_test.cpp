// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "base/shell_word.hpp"
#include "run/base64.hpp"
#include "run/machine/machine.hpp"
#include "run/machine/seed.hpp"
#include "run/ports.hpp"
#include "run/scripts.hpp"
#include "run/session/ready.hpp"
#include "support/fake_http_client.hpp"
#include "support/fake_instance.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace kiln {
namespace {

TEST(Base64, GoesThereAndBack) {
    for (const std::string text :
         {"", "a", "ab", "abc", "abcd", std::string("\0\xff\n", 3).c_str()}) {
        EXPECT_EQ(from_base64(to_base64(text)), text);
    }
    EXPECT_EQ(to_base64("kiln"), "a2lsbg==");
    EXPECT_FALSE(from_base64("a2lsbg="));
    EXPECT_FALSE(from_base64("a2l%"));
}

TEST(Console, IsReadWithoutEscapes) {
    EXPECT_EQ(plain_console("\x1b[2J\x1b[01;31mred\x1b[0m\r\n\x1b(Bend\x1b"), "red\nBend");
}

TEST(ShellQuote, KeepsEveryWordWhole) {
    EXPECT_EQ(shell_quote("it's $x"), "'it'\\''s $x'");
    EXPECT_EQ(variable_name("admin_user-2"), "ADMIN_USER_2");
}

TEST(PortChoice, IsNameAndNumber) {
    PortChoices choices;
    add_port_choice(choices, "https=8443");
    EXPECT_EQ(choices.at("https"), 8443);
    for (const char* bad : {"https", "=1", "https=0", "https=65536", "https=x"}) {
        EXPECT_THROW(add_port_choice(choices, bad), UsageError) << bad;
    }
}

TEST(PublishedPorts, AreChosenOrFree) {
    const std::vector<SuitePort> ports{{"http", 80}, {"https", 443}, {"rsync", 873}};
    const auto out = publish_ports(ports, {{"https", 8443}, {"873", 8730}}, false);
    EXPECT_GT(out[0].host, 0);
    EXPECT_EQ(out[1], (PublishedPort{"https", 443, 8443}));
    EXPECT_EQ(out[2].host, 8730);
    EXPECT_EQ(address_of(out[1]), "https://127.0.0.1:8443");
    EXPECT_EQ(address_of(out[2]), "127.0.0.1:8730");
    EXPECT_EQ(publish_ports(ports, {}, true)[0].host, 80);
    EXPECT_THROW(static_cast<void>(publish_ports(ports, {{"http", 81}}, true)), UsageError);
    try {
        static_cast<void>(publish_ports(ports, {{"htps", 8443}}, false));
        FAIL();
    } catch (const UsageError& error) {
        EXPECT_EQ(error.message(), "unknown port 'htps' (--port)");
        EXPECT_EQ(error.hint(), "did you mean 'https'?");
    }
}

TEST(SeedFiles, LetRootInAndAddWhatTheSuiteSays) {
    const auto files = seed_files(
        {{"web.yaml", "key: " + std::string(kSshKeyMark)}}, "kiln-1", "ssh-ed25519 AAAA");
    EXPECT_EQ(files.at("meta-data"), "instance-id: kiln-1\n");
    EXPECT_EQ(files.at("web.yaml"), "key: ssh-ed25519 AAAA");
    EXPECT_THAT(files.at("user-data"), testing::StartsWith("#cloud-config\n"));
    EXPECT_THAT(files.at("user-data"), testing::HasSubstr("      - ssh-ed25519 AAAA\n"));
    EXPECT_EQ(seed_files({{"user-data", "own"}}, "x", "y").at("user-data"), "own");
}

TEST(ScriptEnvironment, HasVariablesPortsAndFacts) {
    Suite suite;
    suite.variables = {{"admin_user", "ADMIN"}};
    test::FakeInstance instance;
    ScriptFacts facts;
    facts.suite = &suite;
    facts.ports = {{"https", 443, 40123}};
    facts.engine = {{"PATH", "/bin"}, {"DOCKER_HOST", "unix:///x"}};
    facts.image = "/images/web";
    const Environment env = script_environment(facts, instance);
    EXPECT_EQ(env.at("ADMIN_USER"), "ADMIN");
    EXPECT_EQ(env.at("PORT_HTTPS"), "40123");
    EXPECT_EQ(env.at("KIND"), "container");
    EXPECT_EQ(env.at("HOST"), "127.0.0.1");
    EXPECT_EQ(env.at("MANIFEST"), "");
    EXPECT_EQ(env.at("EMULATED"), "no");
    EXPECT_EQ(env.at("DOCKER_HOST"), "unix:///x");
}

class Readiness : public testing::Test {
  protected:
    void wait(Milliseconds within = Milliseconds(60'000)) {
        Console console(err_, {});
        const ReadyContext context{
            instance,
            ports,
            http,
            console,
            [&](const std::string&) { return ++script_runs >= script_passes_at; },
            [&](Milliseconds) {
                if (++waits == 3 && on_third_wait) {
                    on_third_wait();
                }
            }};
        wait_until_ready(spec, within, context);
    }

    std::string failure(Milliseconds within = Milliseconds(0)) {
        try {
            wait(within);
        } catch (const Error& error) {
            std::string out = error.message();
            for (const std::string& line : error.details()) {
                out += "|" + line;
            }
            return out;
        }
        return "ready";
    }

    test::FakeInstance instance;
    test::FakeHttpClient http;
    std::vector<PublishedPort> ports{{"https", 443, 40123}};
    ReadySpec spec = default_suite().ready;
    int waits = 0;
    int script_runs = 0;
    int script_passes_at = 1;
    std::function<void()> on_third_wait;

  private:
    std::ostringstream err_;
};

TEST_F(Readiness, NeedsNothingByDefault) {
    wait();
    EXPECT_EQ(waits, 0);
}

TEST_F(Readiness, WaitsForTheStatus) {
    spec.port = "https";
    spec.tls = true;
    spec.path = "/status";
    http.answer("https://127.0.0.1:40123/status", {502, "not yet"});
    on_third_wait = [&] { http.answer("https://127.0.0.1:40123/status", {200, "up"}); };
    wait();
    EXPECT_EQ(waits, 3);
    http.answer("https://127.0.0.1:40123/status", {401, ""});
    spec.statuses = {200, 401};
    wait();
}

TEST_F(Readiness, WaitsForEverythingInOrder) {
    instance.is_machine = true;
    spec.console = "login:";
    spec.run = "probe";
    script_passes_at = 2;
    instance.inside_opens_at = 2;
    on_third_wait = [&] { instance.text = "booting\nhost login: "; };
    wait();
    EXPECT_EQ(instance.inside_tries, 2);
    EXPECT_EQ(script_runs, 2);
    EXPECT_EQ(waits, 5);
}

TEST_F(Readiness, DoesNotAskAContainerForItsConsole) {
    spec.console = "login:";
    wait();
}

TEST_F(Readiness, FailsWithTheEndOfTheLog) {
    spec.port = "https";
    spec.path = "/status";
    instance.text = "one\ntwo\n";
    EXPECT_EQ(
        failure(),
        "the container was not ready within 0.0s: timed out waiting for "
        "http://127.0.0.1:40123/status to "
        "respond with status 200; last status: 404|one|two");
    instance.is_on = false;
    EXPECT_EQ(failure(), "the container exited before it was ready|one|two");
}

TEST(LastConsoleLine, ShowsWhetherAMachineGetsOn) {
    test::FakeInstance instance;
    instance.text = "[    1.0] Linux\r\nStarting \x1b[1mcloud-init\r\n\r\n";
    EXPECT_EQ(last_console_line(instance), "");
    instance.is_machine = true;
    EXPECT_THAT(last_console_line(instance), testing::StartsWith("; its console: Starting "));
    EXPECT_EQ(last_console_line(instance).find('\x1b'), std::string::npos);
    instance.text = "\n";
    EXPECT_EQ(last_console_line(instance), "");
}

} // namespace
} // namespace kiln
