// SPDX-License-Identifier: MIT
//
// Scripts of suites, run by the real shell, with an instance that only notes what it is told.
#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/process/background_process.hpp"
#include "run/scripts.hpp"
#include "support/fake_instance.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <thread>

namespace kiln {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

class ScriptWorld : public testing::Test {
  protected:
    ScriptResult run(const std::string& text, Milliseconds limit = 20s) {
        if (!scripts_) {
            ScriptFacts facts;
            facts.suite = &suite_;
            facts.ports = {{"http", 80, 40080}};
            facts.engine = clean_environment();
            scripts_ = std::make_unique<Scripts>(
                dir_.path() / "it's",
                facts,
                instance,
                runner_,
                [this](std::string_view verb, const std::string& rest) -> ControlReply {
                    requests.push_back(std::string(verb) + "|" + rest);
                    if (verb == "kill") {
                        throw Error("the container is not running");
                    }
                    return {0, verb == "log" ? std::string("said\n") : std::string()};
                });
        }
        return scripts_->run("check-1", text, limit);
    }

    TempDir dir_{temporary_root(), "kiln-test"};
    test::FakeInstance instance;
    std::vector<std::string> requests;

  private:
    Suite suite_;
    SystemProcessRunner runner_;
    std::unique_ptr<Scripts> scripts_;
};

TEST_F(ScriptWorld, IsAStrictShellInAnEmptyDirectory) {
    const ScriptResult good = run("ls -A; test \"$PWD\" = \"$SCRATCH\"; echo $PORT_HTTP; cat");
    EXPECT_EQ(good.status, 0);
    EXPECT_EQ(good.output, "40080\n");
    EXPECT_EQ(run("false\ntrue").status, 1);
    EXPECT_NE(run("echo $NOT_SET").status, 0);
    EXPECT_EQ(run("echo why >&2; exit 77").output, "why\n");
}

TEST_F(ScriptWorld, IsForgottenButForWhatIsShared) {
    EXPECT_EQ(run("echo x >file; echo kept >\"$SHARED/file\"").status, 0);
    const ScriptResult second = run("ls -A; cat \"$SHARED/file\"");
    EXPECT_EQ(second.output, "kept\n");
}

TEST_F(ScriptWorld, EndsAtItsLimitWithAllItsChildren) {
    const ScriptResult result = run("sleep 1000 & echo $!; sleep 1000", 1s);
    EXPECT_TRUE(result.timed_out);
    const pid_t child = std::stoi(result.output);
    for (int i = 0; i < 50 && ::kill(child, 0) == 0; ++i) {
        std::this_thread::sleep_for(100ms);
    }
    EXPECT_NE(::kill(child, 0), 0);
}

TEST_F(ScriptWorld, RunsProgramsInsideByTheInstancesOwnWay) {
    instance.script = "printf '<%s>' \"$@\"; cat; exit 4";
    const ScriptResult result = run("echo in | inside prog \"two words\" \"it's\" ''");
    EXPECT_EQ(result.status, 4);
    EXPECT_EQ(result.output, "<prog><two words><it's><>in\n");
}

TEST_F(ScriptWorld, RunsProgramsInsideThroughKiln) {
    const ScriptResult result =
        run("status=0; echo in | inside printf '%s\n' \"it's\" 2>errors || status=$?\n"
            "echo \"status $status\"; cat errors");
    EXPECT_EQ(result.output, "out\nstatus 5\nerr\n");
    EXPECT_THAT(instance.called, ElementsAre("inside  'printf' '%s\n' 'it'\\''s' <in\n"));
}

TEST_F(ScriptWorld, AsksForTheInstance) {
    const ScriptResult result = run("instance stop\n"
                                    "instance log\n"
                                    "touch 'other image'\n"
                                    "instance renew 'other image'\n"
                                    "instance kill || echo \"refused $?\"\n"
                                    "instance fly || echo \"usage $?\"\n");
    EXPECT_THAT(requests, ElementsAre("stop|", "log|", HasSubstr("/other image"), "kill|"));
    EXPECT_EQ(
        result.output,
        "said\nthe container is not running\nrefused 1\n"
        "usage: instance stop | kill | start | ready | restart | renew [IMAGE] | log\nusage 2\n");
}

TEST_F(ScriptWorld, SurvivesAScriptThatDoesNotWaitForItsAnswer) {
    static_cast<void>(run("printf '1 stop\\n' >\"$SHARED/../instance.request\""));
    EXPECT_EQ(run("instance log").output, "said\n");
}

TEST(BackgroundProcess, IsLookedAfterAndEnded) {
    const TempDir dir(temporary_root(), "kiln-test");
    const fs::path log = dir.path() / "log";
    BackgroundProcess quick({"/bin/sh", {"-c", "echo said; exit 3"}}, log);
    EXPECT_TRUE(quick.wait(20s));
    EXPECT_EQ(quick.exit_status(), 3);
    EXPECT_EQ(read_text_file(log), "said\n");
    pid_t pid = 0;
    {
        BackgroundProcess slow({"sleep", {"1000"}}, log);
        pid = slow.pid();
        EXPECT_FALSE(slow.wait(10ms));
    }
    EXPECT_NE(::kill(pid, 0), 0);
    EXPECT_THROW(BackgroundProcess({"no-such-program", {}}, log), SystemError);
}

TEST(InterruptPause, LetsCleaningUpRun) {
    SystemProcessRunner runner;
    request_interrupt();
    {
        const InterruptPause pause;
        EXPECT_TRUE(runner.run({"true", {}}).ok());
    }
    EXPECT_TRUE(interrupt_requested());
    clear_interrupt();
}

} // namespace
} // namespace kiln
