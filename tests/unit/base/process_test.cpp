// SPDX-License-Identifier: MIT
#include "base/interrupt.hpp"
#include "base/io/file.hpp"
#include "base/io/paths.hpp"
#include "base/process/background_process.hpp"
#include "base/process/process.hpp"
#include "sandbox/sandbox_watch.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>

namespace kiln {
namespace {

TEST(SystemProcessRunner, CapturesOutputLinesAndInput) {
    SystemProcessRunner runner;
    std::vector<std::string> lines;
    Command command{"cat", {}};
    command.input = "one\ntwo\nthree";
    command.on_lines = [&](std::string_view some) { lines.emplace_back(some); };
    EXPECT_EQ(runner.run_checked(command), "one\ntwo\nthree");
    EXPECT_EQ(lines, (std::vector<std::string>{"one\ntwo\n", "three"}));
}

TEST(SystemProcessRunner, JoinsTheHalvesOfALine) {
    SystemProcessRunner runner;
    std::vector<std::string> lines;
    Command command{"sh", {"-c", "printf 'a\nb'; sleep 0.3; printf 'c\nd'; sleep 0.3; printf e"}};
    command.on_lines = [&](std::string_view some) { lines.emplace_back(some); };
    EXPECT_EQ(runner.run_checked(command), "a\nbc\nde");
    EXPECT_EQ(lines, (std::vector<std::string>{"a\n", "bc\n", "de"}));
}

TEST(LastLines, AreTheEndOfAText) {
    using Lines = std::vector<std::string>;
    EXPECT_EQ(last_lines("a\nb\nc\n", 2), (Lines{"b", "c"}));
    EXPECT_EQ(last_lines("a\nb\nc", 2), (Lines{"b", "c"}));
    EXPECT_EQ(last_lines("a\n\n", 1), (Lines{""}));
    EXPECT_EQ(last_lines("a", 3), (Lines{"a"}));
    EXPECT_EQ(last_lines("\na\n", 2), (Lines{"", "a"}));
    EXPECT_EQ(last_lines("", 3), Lines{});
    EXPECT_EQ(last_lines("a\nb", 0), Lines{});
}

// A line for every two bytes, up to the limit of what a script may print.
TEST(LastLines, DoNotCostTheLinesAboveThem) {
    std::string text;
    while (text.size() < Command::kLargestOutput) {
        text += "y\n";
    }
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(last_lines(text, 3), (std::vector<std::string>{"y", "y", "y"}));
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(200));
}

TEST(WatchDisk, StopsAProgramThatWritesTooMuch) {
    constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;
    const TempDir folder(temporary_root(), "kiln-test");
    Command command{"sh", {"-c", "head -c 67108864 /dev/zero >\"$0\"; sleep 60"}};
    command.args.push_back((folder.path() / "file").string());
    command.watch = watch_disk(folder.path(), 8 * kMiB);
    SystemProcessRunner runner;
    EXPECT_EQ(runner.run(command).stopped, "it wrote more than 8.0 MiB");
}

TEST(SystemProcessRunner, GivesAFixedEnvironment) {
    SystemProcessRunner runner;
    const std::string env = runner.run_checked({"env", {}});
    EXPECT_NE(env.find("TZ=UTC\n"), std::string::npos);
    EXPECT_EQ(env.find("USER="), std::string::npos);
}

/// A folder with a program `name` that prints "wrong", and the PATH that has it first.
class FalseProgram {
  public:
    explicit FalseProgram(const std::string& name) {
        write_file(folder_.path() / name, "#!/bin/sh\necho wrong\n", 0755);
        ::setenv("PATH", (folder_.path().string() + ":" + before_).c_str(), 1);
    }

    FalseProgram(const FalseProgram&) = delete;
    FalseProgram& operator=(const FalseProgram&) = delete;

    ~FalseProgram() { ::setenv("PATH", before_.c_str(), 1); }

    [[nodiscard]] const fs::path& folder() const { return folder_.path(); }

  private:
    TempDir folder_{temporary_root(), "kiln-test"};
    std::string before_ = process_env("PATH").value_or("");
};

TEST(SystemProcessRunner, TakesNoProgramFromThePathOfTheCaller) {
    const FalseProgram program("uname");
    SystemProcessRunner runner;
    EXPECT_EQ(runner.run_checked({"uname", {}}), "Linux\n");
    const fs::path log = program.folder() / "log";
    BackgroundProcess background({"uname", {}}, log);
    EXPECT_TRUE(background.wait(std::chrono::seconds(60)));
    EXPECT_EQ(read_text_file(log), "Linux\n");
    ::setenv("PATH", "", 1); // in which exec would look below the working directory
    EXPECT_EQ(runner.run_checked({"uname", {}}), "Linux\n");
}

TEST(FindProgram, LooksInAbsoluteFoldersOnly) {
    const FalseProgram program("kiln-no-such");
    const std::string folder = program.folder().string();
    EXPECT_EQ(find_program("kiln-no-such"), "");
    EXPECT_EQ(
        find_program("kiln-no-such", {{"PATH", "/nowhere:" + folder}}), folder + "/kiln-no-such");
    const fs::path before = fs::current_path();
    fs::current_path(program.folder());
    for (const char* path : {"", ".", ":", "/nowhere:", "../"}) {
        EXPECT_EQ(find_program("kiln-no-such", {{"PATH", path}}), "") << path;
    }
    fs::current_path(before);
    fs::permissions(program.folder() / "kiln-no-such", fs::perms(0644));
    EXPECT_EQ(find_program("kiln-no-such", {{"PATH", folder}}), "");
}

TEST(ProcessEnvironment, KeepsLittleOfTheCallers) {
    const auto printed = [] { // in a child, since the environment is this program's
        std::string out;
        for (const char* name : {"PATH", "HOME", "TMPDIR", "LD_PRELOAD", "LIBGUESTFS_HV"}) {
            out += std::string(name) + "=" + process_env(name).value_or("(none)") + "\n";
        }
        return out;
    };
    EXPECT_EXIT(
        {
            for (const char* name : {"PATH", "HOME", "TMPDIR", "LD_PRELOAD", "LIBGUESTFS_HV"}) {
                ::setenv(name, "/of/the/caller", 1);
            }
            clean_process_environment();
            std::cerr << printed();
            ::_exit(0);
        },
        testing::ExitedWithCode(0),
        "PATH=/usr/local/sbin.*\nHOME=/of/the/caller\nTMPDIR=/of/the/caller\n"
        "LD_PRELOAD=\\(none\\)\nLIBGUESTFS_HV=\\(none\\)\n");
}

TEST(TemporaryRoot, IsAbsolute) {
    const std::string before = process_env("TMPDIR").value_or("");
    ::setenv("TMPDIR", "below", 1);
    EXPECT_EQ(temporary_root(), fs::current_path() / "below");
    ::setenv("TMPDIR", "", 1);
    EXPECT_EQ(temporary_root(), "/tmp");
    ::setenv("TMPDIR", before.c_str(), 1);
}

TEST(SystemProcessRunner, ReportsExitCodeAndLastLines) {
    SystemProcessRunner runner;
    try {
        runner.run_checked({"sh", {"-c", "seq 30; exit 7"}});
        FAIL() << "no exception";
    } catch (const ProcessError& error) {
        EXPECT_EQ(error.message(), "'sh' failed with exit code 7");
        ASSERT_EQ(error.details().size(), 20U);
        EXPECT_EQ(error.details().back(), "30");
    }
}

TEST(SystemProcessRunner, NamesAProgramThatDoesNotExist) {
    SystemProcessRunner runner;
    try {
        runner.run({"kiln-no-such-program", {}});
        FAIL() << "no exception";
    } catch (const SystemError& error) {
        EXPECT_EQ(
            error.message(), "cannot start 'kiln-no-such-program': No such file or directory");
    }
}

TEST(SystemProcessRunner, NamesTheSignal) {
    SystemProcessRunner runner;
    const ProcessResult result = runner.run({"sh", {"-c", "kill -9 $$"}});
    EXPECT_EQ(describe_exit(result.exit_status), "signal 9 (Killed)");
    EXPECT_EQ(describe_exit(255), "exit code 255");
}

TEST(SystemProcessRunner, EndsAProgramAfterItsTimeLimit) {
    SystemProcessRunner runner;
    Command command{"/bin/sh", {"-c", "echo begun; sleep 60"}};
    command.timeout = std::chrono::seconds(1);
    const ProcessResult result = runner.run(command);
    EXPECT_TRUE(result.timed_out);
    EXPECT_FALSE(result.ok());
    EXPECT_EQ(result.output, "begun\n");
    EXPECT_THAT(
        std::string(ProcessError("'sh'", result).what()),
        testing::HasSubstr("was stopped: it ran longer than 1 s"));
}

/// What `body` returns, as the exit code of a child: it changes its process.
template <typename Body> int in_child(Body&& body) {
    const pid_t pid = ::fork();
    if (pid == 0) {
        try {
            ::_exit(body());
        } catch (const Error& error) {
            std::fprintf(stderr, "%s\n", error.what());
            ::_exit(99);
        }
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

TEST(StandardDescriptors, AreNotTakenByOtherFiles) {
    EXPECT_EQ(
        in_child([] {
            ::close(STDIN_FILENO);
            ::close(STDOUT_FILENO);
            ::close(STDERR_FILENO);
            open_standard_descriptors();
            const UniqueFd next = open_file("/dev/null", O_RDWR);
            char byte = 0;
            const bool is_kept = next.get() > STDERR_FILENO;
            const bool ends = ::read(STDIN_FILENO, &byte, 1) == 0;
            const bool says_so = ::write(STDOUT_FILENO, "x", 1) < 0 && errno == EBADF;
            return is_kept && ends && says_so ? 0 : 1;
        }),
        0);
}

TEST(CallersSignals, DoNotReachChildrenNorHideTheirEnd) {
    EXPECT_EQ(
        in_child([] {
            for (const int ignored : {SIGCHLD, SIGUSR1, SIGXFSZ}) {
                ::signal(ignored, SIG_IGN);
            }
            sigset_t blocked{};
            sigfillset(&blocked);
            ::sigprocmask(SIG_SETMASK, &blocked, nullptr);
            install_interrupt_handlers();
            SystemProcessRunner runner;
            const std::string signals =
                runner.run_checked({"grep", {"-E", "Sig(Blk|Ign):", "/proc/self/status"}});
            return signals == "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n" ? 0 : 1;
        }),
        0);
}

TEST(CallersSignals, AHangUpInterruptsUnlessItIsIgnored) {
    const auto hang_up = [](void (*before)(int)) {
        return in_child([&] {
            ::signal(SIGHUP, before);
            install_interrupt_handlers();
            ::raise(SIGHUP);
            return interrupt_requested() ? 1 : 0;
        });
    };
    EXPECT_EQ(hang_up(SIG_DFL), 1);
    EXPECT_EQ(hang_up(SIG_IGN), 0);
}

TEST(CallersLimits, AFileThatGrowsBeyondThemIsAnError) {
    const TempDir folder(temporary_root(), "kiln-test");
    EXPECT_EQ(
        in_child([&] {
            install_interrupt_handlers();
            const rlimit limit{.rlim_cur = 4, .rlim_max = 4};
            ::setrlimit(RLIMIT_FSIZE, &limit);
            const fs::path path = folder.path() / "file";
            try {
                write_file(path, "12345678");
            } catch (const SystemError& error) {
                const std::string text = error.message();
                const bool fits = text.starts_with("cannot write '") &&
                                  text.ends_with("File too large") &&
                                  error.exit_code() == ExitCode::failed;
                return fits ? 0 : 1;
            }
            return 2;
        }),
        0);
}

} // namespace
} // namespace kiln
