// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "base/file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace kiln {
namespace {

TEST(AtomicFile, AppearsOnlyAtCommit) {
    const TempDir dir(temporary_root(), "kiln-test");
    const fs::path path = dir.path() / "out";
    {
        AtomicFile discarded(path);
        discarded.write_text("half");
    }
    EXPECT_FALSE(fs::exists(path));
    EXPECT_TRUE(fs::is_empty(dir.path()));
    AtomicFile file(path);
    file.write_text("whole");
    EXPECT_FALSE(fs::exists(path));
    file.commit();
    EXPECT_EQ(read_text_file(path), "whole");
}

TEST(TempDir, RemovesItsContentEvenWithoutPermissions) {
    fs::path path;
    {
        const TempDir dir(temporary_root(), "kiln-test");
        path = dir.path();
        fs::create_directories(path / "a/b");
        write_file_atomically(path / "a/b/file", "x");
        fs::permissions(path / "a", fs::perms::none);
    }
    EXPECT_FALSE(fs::exists(path));
}

TEST(File, NamesThePathAndTheReason) {
    try {
        static_cast<void>(read_text_file("/nowhere/at/all"));
        FAIL() << "no exception";
    } catch (const SystemError& error) {
        EXPECT_EQ(error.message(), "cannot open '/nowhere/at/all': No such file or directory");
    }
}

TEST(File, WritesInPlaceWithTheStatedMode) {
    const TempDir dir(temporary_root(), "kiln-test");
    const fs::path path = dir.path() / "tool";
    const mode_t before = ::umask(077);
    write_file(path, "a long first text", 0755);
    write_file(path, "short", 0751);
    ::umask(before);
    EXPECT_EQ(read_text_file(path), "short");
    struct stat status{};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0751U);
}

TEST(FileLock, ExcludesASecondHolder) {
    const TempDir dir(temporary_root(), "kiln-test");
    const fs::path path = dir.path() / "lock";
    const FileLock first(path, FileLock::Mode::exclusive);
    EXPECT_FALSE(FileLock::try_lock(path, FileLock::Mode::shared).is_held());
}

TEST(FileLock, HoldsADirectory) {
    const TempDir dir(temporary_root(), "kiln-test");
    {
        const FileLock first = FileLock::try_lock_directory(dir.path());
        EXPECT_TRUE(first.is_held());
        EXPECT_FALSE(FileLock::try_lock_directory(dir.path()).is_held());
    }
    EXPECT_TRUE(FileLock::try_lock_directory(dir.path()).is_held());
    EXPECT_FALSE(FileLock::try_lock_directory(dir.path() / "none").is_held());
}

} // namespace
} // namespace kiln
