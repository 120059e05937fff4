// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "run/session/checks.hpp"

#include <gtest/gtest.h>

#include <map>

namespace kiln {
namespace {

CheckSpec check(std::string id, std::string run, std::vector<std::string> after = {}) {
    CheckSpec out;
    out.id = std::move(id);
    out.title = "check " + out.id;
    out.run = std::move(run);
    out.after = std::move(after);
    out.timeout = std::chrono::minutes(1);
    return out;
}

/// Answers by the script's text, and notes what was run.
class FakeScripts {
  public:
    ScriptResult operator()(const std::string& name, const std::string& text, Milliseconds limit) {
        runs.push_back(name);
        limits[name] = limit;
        const auto found = answers.find(text);
        return found == answers.end() ? ScriptResult{} : found->second;
    }

    std::map<std::string, ScriptResult> answers{
        {"fail", {3, "first\nsecond\n", false, 0.5}},
        {"skip", {77, "looked\nnot here\n", false, 0.1}},
        {"slow", {137, "begun\n", true, 60}},
        {"killed", {137, "", false, 1}},
    };
    std::vector<std::string> runs;
    std::map<std::string, Milliseconds> limits;
};

class Checks : public testing::Test {
  protected:
    std::vector<CheckResult> run() {
        return run_checks(
            suite,
            options,
            [&](const std::string& name, const std::string& text, Milliseconds limit) {
                return scripts(name, text, limit);
            },
            [](const CheckSpec&) {},
            [](const CheckResult&) {});
    }

    Suite suite;
    CheckOptions options;
    FakeScripts scripts;
};

TEST_F(Checks, StandEachForItself) {
    suite.checks = {
        check("a", "fail"),
        check("b", "ok"),
        check("c", "skip"),
        check("d", "slow"),
        check("e", "killed")};
    const auto results = run();
    ASSERT_EQ(results.size(), 5U);
    EXPECT_EQ(results[0].outcome, Outcome::failed);
    EXPECT_EQ(results[0].message, "exit code 3");
    EXPECT_EQ(results[0].output, "first\nsecond\n");
    EXPECT_EQ(results[1].outcome, Outcome::passed);
    EXPECT_EQ(results[2].outcome, Outcome::skipped);
    EXPECT_EQ(results[2].message, "not here");
    EXPECT_EQ(results[3].outcome, Outcome::failed);
    EXPECT_EQ(results[3].message, "timed out after 1m00s");
    EXPECT_EQ(results[4].message, "signal 9 (Killed)");
}

TEST_F(Checks, ShareSetupsThatRunOnce) {
    suite.setups = {{"base", {}, Milliseconds(1), "ok"}, {"up", {"base"}, Milliseconds(1), "ok"}};
    suite.checks = {check("a", "ok"), check("b", "ok", {"up"}), check("c", "ok", {"up", "base"})};
    static_cast<void>(run());
    EXPECT_EQ(
        scripts.runs,
        (std::vector<std::string>{"check-a", "setup-base", "setup-up", "check-b", "check-c"}));
}

TEST_F(Checks, FailWithTheSetupTheyNeed) {
    suite.setups = {
        {"base", {}, Milliseconds(1), "fail"},
        {"up", {"base"}, Milliseconds(1), "ok"},
        {"other", {}, Milliseconds(1), "skip"}};
    suite.checks = {check("a", "ok", {"up"}), check("b", "ok"), check("c", "ok", {"other"})};
    const auto results = run();
    EXPECT_EQ(results[0].outcome, Outcome::failed);
    EXPECT_EQ(results[0].message, "setup 'up' failed: setup 'base' failed: exit code 3");
    EXPECT_EQ(results[0].output, "first\nsecond\n");
    EXPECT_EQ(results[1].outcome, Outcome::passed);
    EXPECT_EQ(results[2].outcome, Outcome::skipped);
    EXPECT_EQ(results[2].message, "setup 'other' was skipped: not here");
    EXPECT_EQ(scripts.runs, (std::vector<std::string>{"setup-base", "check-b", "setup-other"}));
}

TEST_F(Checks, AreLimitedToKindsAndSources) {
    suite.checks = {check("a", "ok"), check("b", "ok"), check("c", "ok")};
    suite.checks[0].only = InstanceKind::vm;
    suite.checks[1].sources = {"real", "mirror"};
    suite.checks[2].sources = {"standin"};
    options.source = "standin";
    const auto results = run();
    EXPECT_EQ(results[0].message, "only for vm");
    EXPECT_EQ(results[1].message, "only for source real or mirror, not 'standin'");
    EXPECT_EQ(results[2].outcome, Outcome::passed);
    EXPECT_EQ(scripts.runs, std::vector<std::string>{"check-c"});
}

TEST_F(Checks, HaveMoreTimeWhereAllIsSlow) {
    suite.checks = {check("a", "ok")};
    options.slowness = 4;
    static_cast<void>(run());
    EXPECT_EQ(scripts.limits.at("check-a"), std::chrono::minutes(4));
}

TEST_F(Checks, CanBeChosen) {
    suite.name = "web";
    suite.checks = {check("17", "ok"), check("18", "ok"), check("41", "ok")};
    options.wanted = {"41", "17"};
    const auto results = run();
    ASSERT_EQ(results.size(), 2U);
    EXPECT_EQ(results[0].id, "17");
    try {
        static_cast<void>(choose_checks(suite, {"redirects"}));
        FAIL();
    } catch (const UsageError& error) {
        EXPECT_EQ(error.message(), "suite 'web' has no check 'redirects'");
        EXPECT_EQ(error.hint(), "it has: 17, 18, 41");
    }
}

} // namespace
} // namespace kiln
