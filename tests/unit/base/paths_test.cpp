// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "base/io/file.hpp"
#include "base/io/paths.hpp"

#include <grp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

namespace kiln {
namespace {

std::filesystem::path root_in(const Environment& env) {
    return cache_root(lookup_in(env));
}

TEST(CacheRoot, PrefersItsOwnVariable) {
    EXPECT_EQ(root_in({{"KILN_CACHE", "/c"}, {"XDG_CACHE_HOME", "/x"}, {"HOME", "/h"}}), "/c");
    EXPECT_EQ(root_in({{"XDG_CACHE_HOME", "/x"}, {"HOME", "/h"}}), "/x/kiln");
    EXPECT_EQ(root_in({{"HOME", "/h"}}), "/h/.cache/kiln");
}

TEST(CacheRoot, PassesOverEmptyAndRelativeVariables) {
    EXPECT_EQ(
        root_in({{"KILN_CACHE", ""}, {"XDG_CACHE_HOME", "x"}, {"HOME", "/h"}}), "/h/.cache/kiln");
}

TEST(CacheRoot, SaysWhatToSet) {
    try {
        static_cast<void>(root_in({}));
        FAIL() << "no exception";
    } catch (const Error& error) {
        EXPECT_EQ(
            error.message(), "no directory for the cache: HOME is not set to an absolute path");
        EXPECT_EQ(error.hint(), "set KILN_CACHE to the absolute path of a directory");
    }
}

TEST(CacheRoot, RefusesARelativeFolderOfItsOwnVariable) {
    try {
        static_cast<void>(root_in({{"KILN_CACHE", "c"}, {"HOME", "/h"}}));
        FAIL() << "no exception";
    } catch (const Error& error) {
        EXPECT_EQ(error.message(), "KILN_CACHE is not an absolute path: 'c'");
        EXPECT_EQ(error.hint(), "set KILN_CACHE to the absolute path of a directory");
    }
}

TEST(OwnStateRoot, IsKeptApartFromTheCache) {
    const TempDir dir(temporary_root(), "kiln-test");
    const std::string home = dir.path().string();
    const auto root_of = [](const Environment& env) { return own_state_root(lookup_in(env)); };
    EXPECT_EQ(root_of({{"HOME", home}, {"KILN_CACHE", "/c"}}), dir.path() / ".local/state/kiln");
    EXPECT_EQ(root_of({{"HOME", "/h"}, {"XDG_STATE_HOME", home}}), dir.path() / "kiln");
    EXPECT_EQ(root_of({{"HOME", "/h"}, {"KILN_STATE", home + "/s"}}), dir.path() / "s");
    EXPECT_TRUE(fs::is_directory(dir.path() / "s"));
    try {
        static_cast<void>(root_of({}));
        FAIL() << "no exception";
    } catch (const Error& error) {
        EXPECT_EQ(
            error.message(), "no directory for the state: HOME is not set to an absolute path");
        EXPECT_EQ(error.hint(), "set KILN_STATE to the absolute path of a directory");
    }
}

mode_t mode_of(const fs::path& path) {
    struct stat status{};
    EXPECT_EQ(::lstat(path.c_str(), &status), 0);
    return status.st_mode & 07777U;
}

fs::path own_root(const fs::path& path) {
    return own_cache_root(lookup_in({{"KILN_CACHE", path.string()}}));
}

/// The message and hint of the Error that `body` throws.
template <typename Body> std::string refusal(Body&& body) {
    try {
        body();
    } catch (const Error& error) {
        EXPECT_EQ(error.exit_code(), ExitCode::failed);
        return error.message() + " | " + error.hint();
    }
    ADD_FAILURE() << "no exception";
    return {};
}

TEST(OwnCacheRoot, IsMadeForItsOwnerAlone) {
    const TempDir dir(temporary_root(), "kiln-test");
    const mode_t before = ::umask(002);
    EXPECT_EQ(own_root(dir.path() / "a/b/cache"), dir.path() / "a/b/cache");
    ::umask(before);
    EXPECT_EQ(mode_of(dir.path() / "a/b/cache"), 0700U);
}

TEST(OwnCacheRoot, IsTightenedWhenItHoldsNothingElse) {
    const TempDir dir(temporary_root(), "kiln-test");
    fs::create_directories(dir.path() / "cache/stages");
    fs::permissions(dir.path() / "cache", fs::perms(0755));
    static_cast<void>(own_root(dir.path() / "cache"));
    EXPECT_EQ(mode_of(dir.path() / "cache"), 0700U);
    // A folder that others use as well stays open; kiln's folders in it do not.
    fs::create_directories(dir.path() / "shared/photos");
    fs::permissions(dir.path() / "shared", fs::perms(0755));
    static_cast<void>(own_root(dir.path() / "shared"));
    EXPECT_EQ(mode_of(dir.path() / "shared"), 0755U);
    fs::create_directory(dir.path() / "shared/stages");
    fs::permissions(dir.path() / "shared/stages", fs::perms(0755));
    make_private_folder(dir.path() / "shared/stages");
    EXPECT_EQ(mode_of(dir.path() / "shared/stages"), 0700U);
}

TEST(OwnCacheRoot, RefusesWhatOthersCanWriteTo) {
    const TempDir dir(temporary_root(), "kiln-test");
    const fs::path cache = dir.path() / "cache";
    fs::create_directory(cache);
    for (const unsigned mode : {0777U, 0775U, 01777U}) {
        fs::permissions(cache, fs::perms(mode));
        EXPECT_EQ(
            refusal([&] { static_cast<void>(own_root(cache)); }),
            "other users can write to '" + cache.string() +
                "' | if you trust its content, run 'chmod go-w " + cache.string() +
                "'; otherwise set KILN_CACHE to a directory that you own");
    }
    fs::create_directory(dir.path() / "open");
    fs::permissions(dir.path() / "open", fs::perms(0777));
    EXPECT_EQ(
        refusal([&] { static_cast<void>(own_root(dir.path() / "open/cache")); }),
        "'" + (dir.path() / "open").string() + "', which contains the cache '" +
            (dir.path() / "open/cache").string() +
            "', is writable by every user | set KILN_CACHE to a directory that you own");
}

TEST(OwnCacheRoot, RefusesAFolderOfAnotherUserAlsoBehindALink) {
    if (::geteuid() != 0) {
        GTEST_SKIP() << "only root can make files of others";
    }
    const TempDir dir(temporary_root(), "kiln-test");
    const fs::path theirs = dir.path() / "theirs";
    fs::create_directory(theirs);
    ASSERT_EQ(::chown(theirs.c_str(), 65534, 65534), 0);
    fs::create_symlink(theirs, dir.path() / "link");
    for (const fs::path& path : {theirs, dir.path() / "link"}) {
        EXPECT_EQ(
            refusal([&] { static_cast<void>(own_root(path)); }),
            "'" + path.string() +
                "' is owned by another user (uid 65534), who could change the cache | "
                "set KILN_CACHE to a directory that you own");
    }
    write_file_atomically(dir.path() / "file", "");
    EXPECT_EQ(
        refusal([&] { static_cast<void>(own_root(dir.path() / "file")); }),
        "'" + (dir.path() / "file").string() +
            "' is not a directory | set KILN_CACHE to a directory that you own");
}

/// Whether user nobody can do something with a path.
template <typename Attempt> bool nobody_can(Attempt&& attempt) {
    const pid_t child = ::fork();
    if (child == 0) {
        const bool dropped =
            ::setgroups(0, nullptr) == 0 && ::setgid(65534) == 0 && ::setuid(65534) == 0;
        ::_exit(dropped && attempt() ? 0 : 1);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(OwnCacheRoot, WarnsOfWhoCanPutAnotherInItsPlace) {
    if (::geteuid() != 0) {
        GTEST_SKIP() << "only root can make folders of others";
    }
    const TempDir dir(temporary_root(), "kiln-test");
    const fs::path theirs = dir.path() / "theirs";
    const fs::path cache = own_root(theirs / "deep/cache");
    EXPECT_EQ(warning_of_cache(cache), "");
    ASSERT_EQ(::chown(theirs.c_str(), 65534, 65534), 0);
    EXPECT_EQ(
        warning_of_cache(own_root(cache)),
        "'" + theirs.string() +
            "' is owned by another user (uid 65534), who could replace the cache '" +
            cache.string() + "' in it; set KILN_CACHE to a directory that you own");
}

TEST(OwnCacheRoot, KeepsOtherUsersFromProgramsInTrees) {
    if (::geteuid() != 0) {
        GTEST_SKIP() << "only root can become another user";
    }
    const TempDir dir(temporary_root(), "kiln-test");
    fs::permissions(dir.path(), fs::perms(0755)); // as a home directory
    const fs::path cache = dir.path() / "cache";
    fs::create_directories(cache / "stages/key/tree");
    const fs::path tool = cache / "stages/key/tree/tool";
    fs::copy_file("/bin/true", tool);
    fs::permissions(tool, fs::perms(04755));
    fs::permissions(cache, fs::perms(0755));
    const auto run = [&] { return ::access(tool.c_str(), X_OK) == 0; };
    EXPECT_TRUE(nobody_can(run)); // as caches of older kilns were
    static_cast<void>(own_root(cache));
    EXPECT_FALSE(nobody_can(run));
}

TEST(OutFolder, IsRefusedWhenEverybodyCanWriteToIt) {
    const TempDir dir(temporary_root(), "kiln-test");
    EXPECT_EQ(check_out_folder(dir.path()), "");
    fs::permissions(dir.path(), fs::perms(01777)); // as /tmp
    EXPECT_EQ(check_out_folder(dir.path()), "");
    fs::permissions(dir.path(), fs::perms(0777));
    EXPECT_EQ(
        refusal([&] { static_cast<void>(check_out_folder(dir.path())); }),
        "the output directory '" + dir.path().string() +
            "' is writable by every user | run 'chmod o-w " + dir.path().string() +
            "', or use another directory with --out");
    if (::geteuid() == 0) {
        fs::permissions(dir.path(), fs::perms(0755));
        ASSERT_EQ(::chown(dir.path().c_str(), 65534, 65534), 0);
        EXPECT_EQ(
            check_out_folder(dir.path()),
            "the output directory '" + dir.path().string() +
                "' is owned by another user (uid 65534), who can change the results");
    }
}

} // namespace
} // namespace kiln
