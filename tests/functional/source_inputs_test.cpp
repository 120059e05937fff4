// SPDX-License-Identifier: MIT
// Sources locked and fetched with real archives, git and libcurl.
#include "inputs/source_inputs.hpp"
#include "support/expect_error.hpp"
#include "support/raw_tar.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace kiln {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class SourceInputs : public testing::Test {
  protected:
    SourceInputs() { fs::create_directory(folder_); }

    SourceSpecs tarball(const std::string& name, const std::string& bytes) {
        write_file(folder_ / name, bytes);
        return {{"app", {"app", TarballSource{name, sha256(bytes), 0, folder_}, {}}}};
    }

    InputContext in() { return {console_, runner_, http_, mirrors_, pool_}; }

    TempDir dir_{temporary_root(), "kiln-test"};
    fs::path folder_ = dir_.path() / "my project #1 100%25";
    SystemProcessRunner runner_;
    std::ostringstream log_;
    Console console_{log_, {}};
    CurlHttpClient http_;
    Mirrors mirrors_{{}};
    Pool pool_{dir_.path() / "pool"};
};

TEST_F(SourceInputs, AreFoundInAFolderOfAnyName) {
    const std::string bytes = test::RawTar().file("one").hard_link("two", "one").bytes();
    const SourceSpecs sources = tarball("app 50%.tar", bytes);
    const std::vector<LockedSource> locked = lock_sources(sources, in());
    ASSERT_EQ(locked.size(), 1U);
    EXPECT_EQ(locked[0].location, "app 50%.tar"); // as written: the same lock wherever it lies
    Lockfile lock;
    lock.sources = locked;
    ASSERT_NE(find_locked_source(lock, sources.at("app")), nullptr);
    const SourceInput input = locked_input(sources.at("app"), locked[0], pool_);
    EXPECT_EQ(read_text_file(input.path), bytes);
    EXPECT_EQ(input.name, "source 'app' (app 50%.tar)");
}

TEST_F(SourceInputs, AreRefusedByNameWhenTheyAreLocked) {
    EXPECT_EQ(
        test::message_of(
            [&] { static_cast<void>(lock_sources(tarball("a.zip", "PK\x03\x04..."), in())); },
            ExitCode::invalid_recipe),
        "source 'app' (a.zip): it is a zip archive");
    EXPECT_THAT(
        test::message_of(
            [&] { static_cast<void>(lock_sources(tarball("a.tar", "no archive"), in())); },
            ExitCode::invalid_recipe),
        HasSubstr("source 'app' (a.tar): "));
}

TEST_F(SourceInputs, LockARepositoryByItsPathAsWritten) {
    const auto git = [&](std::vector<std::string> args) {
        args.insert(args.begin(), {"-c", "user.name=x", "-c", "user.email=x@x"});
        return runner_.run_checked(
            {.program = "git",
             .args = std::move(args),
             .env = clean_environment(),
             .cwd = dir_.path() / "app.git"});
    };
    fs::create_directory(dir_.path() / "app.git");
    git({"init", "-q"});
    write_file(dir_.path() / "app.git/file", "x");
    git({"add", "file"});
    git({"commit", "-qm", "one"});
    const std::string commit = git({"rev-parse", "HEAD"}).substr(0, 40);
    const std::vector<LockedSource> locked =
        lock_sources({{"app", {"app", GitSource{"../app.git", commit, folder_}, {}}}}, in());
    ASSERT_EQ(locked.size(), 1U);
    EXPECT_EQ(locked[0].location, "../app.git");
    EXPECT_EQ(locked[0].version, commit);

    const SourceSpec source{"app", GitSource{"../app.git", commit, folder_}, {}};
    const fs::path kept = pool_.path_of(locked[0].sha256);
    const std::string whole = read_text_file(kept);
    fs::permissions(kept, fs::perms::owner_all);
    write_file(kept, "damaged");
    fetch_git_source(source, locked[0], "'kiln lock web'", in());
    EXPECT_EQ(read_text_file(kept), whole);
    EXPECT_TRUE(fs::exists(kept.string() + ".damaged"));
}

TEST_F(SourceInputs, AreDirectoriesAsTheyWereReadFirst) {
    const HostFiles host;
    write_file(folder_ / "file", "one");
    const SourceSpec source{"app", DirectorySource{folder_}, {}};
    const SourceInput before = directory_input(source, host);
    write_file(folder_ / "file", "two");
    EXPECT_EQ(directory_input(source, host).digest, before.digest);
    EXPECT_NE(directory_input(source, HostFiles()).digest, before.digest);
    EXPECT_THAT(
        test::message_of([&] { check_unchanged(before.path, host.folder(before.path)); }),
        HasSubstr("changed while it was being read"));
}

} // namespace
} // namespace kiln
