// SPDX-License-Identifier: MIT
#include "base/file.hpp"
#include "base/paths.hpp"
#include "base/process.hpp"
#include "base/sandbox_watch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

TEST(SystemProcessRunner, CapturesOutputLinesAndInput) {
    SystemProcessRunner runner;
    std::vector<std::string> lines;
    Command command{"cat", {}};
    command.input = "one\ntwo";
    command.on_line = [&](std::string_view line) { lines.emplace_back(line); };
    EXPECT_EQ(runner.run_checked(command), "one\ntwo");
    EXPECT_EQ(lines, (std::vector<std::string>{"one", "two"}));
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

} // namespace
} // namespace kiln
