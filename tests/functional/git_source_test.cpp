// SPDX-License-Identifier: MIT
// The real git: servers of plain files, local repositories, and URLs that would run a program.
#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "pipeline/git_source.hpp"
#include "support/fake_http_client.hpp"
#include "support/script_server.hpp"
#include "support/toy_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <sstream>
#include <thread>

namespace kiln {
namespace {

using testing::HasSubstr;
using testing::Not;

class GitFetch : public testing::Test {
  protected:
    GitFetch() {
        fs::create_directories(dir_.path() / "work");
        git({"init", "-q"});
        for (const char* content : {"old", "new"}) {
            write_file(dir_.path() / "work/file", content);
            git({"add", "file"});
            git({"-c", "user.name=x", "-c", "user.email=x@x", "commit", "-qm", content});
        }
        commit_ = git({"rev-parse", "HEAD~1"}).substr(0, 40);
        const std::string bare = (dir_.path() / "www/app.git").string();
        git({"clone", "-q", "--bare", ".", bare});
        git({"--git-dir", bare, "update-server-info"});
    }

    std::string git(std::vector<std::string> args) {
        Environment env = clean_environment();
        env["GIT_CONFIG_NOSYSTEM"] = "1";
        env["GIT_CONFIG_GLOBAL"] = "/dev/null";
        return runner_.run_checked(
            {.program = "git", .args = std::move(args), .env = env, .cwd = dir_.path() / "work"});
    }

    InputContext in(Environment env = {}) {
        return {console_, runner_, http_, mirrors_, pool_, false, {}, std::move(env), &proxies_};
    }

    /// The archive of the first commit.
    std::string fetch(const std::string& url) {
        const Digest digest = fetch_git_archive({url, commit_}, in());
        return read_text_file(pool_.path_of(digest));
    }

    TempDir dir_{temporary_root(), "kiln-test"};
    SystemProcessRunner runner_;
    std::ostringstream log_;
    Console console_{log_, {}};
    test::FakeHttpClient http_;
    Mirrors mirrors_{{}};
    Pool pool_{dir_.path() / "pool"};
    // A proxy that is not there: this machine is reached without it.
    HostProxies proxies_{{{"http_proxy", "http://127.0.0.1:1"}}, runner_};
    std::string commit_;
};

TEST_F(GitFetch, TakesTheCommitOfALocalRepository) {
    EXPECT_THAT(fetch((dir_.path() / "www/app.git").string()), HasSubstr("old"));
    EXPECT_THAT(fetch("file://" + (dir_.path() / "www/app.git").string()), Not(HasSubstr("new")));
}

TEST_F(GitFetch, TakesTheCommitFromAServerOfPlainFiles) {
    const test::ToyServer server(dir_.path() / "www");
    EXPECT_THAT(fetch(server.url() + "/app.git"), HasSubstr("old"));
}

TEST_F(GitFetch, RunsNoHookNoHelperAndNoSetting) {
    const std::string victim = (dir_.path() / "victim").string();
    const std::string script = "#!/bin/sh\ntouch " + victim + "\n";
    const fs::path bare = dir_.path() / "www/app.git";
    for (const char* hook : {"post-checkout", "reference-transaction", "post-update"}) {
        write_file(bare / "hooks" / hook, script);
        fs::permissions(bare / "hooks" / hook, fs::perms(0755));
    }
    git({"--git-dir", bare.string(), "config", "core.fsmonitor", "touch " + victim});
    EXPECT_THAT(fetch(bare.string()), HasSubstr("old"));
    for (const std::string& url :
         {"ext::touch% " + victim, "--upload-pack=touch " + victim, "-u" + victim}) {
        try {
            static_cast<void>(fetch(url));
            ADD_FAILURE() << url;
        } catch (const Error& error) {
            EXPECT_EQ(error.exit_code(), ExitCode::invalid_recipe) << url;
        }
    }
    EXPECT_FALSE(fs::exists(victim));
}

TEST_F(GitFetch, IsRedirectedToNoFile) {
    const std::string target = "file://" + (dir_.path() / "www/app.git").string();
    const test::ScriptServer server([&](const auto& request, auto& connection) {
        const std::string path = request.target.substr(std::string("/app.git").size());
        connection.answer(302, "", "Location: " + target + path + "\r\n");
    });
    try {
        static_cast<void>(fetch(server.url() + "/app.git"));
        ADD_FAILURE() << "no exception";
    } catch (const Error& error) {
        EXPECT_EQ(error.exit_code(), ExitCode::failed);
        EXPECT_EQ(error.message(), "'git fetch' failed with exit code 128");
    }
}

TEST_F(GitFetch, StopsAtAnInterrupt) {
    const test::ScriptServer silent([](const auto&, auto& connection) {
        connection.repeat("", std::chrono::milliseconds(100));
    });
    std::jthread later([] {
        std::this_thread::sleep_for(std::chrono::milliseconds(500));
        request_interrupt();
    });
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_THROW(static_cast<void>(fetch(silent.url() + "/app.git")), Interrupted);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
    later.join();
    clear_interrupt();
}

} // namespace
} // namespace kiln
