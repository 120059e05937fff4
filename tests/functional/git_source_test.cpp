// SPDX-License-Identifier: MIT
// The real git: servers of plain files, local repositories, and URLs that would run a program.
#include "archive/archive_reader.hpp"
#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "inputs/git_source.hpp"
#include "support/fake_http_client.hpp"
#include "support/script_server.hpp"
#include "support/toy_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <map>
#include <sstream>
#include <thread>

namespace kiln {
namespace {

using testing::Contains;
using testing::ElementsAre;
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

    /// Commits files of a separate repository, which may be fetched as HEAD's id.
    std::string commit(const std::map<std::string, std::string>& files) {
        for (const auto& [name, content] : files) {
            fs::create_directories((dir_.path() / "work" / name).parent_path());
            write_file(dir_.path() / "work" / name, content);
        }
        git({"add", "-A"});
        git({"-c", "user.name=x", "-c", "user.email=x@x", "commit", "-qm", "more"});
        return git({"rev-parse", "HEAD"}).substr(0, 40);
    }

    /// What the archive of a commit of the work tree has, by path.
    std::map<std::string, std::string> archived(const std::string& commit) {
        const Digest digest = fetch_git_archive({"work", commit, dir_.path()}, in());
        FileSource file(pool_.path_of(digest));
        ArchiveReader reader(file, "commit.tar");
        std::map<std::string, std::string> out;
        while (const auto member = reader.next()) {
            MemorySink content;
            copy(reader.content(), content);
            if (member->entry.type == FileType::regular) {
                out[member->path] = content.text();
            }
        }
        return out;
    }

    Error failure(const std::string& commit) {
        try {
            static_cast<void>(archived(commit));
        } catch (const Error& error) {
            return error;
        }
        ADD_FAILURE() << "no exception";
        return Error("none");
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

TEST_F(GitFetch, TakesFilesAsTheyWereCommitted) {
    const std::map<std::string, std::string> files{
        {".gitattributes",
         "[attr]hidden export-ignore\ntests hidden\n*.txt export-ignore\nversion export-subst\n"
         "ident ident\ncrlf text eol=crlf\nwide text working-tree-encoding=UTF-16\n"
         "filtered filter=lfs\n"},
        {"tests/one", "1\n"},
        {"notes.txt", "not exported\n"},
        {"version", "$Format:%H$\n"},
        {"ident", "$Id$\n"},
        {"crlf", "a\nb\n"},
        {"wide",
         std::string(
             "\xff\xfe"
             "a\0",
             4)},
        {"filtered", "content\n"}};
    std::map<std::string, std::string> committed = files;
    committed["wide"] = "a"; // git keeps UTF-8
    committed["file"] = "new";
    EXPECT_EQ(archived(commit(files)), committed);
}

TEST_F(GitFetch, RefusesSubmodulesAndNamesThem) {
    git({"update-index", "--add", "--cacheinfo", "160000," + commit_ + ",vendor/theme"});
    git({"-c", "user.name=x", "-c", "user.email=x@x", "commit", "-qm", "module"});
    const Error error = failure(git({"rev-parse", "HEAD"}).substr(0, 40));
    EXPECT_EQ(
        error.message(), "the commit has 1 submodule, whose content is not in the repository");
    EXPECT_EQ(error.exit_code(), ExitCode::invalid_recipe);
    EXPECT_THAT(error.details(), ElementsAre("vendor/theme"));
    EXPECT_THAT(error.hint(), HasSubstr("as a 'directory' source"));
    EXPECT_THAT(error.context(), Contains(HasSubstr("of 'work'")));
}

TEST_F(GitFetch, RefusesPointersOfLfsAndNamesThem) {
    const std::string pointer =
        "version https://git-lfs.github.com/spec/v1\noid sha256:" + std::string(64, 'a') +
        "\nsize 12345\n";
    const Error error = failure(commit({{"img/logo.png", pointer}, {"about.md", "x " + pointer}}));
    EXPECT_EQ(
        error.message(),
        "the commit has 1 file in Git LFS, whose content is not in the repository");
    EXPECT_EQ(error.exit_code(), ExitCode::invalid_recipe);
    EXPECT_THAT(error.details(), ElementsAre("img/logo.png"));
}

TEST_F(GitFetch, TakesARepositoryOfAnotherUser) {
    if (::geteuid() != 0) {
        GTEST_SKIP() << "only root can give files away";
    }
    constexpr uid_t kOther = 4242;
    const fs::path bare = dir_.path() / "www/app.git";
    for (const auto& entry : fs::recursive_directory_iterator(bare)) {
        ASSERT_EQ(::lchown(entry.path().c_str(), kOther, kOther), 0);
    }
    ASSERT_EQ(::lchown(bare.c_str(), kOther, kOther), 0);
    EXPECT_THAT(fetch(bare.string()), HasSubstr("old"));
    EXPECT_THAT(fetch("file://" + bare.string()), HasSubstr("old"));
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
