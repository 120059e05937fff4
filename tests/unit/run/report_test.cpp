// SPDX-License-Identifier: MIT
#include "run/session/report.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace kiln {
namespace {

const std::vector<CheckResult> kResults{
    {"17", "it works", Outcome::passed, "", "fine\n", 0.25},
    {"18",
     "says #1 & <all>",
     Outcome::failed,
     "it's exit code 3",
     "  indented\n\nlast\x01\xff\n",
     1.5},
    {"19", "elsewhere", Outcome::skipped, "only for vm", "", 0},
};

TEST(Tap, HasOnePointACheck) {
    EXPECT_EQ(tap_head(3), "TAP version 14\n1..3\n");
    EXPECT_EQ(tap_point(1, kResults[0]), "ok 1 - 17: it works\n");
    EXPECT_EQ(
        tap_point(2, kResults[1]),
        "not ok 2 - 18: says \\#1 & <all>\n"
        "  ---\n"
        "  message: 'it''s exit code 3'\n"
        "  seconds: 1.5\n"
        "  output: |2\n"
        "      indented\n"
        "\n"
        "    last\xef\xbf\xbd\n"
        "  ...\n");
    EXPECT_EQ(tap_point(3, kResults[2]), "ok 3 - 19: elsewhere # SKIP only for vm\n");
}

TEST(Junit, IsWhatServersRead) {
    EXPECT_EQ(
        junit_xml("web", InstanceKind::vm, kResults),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<testsuites>\n"
        "  <testsuite name=\"web.vm\" tests=\"3\" failures=\"1\" skipped=\"1\" time=\"1.750\">\n"
        "    <testcase classname=\"web.vm\" name=\"17: it works\" time=\"0.250\">\n"
        "      <system-out>fine\n</system-out>\n"
        "    </testcase>\n"
        "    <testcase classname=\"web.vm\" name=\"18: says #1 &amp; &lt;all&gt;\" "
        "time=\"1.500\">\n"
        "      <failure message=\"it's exit code 3\"/>\n"
        "      <system-out>  indented\n\nlast\xef\xbf\xbd\n</system-out>\n"
        "    </testcase>\n"
        "    <testcase classname=\"web.vm\" name=\"19: elsewhere\" time=\"0.000\">\n"
        "      <skipped message=\"only for vm\"/>\n"
        "    </testcase>\n"
        "  </testsuite>\n"
        "</testsuites>\n");
}

TEST(ResultsJson, CountsAndLists) {
    const auto json = results_json("web", InstanceKind::container, kResults);
    EXPECT_EQ(json["kind"], "container");
    EXPECT_EQ(json["failed"], 1);
    EXPECT_EQ(json["checks"][2]["outcome"], "skipped");
    EXPECT_EQ(json["checks"][2]["message"], "only for vm");
}

} // namespace
} // namespace kiln
