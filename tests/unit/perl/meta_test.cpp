// SPDX-License-Identifier: MIT
#include "perl/meta.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

using testing::ElementsAre;
using testing::Pair;
using testing::UnorderedElementsAre;

std::vector<std::string> needs(const DistributionMeta& meta) {
    std::vector<std::string> out;
    for (const ModuleNeed& need : meta.needs) {
        const char* phase = need.phase == NeedPhase::configure ? "c"
                            : need.phase == NeedPhase::build   ? "b"
                                                               : "r";
        out.push_back(std::string(phase) + " " + need.module + " " + need.range.text());
    }
    return out;
}

TEST(ParseMeta, ReadsVersion2) {
    const auto meta = parse_meta_json(R"({
      "name": "A-B", "version": "1.02",
      "prereqs": {
        "configure": {"requires": {"Module::Build::Tiny": "0.034"}},
        "build": {"requires": {"Test::Helper": 0, "Devel::Helper": 0}},
        "runtime": {"requires": {"Moo": 2.5, "perl": "v5.10"}, "recommends": {"EV": "4"}},
        "test": {"requires": {"Test::More": "0.98"}},
        "develop": {"requires": {"Test::Pod": "1"}}},
      "provides": {"A::B": {"file": "lib/A/B.pm", "version": "1.02"}}})");
    ASSERT_TRUE(meta);
    EXPECT_EQ(meta->name, "A-B");
    EXPECT_EQ(meta->version, "1.02");
    EXPECT_THAT(
        needs(*meta),
        ElementsAre(
            "c Module::Build::Tiny 0.034", "b Devel::Helper 0", "r Moo 2.5", "r perl v5.10"));
    EXPECT_THAT(meta->provides, ElementsAre(Pair("A::B", "1.02")));
}

TEST(ParseMeta, ReadsVersion1WithoutTheNeedsOfTests) {
    const auto meta = parse_meta_yaml("--- #YAML:1.0\n"
                                      "name: A-B\nversion: 0.5\n"
                                      "build_requires:\n  Test::Deep: 0\n  ExtUtils::MakeMaker: 0\n"
                                      "requires:\n  Test::Fatal: 0.01\n  URI: 1.10\n");
    ASSERT_TRUE(meta);
    EXPECT_EQ(meta->version, "0.5");
    EXPECT_THAT(
        needs(*meta),
        UnorderedElementsAre("b ExtUtils::MakeMaker 0", "r Test::Fatal 0.01", "r URI 1.10"));
}

TEST(ParseMeta, GivesNothingForWhatIsNotWellFormed) {
    EXPECT_FALSE(parse_meta_json("{\"name\": "));
    EXPECT_FALSE(parse_meta_json("[]"));
    EXPECT_FALSE(parse_meta_yaml("name: [a\nb: c: d"));
    EXPECT_FALSE(parse_meta_yaml("just text"));
}

TEST(ParseMeta, LivesWithMembersOfTheWrongKind) {
    const auto meta = parse_meta_json(
        R"({"name": null, "prereqs": {"runtime": {"requires": ["x"]}}, "provides": {"A": "1"}})");
    ASSERT_TRUE(meta);
    EXPECT_EQ(meta->name, "");
    EXPECT_TRUE(meta->needs.empty());
}

TEST(ParseMeta, GivesNothingForDocumentsThatMultiplyOrNeverEnd) {
    std::string laughs = "name: x\na: &a [x,x,x,x,x,x,x,x,x]\n";
    for (char c = 'b'; c < 'z'; ++c) {
        const std::string before(1, static_cast<char>(c - 1));
        laughs += std::string(1, c) + ": &" + c + " [";
        for (int i = 0; i < 9; ++i) {
            laughs += "*" + before + ",";
        }
        laughs += "]\n";
    }
    EXPECT_FALSE(parse_meta_yaml(laughs));
    EXPECT_FALSE(parse_meta_yaml("name: x\na: &a [*a]\n"));
    EXPECT_FALSE(parse_meta_yaml(std::string(100'000, '[')));
    EXPECT_FALSE(parse_meta_json(std::string(100'000, '[')));
}

} // namespace
} // namespace kiln
