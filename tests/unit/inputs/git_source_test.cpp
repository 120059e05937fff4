// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "inputs/git_source.hpp"
#include "support/fake_http_client.hpp"
#include "support/fake_process_runner.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace kiln {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;

const std::string kCommit(40, 'a');

class GitSourceTest : public testing::Test {
  protected:
    InputContext in(Environment env = {}) {
        return {console_, runner_, http_, mirrors_, pool_, false, {}, std::move(env), &proxies_};
    }

    Error failure(const GitSource& source) {
        try {
            static_cast<void>(fetch_git_archive(source, in()));
        } catch (const Error& error) {
            return error;
        }
        ADD_FAILURE() << "no exception";
        return Error("none");
    }

    TempDir dir_{temporary_root(), "kiln-test"};
    std::ostringstream log_;
    Console console_{log_, {}};
    test::FakeProcessRunner runner_;
    test::FakeHttpClient http_;
    Mirrors mirrors_{{}};
    Pool pool_{dir_.path() / "pool"};
    HostProxies proxies_{{{"https_proxy", "http://p:1"}}, runner_};
};

TEST(GitProtocols, AreThoseOfTheUrlAlone) {
    EXPECT_EQ(git_protocols("https://a.example/x.git"), "https");
    EXPECT_EQ(git_protocols("http://a.example/x.git"), "http:https");
    EXPECT_EQ(git_protocols("ssh://git@a.example/x"), "ssh");
    EXPECT_EQ(git_protocols("git@a.example:x.git"), "ssh");
    EXPECT_EQ(git_protocols("git://a.example/x"), "git");
    EXPECT_EQ(git_protocols("file:///srv/x"), "file");
    EXPECT_EQ(git_protocols("/srv/x"), "file");
    EXPECT_EQ(git_protocols("../x"), "file");
    EXPECT_EQ(git_protocols("./a:b"), "file");
}

TEST(GitProtocols, RefuseWhatRunsAProgram) {
    for (const char* url :
         {"ext::sh -c touch% /victim",
          "fd::17",
          "x::https://a.example/x",
          "ftp://a.example/x",
          "ext://a.example/x",
          "--upload-pack=touch /victim",
          "-x",
          "ssh://-oProxyCommand=touch/x",
          "ssh://me@-oProxyCommand=touch/x",
          "-oProxyCommand=touch:x",
          "me@-oProxyCommand=touch:x",
          ""}) {
        try {
            static_cast<void>(git_protocols(url));
            ADD_FAILURE() << url;
        } catch (const Error& error) {
            EXPECT_EQ(error.exit_code(), ExitCode::invalid_recipe);
            EXPECT_THAT(error.message(), HasSubstr("git repository '")) << url;
        }
    }
}

TEST_F(GitSourceTest, RunsNothingForABadUrlOrCommit) {
    EXPECT_THAT(
        failure({"ext::sh -c x", kCommit}).message(), HasSubstr("transport helpers such as"));
    EXPECT_THAT(
        failure({"https://a.example/x", "--upload-pack=x"}).message(), HasSubstr("not a commit"));
    EXPECT_THAT(runner_.commands, IsEmpty());
}

TEST_F(GitSourceTest, KeepsGitFromSettingsHooksAndQuestions) {
    EXPECT_THAT(
        failure({"https://a.example/x", kCommit}).message(), HasSubstr("commit.tar")); // none made
    ASSERT_EQ(runner_.commands.size(), 4U); // init, fetch, ls-tree, archive
    for (const Command& command : runner_.commands) {
        EXPECT_EQ(command.env.at("GIT_CONFIG_NOSYSTEM"), "1");
        EXPECT_EQ(command.env.at("GIT_CONFIG_GLOBAL"), "/dev/null");
        EXPECT_EQ(command.env.at("GIT_TERMINAL_PROMPT"), "0");
        EXPECT_EQ(command.env.at("GIT_NO_LAZY_FETCH"), "1");
        EXPECT_EQ(command.env.at("GIT_ALLOW_PROTOCOL"), "https");
        EXPECT_THAT(command.env.at("GIT_SSH_COMMAND"), HasSubstr("BatchMode=yes"));
        EXPECT_EQ(command.env.at("https_proxy"), "http://p:1");
        EXPECT_GT(command.timeout.count(), 0);
        EXPECT_TRUE(command.watch);
        EXPECT_THAT(
            command.args,
            IsSupersetOf(
                {"core.hooksPath=/dev/null", "core.fsmonitor=false", "credential.helper="}));
    }
    EXPECT_THAT(
        runner_.commands[1].args,
        IsSupersetOf({"--no-recurse-submodules", "--", "https://a.example/x", kCommit.c_str()}));
}

} // namespace
} // namespace kiln
