// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "base/io/file.hpp"
#include "run/suite.hpp"

#include <gtest/gtest.h>

namespace kiln {
namespace {

using namespace std::chrono_literals;

class SuiteFile : public testing::Test {
  protected:
    std::optional<Suite> load(const std::string& text, const Variables& set = {}) {
        write_file_atomically(path_, text);
        diags_ = Diagnostics();
        return load_suite(path_, set, diags_);
    }

    /// The only fault of a text, with its hint.
    std::string fault(const std::string& text) {
        EXPECT_FALSE(load("kiln: 1\nsuite: web\n" + text));
        EXPECT_EQ(diags_.error_count(), 1U) << diags_.render_all();
        if (diags_.all().empty()) {
            return {};
        }
        const Diagnostic& first = diags_.all().front();
        return std::to_string(first.pos.line) + ":" + std::to_string(first.pos.column) + ": " +
               first.message + (first.hint.empty() ? "" : " [" + first.hint + "]");
    }

    Diagnostics diags_;

  private:
    TempDir dir_{temporary_root(), "kiln-test"};
    fs::path path_ = dir_.path() / "web.yaml";
};

TEST_F(SuiteFile, BecomesValues) {
    const auto suite = load(R"(
kiln: 1
suite: web
summary: a web server
variables: {user: ADMIN, password: secret}
ports: {http: 80, https: 443}
ready: {port: https, tls: true, path: /status, status: [200, 401], within: 10m}
container:
  environment: {PASSWORD: "${password}", PLAIN: "$${x}"}
  volume: /data
  memory: 1GiB
  command: [run, "${user}"]
  options: [--read-only]
  stop: 5s
vm:
  memory: 2GiB
  cpus: 4
  inside: serial
  root_disk: 8GiB
  data_disk: 4GiB
  outgoing: true
  seed: {web.yaml: "password: ${password}, key: ${ssh_key}"}
source: echo real
login: echo "$USER"
setup:
  - {setup: first, run: "true"}
  - {setup: second, after: [first], timeout: 2m, run: "true"}
checks:
  - {check: 17, title: it works, only: [vm], source: [real], after: [second], run: 'echo ${HOME}'}
  - {check: 18, title: too, only: [vm, container], timeout: 90s, run: "true"}
)");
    ASSERT_TRUE(suite) << diags_.render_all();
    EXPECT_EQ(suite->name, "web");
    EXPECT_EQ(suite->find_port("https")->port, 443);
    EXPECT_EQ(suite->ready.statuses, (std::vector{200, 401}));
    EXPECT_EQ(suite->ready.within, 10min);
    EXPECT_EQ(suite->container.environment.at("PASSWORD"), "secret");
    EXPECT_EQ(suite->container.environment.at("PLAIN"), "${x}");
    EXPECT_EQ(suite->container.command, (std::vector<std::string>{"run", "ADMIN"}));
    EXPECT_EQ(suite->container.stop, 5s);
    EXPECT_EQ(suite->machine.inside, MachineShell::serial);
    EXPECT_EQ(suite->machine.data_bytes, std::uint64_t{4} << 30U);
    EXPECT_EQ(
        suite->machine.seed.at("web.yaml"), "password: secret, key: " + std::string(kSshKeyMark));
    ASSERT_EQ(suite->checks.size(), 2U);
    EXPECT_EQ(suite->checks[0].id, "17");
    EXPECT_EQ(suite->checks[0].only, InstanceKind::vm);
    EXPECT_EQ(suite->checks[0].run, "echo ${HOME}"); // scripts are the shell's own
    EXPECT_FALSE(suite->checks[1].only);
    EXPECT_EQ(suite->checks[1].timeout, 90s);
    EXPECT_EQ(suite->setups[1].after, std::vector<std::string>{"first"});
}

TEST_F(SuiteFile, HasDefaults) {
    const auto suite = load("kiln: 1\nsuite: web\n");
    ASSERT_TRUE(suite);
    EXPECT_EQ(suite->ready.within, 5min);
    EXPECT_EQ(suite->machine.inside, MachineShell::ssh);
    EXPECT_EQ(suite->container.stop, 30s);
    EXPECT_FALSE(suite->machine.outgoing);
}

TEST_F(SuiteFile, TakesOtherTextsForVariables) {
    const std::string text = "kiln: 1\nsuite: web\nvariables: {user: ADMIN}\n"
                             "container: {command: ['${user}']}\n";
    const auto suite = load(text, {{"user", "ROOT"}});
    ASSERT_TRUE(suite);
    EXPECT_EQ(suite->container.command.front(), "ROOT");
    try {
        static_cast<void>(load(text, {{"usr", "ROOT"}}));
        FAIL();
    } catch (const UsageError& error) {
        EXPECT_EQ(error.message(), "unknown variable 'usr' (--set)");
        EXPECT_EQ(error.hint(), "did you mean 'user'?");
    }
}

TEST_F(SuiteFile, RefusesWhatDoesNotFitTogether) {
    EXPECT_EQ(
        fault("ports: {http: 80}\nready: {port: htp}\n"),
        "4:15: unknown port 'htp' [did you mean 'http'?]");
    EXPECT_EQ(fault("ready: {path: /}\n"), "3:15: 'path' requires 'port' [add 'port: NAME']");
    EXPECT_EQ(
        fault("setup:\n  - {setup: b, after: [a], run: x}\n  - {setup: a, run: x}\n"),
        "4:24: unknown setup 'a' [a setup can only depend on earlier ones]");
    EXPECT_EQ(
        fault("checks:\n  - {check: 1, title: x, after: [up], run: x}\n"),
        "4:34: unknown setup 'up' [add it to 'setup']");
    EXPECT_EQ(
        fault("checks:\n  - {check: 1, title: x, source: [real], run: x}\n"),
        "4:34: the suite has no 'source' script to determine the source of the image [add a "
        "'source:' script at the top level]");
    EXPECT_EQ(
        fault("variables: {host: x}\n"),
        "3:13: the variable name 'host' is reserved [kiln sets this variable for scripts itself; "
        "see "
        "docs/accept.md]");
    EXPECT_EQ(
        fault("container: {environment: {A: '${x}'}}\n"),
        "3:31: unknown variable 'x' [write '$${' for a literal '${']");
    const std::string twice = fault("checks:\n  - {check: 1, title: x, run: x}\n"
                                    "  - {check: 1, title: x, run: x}\n");
    EXPECT_EQ(twice.substr(0, twice.find(" [")), "5:13: duplicate check '1'");
}

} // namespace
} // namespace kiln
