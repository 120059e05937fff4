// SPDX-License-Identifier: MIT
#include "base/console.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace kiln {
namespace {

TEST(Console, PrintsErrorsWithContextAndHint) {
    std::ostringstream out;
    Console console(out, {});
    Error error = Error("cannot read 'x'").with_hint("look elsewhere");
    error.add_context("unpacking package 'nginx'");
    console.report(error);
    EXPECT_EQ(
        out.str(),
        "error: cannot read 'x'\n  while unpacking package 'nginx'\nhint: look elsewhere\n");
}

TEST(Console, WritesPlainLinesForJobsWithoutATerminal) {
    std::ostringstream out;
    Console console(out, {});
    Job job = console.start("fetch");
    job.set_total(2, Job::Unit::items);
    job.add(2);
    job.finish("all there");
    EXPECT_EQ(out.str(), "fetch ...\nfetch done in 0.0s, 2 of 2, all there\n");
}

TEST(Console, ErasesLiveLinesBeforeAMessage) {
    std::ostringstream out;
    {
        Console console(out, {.terminal = true});
        Job job = console.start("fetch");
        console.info("hello");
        job.finish();
    }
    EXPECT_NE(out.str().find("\x1b[1A\x1b[2Khello\n"), std::string::npos);
    EXPECT_EQ(out.str().find("fetch done"), out.str().rfind("fetch "));
}

TEST(Console, CopiesEverythingToTheLog) {
    std::ostringstream out;
    std::ostringstream log;
    Console console(out, {});
    console.set_log(&log);
    console.debug("details");
    EXPECT_EQ(out.str(), "");
    EXPECT_EQ(log.str(), "details\n");
}

} // namespace
} // namespace kiln
