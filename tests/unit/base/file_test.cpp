// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/io/directory.hpp"
#include "base/io/file.hpp"
#include "base/io/file_stream.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

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

/// Runs `body` and returns the message of the Error that it throws.
template <typename Body> std::string message_of(Body&& body) {
    try {
        body();
    } catch (const Error& error) {
        EXPECT_EQ(error.exit_code(), ExitCode::failed);
        return error.message();
    }
    ADD_FAILURE() << "no exception";
    return {};
}

TEST(File, ReadsRegularFilesOnlyAndDoesNotWait) {
    const TempDir dir(temporary_root(), "kiln-test");
    const fs::path fifo = dir.path() / "fifo";
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    for (const fs::path& path : {fifo, dir.path(), fs::path("/dev/zero"), fs::path("/dev/null")}) {
        const std::string expected = "'" + path.string() + "' is not a regular file";
        EXPECT_EQ(message_of([&] { static_cast<void>(read_text_file(path)); }), expected);
        EXPECT_EQ(message_of([&] { const FileSource source(path); }), expected);
    }
    EXPECT_NE(read_text_file("/proc/self/status").find("Umask:"), std::string::npos);
}

TEST(File, RefusesTextsBeyondTheLimit) {
    const TempDir dir(temporary_root(), "kiln-test");
    const fs::path path = dir.path() / "text";
    write_file_atomically(path, std::string(2048, 'x'));
    EXPECT_EQ(read_text_file(path, 2048).size(), 2048U);
    EXPECT_EQ(
        message_of([&] { static_cast<void>(read_text_file(path, 2047)); }),
        "'" + path.string() + "' is larger than 2.0 KiB");
    // A size that is not told counts as well.
    EXPECT_EQ(
        message_of([&] { static_cast<void>(read_text_file("/proc/self/status", 64)); }),
        "'/proc/self/status' is larger than 64 B");
    fs::resize_file(path, std::uintmax_t{1} << 40U); // nothing of a sparse giant is read
    EXPECT_EQ(
        message_of([&] { static_cast<void>(read_text_file(path)); }),
        "'" + path.string() + "' is larger than 64.0 MiB");
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

TEST(OwnFile, IsNotOpenedThroughLinks) {
    const TempDir dir(temporary_root(), "kiln-test");
    const fs::path path = dir.path() / "build.log";
    const fs::path other = dir.path() / "other";
    write_file_atomically(other, "precious");
    fs::create_symlink(other, path);
    EXPECT_EQ(
        message_of([&] { const OwnFileStream log(path); }),
        "'" + path.string() + "' is a symbolic link");
    fs::remove(path);
    fs::create_hard_link(other, path);
    EXPECT_EQ(
        message_of([&] { const OwnFileStream log(path); }),
        "'" + path.string() + "' is not a regular file, or has several hard links");
    fs::remove(path);
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    EXPECT_THROW(const OwnFileStream log(path), Error); // and does not wait for a reader
    EXPECT_EQ(read_text_file(other), "precious");
}

TEST(OwnFile, IsWrittenAnewAsAStream) {
    const TempDir dir(temporary_root(), "kiln-test");
    const fs::path path = dir.path() / "build.log";
    write_file_atomically(path, "a long text of an earlier bake");
    {
        OwnFileStream log(path, 0640);
        log << "line " << 1 << '\n' << std::flush;
        EXPECT_EQ(read_text_file(path), "line 1\n");
        log << std::string(10'000, 'x');
    }
    EXPECT_EQ(read_text_file(path), "line 1\n" + std::string(10'000, 'x'));
    struct stat status{};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0640U);
}

TEST(RemoveTree, RemovesALinkAndNotWhatItLeadsTo) {
    const TempDir dir(temporary_root(), "kiln-test");
    fs::create_directory(dir.path() / "other");
    fs::permissions(dir.path() / "other", fs::perms(0500));
    fs::create_directory_symlink(dir.path() / "other", dir.path() / "link");
    remove_tree(dir.path() / "link");
    EXPECT_FALSE(fs::is_symlink(dir.path() / "link"));
    struct stat status{};
    ASSERT_EQ(::stat((dir.path() / "other").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0500U);
}

TEST(RemoveTree, LeavesAloneWhatIsMountedInIt) {
    const TempDir dir(temporary_root(), "kiln-test");
    fs::create_directories(dir.path() / "kept/root/dev");
    fs::create_directories(dir.path() / "kept/root/etc");
    fs::create_directory(dir.path() / "host");
    write_file(dir.path() / "host/null", "x");
    // In a child: this process has threads, and its mounts are its caller's.
    constexpr int kRefused = 77;
    const pid_t child = ::fork();
    if (child == 0) {
        const std::string source = (dir.path() / "host").string();
        const std::string target = (dir.path() / "kept/root/dev").string();
        const int kinds = CLONE_NEWNS | (::geteuid() == 0 ? 0 : CLONE_NEWUSER);
        if (::unshare(kinds) != 0 ||
            ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
            ::mount(source.c_str(), target.c_str(), nullptr, MS_BIND, nullptr) != 0) {
            ::_exit(kRefused);
        }
        remove_tree(dir.path() / "kept");
        const bool said = [&] {
            try {
                const UniqueFd parent = open_file(dir.path(), O_PATH | O_DIRECTORY);
                remove_all_at(parent.get(), "kept");
            } catch (const Error& error) {
                return error.message() == "cannot remove 'dev': it is a mount point";
            }
            return false;
        }();
        ::_exit(said && fs::exists(dir.path() / "host/null") ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    if (WEXITSTATUS(status) == kRefused) {
        GTEST_SKIP() << "the kernel refuses a mount namespace";
    }
    EXPECT_EQ(status, 0);
    EXPECT_TRUE(fs::exists(dir.path() / "host/null"));
}

TEST(FileLock, ExcludesASecondHolder) {
    const TempDir dir(temporary_root(), "kiln-test");
    const fs::path path = dir.path() / "lock";
    const FileLock first(path, FileLock::Mode::exclusive);
    EXPECT_FALSE(FileLock::try_lock(path, FileLock::Mode::shared).is_held());
}

TEST(FileLock, DoesNotFollowALink) {
    const TempDir dir(temporary_root(), "kiln-test");
    const fs::path other = dir.path() / "other";
    fs::create_symlink(other, dir.path() / "lock");
    EXPECT_EQ(
        message_of([&] {
            static_cast<void>(FileLock::try_lock(dir.path() / "lock", FileLock::Mode::exclusive));
        }),
        "'" + (dir.path() / "lock").string() + "' is a symbolic link");
    EXPECT_FALSE(fs::exists(other));
}

TEST(FileLock, HearsAnInterruptionInAnyThreadWhileItWaits) {
    const TempDir dir(temporary_root(), "kiln-test");
    const fs::path path = dir.path() / "lock";
    const FileLock first(path, FileLock::Mode::exclusive);
    bool said = false;
    bool interrupted = false;
    std::thread waiter([&] {
        try {
            const FileLock second(path, FileLock::Mode::shared, [&] {
                said = true;
                request_interrupt();
            });
        } catch (const Interrupted&) {
            interrupted = true;
        }
    });
    waiter.join();
    clear_interrupt();
    EXPECT_TRUE(said);
    EXPECT_TRUE(interrupted);
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

TEST(WriteFileDurably, ReplacesAFileWithItsMode) {
    const TempDir dir(temporary_root(), "kiln-test");
    write_file_durably(dir.path() / "a", "one", 0600);
    write_file_durably(dir.path() / "a", "two", 0600);
    EXPECT_EQ(read_text_file(dir.path() / "a"), "two");
    EXPECT_EQ(fs::status(dir.path() / "a").permissions(), fs::perms(0600));
    EXPECT_EQ(std::distance(fs::directory_iterator(dir.path()), {}), 1);
    EXPECT_THROW(write_file_durably(dir.path() / "no/a", "x"), SystemError);
}

} // namespace
} // namespace kiln
