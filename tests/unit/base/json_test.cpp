// SPDX-License-Identifier: MIT
#include "base/json.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace kiln {
namespace {

TEST(Json, WritesNamesThatAreNotUtf8) {
    EXPECT_EQ(
        json_text(nlohmann::ordered_json{{"name", "a\xff"}}, -1), "{\"name\":\"a\xef\xbf\xbd\"}");
    EXPECT_EQ(json_text(nlohmann::json{{"name", "\xc3"}}, -1), "{\"name\":\"\xef\xbf\xbd\"}");
}

TEST(Json, ReadsObjectsOnlyAndNeverThrows) {
    for (const char* text :
         {"", "{", "[1]", "null", "\"x\"", "{\"a\":1e999}", "{\"a\":\xff}", "{} {}"}) {
        EXPECT_EQ(parse_json_object(text), std::nullopt) << text;
    }
    EXPECT_EQ(parse_json_object(std::string(100'000, '[')), std::nullopt);
    const auto json = parse_json_object(R"({"s":"x","n":3,"m":-3,"d":0.5,"l":[]})");
    ASSERT_TRUE(json.has_value());
    EXPECT_EQ(json_string(*json, "s"), "x");
    EXPECT_EQ(json_string(*json, "n"), std::nullopt);
    EXPECT_EQ(json_unsigned(*json, "n"), 3U);
    EXPECT_EQ(json_unsigned(*json, "m"), std::nullopt);
    EXPECT_EQ(json_unsigned(*json, "absent"), std::nullopt);
    EXPECT_EQ(json_number(*json, "d"), 0.5);
    EXPECT_EQ(json_number(*json, "l"), std::nullopt);
    EXPECT_EQ(json_member(nlohmann::json::array(), "s"), nullptr);
}

} // namespace
} // namespace kiln
