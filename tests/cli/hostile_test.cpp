// SPDX-License-Identifier: MIT
//
// The command line against files that were made to hang it, folders that are not kiln's own, and
// names that a terminal would obey.
#include "base/io/file.hpp"
#include "cli/terminal_output.hpp"
#include "support/fake_io.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

namespace kiln {
namespace {

using test::CliResult;
using testing::HasSubstr;

class HostileCommandLine : public testing::Test {
  protected:
    void SetUp() override {
        fs::current_path(dir_.path());
        world_.env["KILN_CACHE"] = cache().string();
        write_file_atomically("web.yaml", "kiln: 1\nname: web\n");
    }

    void TearDown() override { fs::current_path("/"); }

    CliResult run(std::vector<std::string> words) { return world_.run(std::move(words)); }

    [[nodiscard]] fs::path dir() const { return dir_.path(); }

    [[nodiscard]] fs::path cache() const { return dir_.path() / "cache"; }

  private:
    TempDir dir_{temporary_root(), "kiln-test"};
    test::FakeHost world_;
};

TEST_F(HostileCommandLine, RecipesThatAreNoFiles) {
    ASSERT_EQ(::mkfifo("fifo.yaml", 0600), 0);
    const CliResult fifo = run({"check", "fifo.yaml"});
    EXPECT_EQ(fifo.exit_code, 3);
    EXPECT_EQ(fifo.err, "error: 'fifo.yaml' is not a regular file\n");
    EXPECT_EQ(run({"check", "/dev/zero"}).err, "error: '/dev/zero' is not a regular file\n");
    write_file_atomically(
        "web.yaml",
        "kiln: 1\nname: web\n"
        "artifacts: {perl: {bundle: fifo.yaml}, tool: {program: /dev/zero}}\n"
        "accept: fifo.yaml\n");
    const CliResult named = run({"check", "web.yaml"});
    EXPECT_EQ(named.exit_code, 3);
    EXPECT_THAT(named.err, HasSubstr("web.yaml:3:19: error: 'fifo.yaml' is not a regular file\n"));
    EXPECT_THAT(named.err, HasSubstr("web.yaml:3:46: error: '/dev/zero' is not a regular file\n"));
    write_file_atomically("web.yaml", "kiln: 1\nname: web\naccept: fifo.yaml\n");
    const CliResult suite = run({"check", "web.yaml"});
    EXPECT_EQ(suite.exit_code, 3);
    EXPECT_THAT(suite.err, HasSubstr("'fifo.yaml' is not a regular file\n"));
}

TEST_F(HostileCommandLine, LocksThatAreNoFiles) {
    ASSERT_EQ(::mkfifo("web.lock", 0600), 0);
    const CliResult result = run({"lock", "web.yaml", "--update", "nginx"});
    EXPECT_EQ(result.exit_code, 3);
    EXPECT_EQ(result.err, "error: 'web.lock' is not a regular file\n");
}

TEST_F(HostileCommandLine, KeyringsThatAreNoFiles) {
    ASSERT_EQ(::mkfifo("keys.gpg", 0600), 0);
    const CliResult result = run({"lock", "web.yaml", "--cpan-keyring", "keys.gpg"});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_EQ(result.err, "error: 'keys.gpg' is not a regular file (--cpan-keyring)\n");
}

TEST_F(HostileCommandLine, FaultsWithoutEnd) {
    std::string text = "kiln: 1\nname: web\n";
    for (int i = 0; i < 1000; ++i) {
        text += fmt::format("\"key{}\\e[2J\": 1\n", i);
    }
    write_file_atomically("web.yaml", text);
    const CliResult result = run({"check", "web.yaml"});
    EXPECT_EQ(result.exit_code, 3);
    EXPECT_THAT(result.err, HasSubstr("web.yaml:3:1: error: unknown key 'key0\\x1b[2J' in recipe"));
    EXPECT_THAT(
        result.err, HasSubstr("... and 900 more\nerror: recipe 'web.yaml' has 1000 errors"));
    EXPECT_EQ(result.err.find('\x1b'), std::string::npos);
    const CliResult json = run({"check", "web.yaml", "--json"});
    const auto faults = nlohmann::json::parse(json.out);
    EXPECT_EQ(faults.at("faults").size(), 100U);
    EXPECT_EQ(faults.at("omitted"), 900);
}

TEST_F(HostileCommandLine, NamesThatAreNoUtf8InJson) {
    const std::string name = "we\xff"
                             "b.yaml";
    write_file_atomically(name, "kiln: 1\nname: web\n");
    const CliResult result = run({"check", name, "--json"});
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_EQ(
        nlohmann::json::parse(result.out).at("recipe"),
        "we\xef\xbf\xbd"
        "b.yaml");
    const CliResult text = run({"check", "\x1b[2J.yaml"});
    EXPECT_EQ(text.err, "error: cannot open '\\x1b[2J.yaml': No such file or directory\n");
}

TEST_F(HostileCommandLine, CachesThatOthersCanWriteTo) {
    fs::create_directory(cache());
    fs::permissions(cache(), fs::perms(0777));
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"cache", "list"},
          {"cache", "prune", "--all"},
          {"lock", "web.yaml"},
          {"bake", "web.yaml"},
          {"artifact", "list"}}) {
        const CliResult result = run(words);
        EXPECT_EQ(result.exit_code, 1);
        EXPECT_THAT(
            result.err,
            testing::StartsWith(fmt::format(
                "error: other users can write to '{0}'\nhint: if you trust its content, run 'chmod "
                "go-w {0}'",
                cache().string())));
    }
    EXPECT_TRUE(fs::is_empty(cache()));
}

TEST_F(HostileCommandLine, OutputFoldersThatAllCanWriteTo) {
    fs::create_directory("out");
    fs::permissions("out", fs::perms(0777));
    const CliResult result = run({"bake", "web.yaml", "--out", "out"});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_EQ(
        result.err,
        "error: the output directory 'out' is writable by every user\n"
        "hint: run 'chmod o-w out', or use another directory with --out\n");
    EXPECT_TRUE(fs::is_empty("out"));
}

TEST_F(HostileCommandLine, OutputFoldersInTheCache) {
    const std::string inside = (cache() / "stages/out").string();
    const CliResult result = run({"bake", "web.yaml", "--out", inside});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.err, HasSubstr("' is inside the cache directory, where files are removed"));
    EXPECT_FALSE(fs::exists(inside));
}

TEST_F(HostileCommandLine, IncompleteTreesStayUntilTheyArePruned) {
    const fs::path kept = cache() / "kept/bake.1/upper";
    fs::create_directories(kept);
    fs::create_directories(cache() / "work/bake.2/upper"); // of a kiln that was killed
    const CliResult listed = run({"cache", "list"});
    EXPECT_EQ(listed.exit_code, 0);
    EXPECT_THAT(
        listed.out,
        HasSubstr(fmt::format("incomplete tree in '{}', kept ", kept.parent_path().string())));
    const auto json = nlohmann::json::parse(run({"cache", "list", "--json"}).out);
    EXPECT_EQ(json.at("kept").at(0).at("path"), kept.parent_path().string());
    EXPECT_FALSE(fs::exists(cache() / "work/bake.2"));
    EXPECT_EQ(run({"cache", "prune", "--days", "0"}).exit_code, 0);
    EXPECT_TRUE(fs::exists(kept));
    const CliResult pruned = run({"cache", "prune", "--kept"});
    EXPECT_EQ(pruned.exit_code, 0);
    EXPECT_EQ(pruned.out, "removed 1 incomplete trees\n");
    EXPECT_FALSE(fs::exists(kept.parent_path()));
    fs::create_directories(kept);
    EXPECT_THAT(run({"cache", "prune", "--all"}).out, HasSubstr("removed 1 incomplete trees\n"));
    EXPECT_FALSE(fs::exists(kept.parent_path()));
}

TEST_F(HostileCommandLine, DamagedStagesAreListed) {
    EXPECT_EQ(run({"cache", "list"}).exit_code, 0);
    struct stat status{};
    ASSERT_EQ(::stat((cache() / "stages").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0700U);
    const fs::path stage = cache() / "stages/0123456789abcdef0123456789abcdef";
    fs::create_directory(stage);
    for (const char* text : {"", "[]", "{\"key\": 7}", "\xff"}) {
        write_file_atomically(stage / "stage.json", text);
        const CliResult result = run({"cache", "list"});
        EXPECT_EQ(result.exit_code, 0);
        EXPECT_EQ(result.err, "");
        EXPECT_THAT(
            result.out,
            testing::StartsWith(
                "0123456789ab  damaged; run 'kiln cache prune' to remove it\n1 stages"));
        EXPECT_EQ(run({"artifact", "list"}).exit_code, 0);
        const auto json = nlohmann::json::parse(run({"cache", "list", "--json"}).out);
        EXPECT_EQ(json.at("stages").at(0).at("damaged"), true);
    }
}

TEST(TerminalOutput, EscapesWhatTheTerminalWouldObey) {
    std::ostringstream below;
    {
        TerminalOutput out(below);
        out << "name \xc3";
        out << "\xa4 \x1b[2J\tx\n";
        EXPECT_EQ(below.str(), "name \xc3\xa4 \\x1b[2J\tx\n");
        out << "ask: \xe2\x80\xae" << std::flush;
        EXPECT_EQ(below.str(), "name \xc3\xa4 \\x1b[2J\tx\nask: \\u{202e}");
        out << 'r' << "est";
    }
    EXPECT_EQ(below.str(), "name \xc3\xa4 \\x1b[2J\tx\nask: \\u{202e}rest");
}

TEST(TerminalOutput, TellsWhenNothingCanBeWritten) {
    std::ostringstream below;
    below.setstate(std::ios::badbit);
    TerminalOutput out(below);
    out << "text\n" << std::flush;
    EXPECT_FALSE(out);
}

} // namespace
} // namespace kiln
