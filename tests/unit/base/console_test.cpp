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

TEST(Console, EscapesWhatOthersWroteForTerminalAndLog) {
    std::ostringstream out;
    std::ostringstream log;
    Console console(out, {});
    console.set_log(&log);
    console.notice("label \x1b]0;owned\x07\x1b[2J \xe2\x80\xae");
    console.raw("web.yaml:1:1: error: \x1b[31m\n");
    Error error = Error("bad \x9b name").with_details({"\x1b[Aline"}).with_hint("\rhint");
    error.add_context("reading '\x08'");
    console.report(error);
    const std::string expected = "label \\x1b]0;owned\\x07\\x1b[2J \\u{202e}\n"
                                 "web.yaml:1:1: error: \\x1b[31m\n"
                                 "error: bad \\x9b name\n  \\x1b[Aline\n  while reading '\\x08'\n"
                                 "hint: \\x0dhint\n";
    EXPECT_EQ(out.str(), expected);
    EXPECT_TRUE(log.str().starts_with(expected)) << log.str();
}

TEST(Console, NoLineOfAMessagePassesForAnotherMessage) {
    std::ostringstream out;
    Console console(out, {});
    console.report(Error("refused\nerror: all is lost").with_details({"a\nhint: rm -rf /"}));
    console.info("one\ntwo\n");
    EXPECT_EQ(
        out.str(), "error: refused\n  error: all is lost\n  a\n    hint: rm -rf /\none\n  two\n");
}

TEST(Console, TakesManyLinesOfAProgramAtOnce) {
    std::ostringstream out;
    std::ostringstream log;
    Console console(out, {.level = Level::debug});
    console.set_log(&log);
    console.output("first\n\x1b[2J\n  third\n");
    console.output("fourth, without an end");
    const std::string expected = "first\n\\x1b[2J\n  third\nfourth, without an end\n";
    EXPECT_EQ(out.str(), expected);
    EXPECT_EQ(log.str(), expected);
    std::ostringstream json;
    Console machine(json, {.json = true, .level = Level::debug});
    machine.output("a\nb\n");
    EXPECT_EQ(
        json.str(),
        "{\"level\":\"debug\",\"message\":\"a\"}\n{\"level\":\"debug\",\"message\":\"b\"}\n");
    std::ostringstream quiet;
    Console(quiet, {}).output("a\n");
    EXPECT_EQ(quiet.str(), "");
}

TEST(Console, CutsEndlessLines) {
    std::ostringstream out;
    Console console(out, {});
    console.info(std::string(1U << 20U, 'x'));
    EXPECT_LT(out.str().size(), 5000U);
    EXPECT_TRUE(out.str().ends_with("x...\n"));
}

TEST(Console, KeepsNotesOnOneLineOfTheTerminalsWidth) {
    std::ostringstream out;
    {
        Console console(out, {.terminal = true, .width = 40});
        Job job = console.start("fetch\x1b[H");
        job.note("a\nb\r\t\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4" + std::string(200, 'y'));
        console.info("now"); // draws anew
        job.finish();
    }
    const std::string text = out.str();
    const std::size_t begin = text.find("now\n") + 4;
    const std::string line = text.substr(begin, text.find('\n', begin) - begin);
    EXPECT_TRUE(line.starts_with("fetch\\x1b[H 0.0s  a\\x0ab\\x0d \xc3\xa4")) << line;
    EXPECT_EQ(line.size(), 39U + 5U) << line; // five letters of two bytes
}

TEST(Console, JsonLinesAreAsciiWhateverIsQuoted) {
    std::ostringstream out;
    Console console(out, {.json = true});
    console.info("\x1b[31m\xc2\x9b\xff \xc3\xa4");
    EXPECT_EQ(
        out.str(), "{\"level\":\"info\",\"message\":\"\\u001b[31m\\u009b\\ufffd \\u00e4\"}\n");
}

} // namespace
} // namespace kiln
