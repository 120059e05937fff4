// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "recipe/yaml/patterns.hpp"
#include "recipe/yaml/shape.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <array>

namespace kiln {
namespace {

constexpr auto kColours = std::to_array<std::string_view>({"red", "green"});
constexpr Shape kColour = choice_of(kColours);
constexpr Shape kNames = list_of(&kName);
constexpr Shape kLabels = map_of(kNamePattern, &kTextOrEmpty);
constexpr Shape kSmall = integer_between(-5, 5);
constexpr auto kThingFields = std::to_array<Field>({
    {"name", &kName, Need::required, "its name"},
    {"size", &kSize, Need::optional, "its size", "1MiB"},
    {"mode", &kFileMode, Need::optional, "its mode"},
    {"wait", &kDuration, Need::optional, "a time"},
    {"on", &kBoolean, Need::optional, "a switch", "false"},
    {"colour", &kColour, Need::optional, "a colour"},
    {"small", &kSmall, Need::optional, "a number"},
    {"names", &kNames, Need::optional, "more names"},
    {"labels", &kLabels, Need::optional, "labels"},
});
constexpr Shape kThing = object_of(kThingFields, "thing");

constexpr std::array<const Shape*, 2> kForms{&kName, &kThing};
constexpr Shape kNameOrThing = one_of(kForms);
constexpr Shape kMixed = list_of(&kNameOrThing);

Value check(const Shape& shape, std::string text, Diagnostics& diags) {
    const auto file = std::make_shared<const SourceFile>(SourceFile{"t.yaml", std::move(text)});
    const auto node = parse_yaml(file, diags);
    return node ? validate(*node, shape, diags) : Value();
}

Value check_good(const Shape& shape, std::string text) {
    Diagnostics diags;
    Value value = check(shape, std::move(text), diags);
    EXPECT_EQ(diags.render_all(), "");
    return value;
}

TEST(Validate, GivesTypedValuesWithPlaces) {
    const Value thing = check_good(
        kThing,
        "name: a\nsize: 2KiB\nmode: '4755'\nwait: 2m\non: true\ncolour: red\nsmall: -5\n"
        "names: [x, y]\nlabels: {b: 0644, a: true}\n");
    EXPECT_EQ(thing.at("name").as_string(), "a");
    EXPECT_EQ(thing.at("size").as_integer(), 2048);
    EXPECT_EQ(thing.at("mode").as_integer(), 04755);
    EXPECT_EQ(thing.at("wait").as_integer(), 120000);
    EXPECT_TRUE(thing.at("on").as_boolean());
    EXPECT_EQ(thing.at("small").as_integer(), -5);
    EXPECT_EQ(thing.at("names").as_strings(), (std::vector<std::string>{"x", "y"}));
    EXPECT_EQ(thing.at("names").as_list()[1].pos().to_string(), "t.yaml:8:12");
    EXPECT_EQ(thing.at("labels").members()[0].key, "b");
    EXPECT_EQ(thing.at("labels").members()[0].key_pos.to_string(), "t.yaml:9:10");
    EXPECT_EQ(thing.at("labels").at("b").as_string(), "0644");
}

TEST(Validate, KeepsDefaultsApartFromWhatTheFileSays) {
    const Value thing = check_good(kThing, "name: a\n");
    EXPECT_FALSE(thing.contains("size"));
    EXPECT_EQ(thing.at("size").as_integer(), 1 << 20);
    EXPECT_FALSE(thing.at("on").as_boolean());
    EXPECT_EQ(thing.string_or_empty("colour"), "");
    EXPECT_TRUE(thing.strings_or_empty("names").empty());
    EXPECT_EQ(thing.canonical(), R"({"name":"a"})");
    const Value given = check_good(kThing, "name: a\nsize: 2KiB\non: true\n");
    EXPECT_EQ(given.at("size").as_integer(), 2048);
    EXPECT_TRUE(given.without(std::to_array<std::string_view>({"on"})).contains("size"));
    EXPECT_FALSE(given.without(std::to_array<std::string_view>({"on"})).at("on").as_boolean());
}

/// Of which no key is required, so that it need not be there.
TEST(Validate, GivesTheDefaultsOfAnObjectThatIsLeftOut) {
    static constexpr auto kInnerFields = std::to_array<Field>(
        {{"size", &kSize, Need::optional, "a size", "1MiB"},
         {"names", &kNames, Need::optional, "names", "[a, b]"}});
    static constexpr Shape kInner = object_of(kInnerFields, "inner");
    static constexpr auto kOuterFields = std::to_array<Field>(
        {{"inner", &kInner, Need::optional, "a section"},
         {"thing", &kThing, Need::optional, "a section with a required key"}});
    static constexpr Shape kOuter = object_of(kOuterFields, "outer");
    const Value outer = check_good(kOuter, "{}\n");
    EXPECT_FALSE(outer.contains("inner"));
    EXPECT_EQ(outer.at("inner").at("size").as_integer(), 1 << 20);
    EXPECT_EQ(outer.at("inner").at("names").as_strings(), (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(empty_object(kOuter).at("inner").at("size").as_integer(), 1 << 20);
}

TEST(Validate, ChoosesTheFormByWhatIsThere) {
    const Value list = check_good(kMixed, "[a, {name: b}]\n");
    EXPECT_EQ(list.as_list()[0].kind(), Value::Kind::string);
    EXPECT_EQ(list.as_list()[1].kind(), Value::Kind::map);
    Diagnostics diags;
    static_cast<void>(check(kMixed, "[[a]]\n", diags));
    ASSERT_EQ(diags.error_count(), 1U);
    EXPECT_EQ(diags.all()[0].message, "entry of the file must be a name or a map, not a list");
}

TEST(Validate, ReportsEveryFaultInOneGo) {
    Diagnostics diags;
    static_cast<void>(check(kThing, "nam: a\nsize: big\non: yes\nsmall: 6\nnames: x\n", diags));
    EXPECT_EQ(diags.error_count(), 5U);
}

TEST(Validate, DoesNotMissAKeyThatIsOnlyMisspelt) {
    Diagnostics diags;
    static_cast<void>(check(kThing, "nam: a\n", diags));
    ASSERT_EQ(diags.error_count(), 1U);
    EXPECT_EQ(diags.all()[0].message, "unknown key 'nam' in thing");
    EXPECT_EQ(diags.all()[0].hint, "did you mean 'name'?");
}

TEST(Validate, RefusesTextThatIsTooLongForAPattern) {
    Diagnostics diags;
    static_cast<void>(check(kPath, "\"" + std::string(kMaxPatternText + 1, 'a') + "\"\n", diags));
    ASSERT_EQ(diags.error_count(), 1U);
    EXPECT_LT(diags.all()[0].message.size(), 200U);
}

TEST(Value, CanonicalFormDoesNotDependOnLayout) {
    const Value one = check_good(kThing, "name: a\nsize: 1KiB\nlabels: {x: '1', b: c}\n");
    const Value two = check_good(kThing, "labels:\n  b: \"c\"\n  x: 1\nsize: 1024\nname: 'a'\n");
    EXPECT_EQ(one.canonical(), R"({"labels":{"b":"c","x":"1"},"name":"a","size":1024})");
    EXPECT_EQ(one.canonical(), two.canonical());
}

TEST(Value, TakesAWrongReadForABug) {
    const Value thing = check_good(kThing, "name: a\n");
    try {
        static_cast<void>(thing.at("name").as_integer());
        FAIL() << "no exception";
    } catch (const Error& error) {
        EXPECT_EQ(error.exit_code(), ExitCode::bug);
    }
}

bool matches(const Shape& shape, const std::string& text) {
    Diagnostics diags;
    static_cast<void>(check(shape, "'" + text + "'\n", diags));
    return !diags.has_errors();
}

TEST(Patterns, KeepPathsInside) {
    for (const char* good : {"/", "/etc", "/etc/a..b/...", "/srv/.hidden"}) {
        EXPECT_TRUE(matches(kAbsolutePath, good)) << good;
    }
    for (const char* bad : {"", "etc", "//etc", "/a//b", "/a/../b", "/..", "/a/.", "/./a"}) {
        EXPECT_FALSE(matches(kAbsolutePath, bad)) << bad;
    }
    for (const char* good : {"a", "a/b", "a..b", ".a"}) {
        EXPECT_TRUE(matches(kInnerPath, good)) << good;
    }
    for (const char* bad : {"/a", "../a", "a/..", "a/../b", ".."}) {
        EXPECT_FALSE(matches(kInnerPath, bad)) << bad;
    }
}

TEST(Patterns, KnowPortsAndPackages) {
    for (const char* good : {"1", "80", "65535", "53/udp", "8080/tcp"}) {
        EXPECT_TRUE(matches(kPort, good)) << good;
    }
    for (const char* bad : {"0", "65536", "99999", "080", "80/", "80/sctp", "-1"}) {
        EXPECT_FALSE(matches(kPort, bad)) << bad;
    }
    EXPECT_TRUE(matches(kPackageName, "libstdc++6"));
    EXPECT_FALSE(matches(kPackageName, "a"));
    EXPECT_FALSE(matches(kPackageName, "perl:amd64"));
}

TEST(Schema, ListsKeysTypesAndDefaults) {
    const nlohmann::ordered_json schema = schema_of(kThing, "thing");
    EXPECT_EQ(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    EXPECT_EQ(schema["required"], nlohmann::ordered_json::array({"name"}));
    EXPECT_EQ(schema["additionalProperties"], false);
    EXPECT_EQ(schema["properties"]["size"]["description"], "its size (default: 1MiB)");
    EXPECT_EQ(schema["properties"]["size"]["default"], "1MiB");
    EXPECT_EQ(schema["properties"]["on"]["default"], false);
    EXPECT_FALSE(schema["properties"]["colour"].contains("default"));
    EXPECT_EQ(schema["properties"]["small"]["anyOf"][0]["minimum"], -5);
    EXPECT_EQ(schema["properties"]["colour"]["anyOf"][0]["enum"].size(), 2U);
    EXPECT_EQ(schema["properties"]["colour"]["anyOf"][1]["$ref"], "#/$defs/variable");
    EXPECT_TRUE(schema["$defs"].contains("variable"));
}

TEST(MarkdownTable, HasARowAKey) {
    const std::string table = markdown_table(kThing);
    EXPECT_NE(table.find("| `name` | a name | required | its name |\n"), std::string::npos);
    EXPECT_NE(table.find("| `on` | true or false | `false` | a switch |\n"), std::string::npos);
}

} // namespace
} // namespace kiln
