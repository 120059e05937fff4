// SPDX-License-Identifier: MIT
#include "base/json_object.hpp"
#include "support/expect_error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace kiln {
namespace {

using namespace test;
using testing::HasSubstr;
using testing::Not;

std::string refusal(const std::string& text) {
    const std::string message = message_of([&] { static_cast<void>(parse_json(text, "x.json")); });
    EXPECT_THAT(message, Not(HasSubstr("json.exception")));
    return message;
}

TEST(ImageJson, SaysWhereItIsMalformed) {
    EXPECT_EQ(refusal("{"), "malformed JSON in 'x.json': unexpected end at line 1, column 2");
    EXPECT_EQ(refusal(""), "malformed JSON in 'x.json': unexpected end at line 1, column 1");
    EXPECT_EQ(
        refusal("{\n  \"a\": nope}"),
        "malformed JSON in 'x.json': syntax error at line 2, column 9");
    EXPECT_THAT(refusal("[1] 2"), HasSubstr("syntax error"));
    EXPECT_THAT(refusal("[\"\xe9\"]"), HasSubstr("syntax error"));
    EXPECT_THAT(refusal("[1e999]"), HasSubstr("out of range"));
}

TEST(ImageJson, IsBounded) {
    EXPECT_EQ(
        refusal(std::string(100'000, '[')),
        "malformed JSON in 'x.json': nested more than 64 levels deep");
    EXPECT_EQ(
        refusal(std::string((8 << 20) + 1, ' ')),
        "malformed JSON in 'x.json': 8.0 MiB, the limit is 8.0 MiB");
    std::string keys = "{\"k\":0";
    for (int i = 0; i < 5000; ++i) {
        keys += ",\"" + std::to_string(i) + "\":0";
    }
    EXPECT_EQ(refusal(keys + "}"), "malformed JSON in 'x.json': too many keys");
    std::string objects = "[{}";
    for (int i = 0; i < 70'000; ++i) {
        objects += ",{\"a\":0}";
    }
    EXPECT_EQ(refusal(objects + "]"), "malformed JSON in 'x.json': too many keys");
}

TEST(ImageJson, HasEveryKeyOnce) {
    EXPECT_EQ(
        refusal(R"({"a": {"b": 1, "b": 2}})"), "malformed JSON in 'x.json': duplicate key 'b'");
    EXPECT_EQ(parse_json(R"([{"b": 1}, {"b": 2}])", "x").size(), 2U);
}

TEST(ImageJson, NamesTheKeyOfAWrongType) {
    const auto json = parse_json(
        R"({"s": "t", "n": 1, "neg": -1, "f": 1.5, "l": ["a", 2], "o": {"k": 1}, "z": null})", "x");
    const JsonObject object(json, "image config");
    const auto said = [](auto body) { return message_of([&] { static_cast<void>(body()); }); };
    EXPECT_EQ(said([&] { return object.text("n"); }), "'n' of image config must be a string");
    EXPECT_EQ(said([&] { return object.text("none"); }), "image config has no 'none'");
    EXPECT_EQ(said([&] { return object.text("z"); }), "image config has no 'z'");
    EXPECT_EQ(
        said([&] { return object.number("neg"); }), "'neg' of image config must be a whole number");
    EXPECT_EQ(
        said([&] { return object.number("f"); }), "'f' of image config must be a whole number");
    EXPECT_EQ(said([&] { return object.flag("s"); }), "'s' of image config must be true or false");
    EXPECT_EQ(
        said([&] { return object.texts("l"); }), "'l' of image config must be a list of strings");
    EXPECT_EQ(
        said([&] { return object.texts("o"); }), "'o' of image config must be a list of strings");
    EXPECT_EQ(
        said([&] { return object.text_map("o"); }),
        "'o' of image config must be an object of strings");
    EXPECT_EQ(said([&] { return object.keys("l"); }), "'l' of image config must be an object");
    EXPECT_EQ(
        said([&] { return object.objects("l"); }),
        "item 1 of 'l' of image config must be an object");
    EXPECT_EQ(said([&] { return object.objects("s"); }), "'s' of image config must be a list");
    EXPECT_EQ(object.integer_or_zero("neg"), -1);
    EXPECT_EQ(object.text_or_empty("z"), "");
    EXPECT_EQ(object.number_or("none", 7), 7U);
}

} // namespace
} // namespace kiln
