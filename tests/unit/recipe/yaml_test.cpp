// SPDX-License-Identifier: MIT
#include "recipe/yaml/yaml.hpp"

#include <gtest/gtest.h>

namespace kiln {
namespace {

std::optional<YamlNode> parse(std::string text, Diagnostics& diags) {
    return parse_yaml(
        std::make_shared<const SourceFile>(SourceFile{"t.yaml", std::move(text)}), diags);
}

YamlNode parse_good(std::string text) {
    Diagnostics diags;
    std::optional<YamlNode> node = parse(std::move(text), diags);
    EXPECT_EQ(diags.render_all(), "");
    return node.value_or(YamlNode());
}

std::string faults_of(std::string text) {
    Diagnostics diags;
    static_cast<void>(parse(std::move(text), diags));
    return diags.render_all();
}

TEST(Yaml, GivesThePlacesOfKeysAndValues) {
    const YamlNode root = parse_good("a: one\nlist:\n  - \"two\" # comment\n  - {k: 'it''s'}\n");
    ASSERT_EQ(root.kind, YamlNode::Kind::map);
    EXPECT_EQ(root.members[1].key.pos.to_string(), "t.yaml:2:1");
    EXPECT_EQ(root.members[1].key.pos.length, 4);
    const YamlNode* list = root.find("list");
    ASSERT_NE(list, nullptr);
    ASSERT_EQ(list->items.size(), 2U);
    EXPECT_EQ(list->items[0].pos.to_string(), "t.yaml:3:5");
    EXPECT_EQ(list->items[0].pos.length, 5); // with its quotes
    const YamlNode* nested = list->items[1].find("k");
    ASSERT_NE(nested, nullptr);
    EXPECT_EQ(nested->text, "it's");
    EXPECT_EQ(nested->pos.to_string(), "t.yaml:4:9");
    EXPECT_EQ(nested->pos.length, 7);
}

TEST(Yaml, CountsColumnsInCharacters) {
    const YamlNode root = parse_good("k: [\"\u00e9\u00e9\", x]\n");
    EXPECT_EQ(root.find("k")->items[0].pos.length, 4);
    EXPECT_EQ(root.find("k")->items[1].pos.to_string(), "t.yaml:1:11");
}

TEST(Yaml, TellsPlainFromQuotedScalars) {
    const YamlNode root = parse_good("a: yes\nb: \"yes\"\nc: 'yes'\nd: |\n  yes\ne: >-\n  yes\n");
    EXPECT_FALSE(root.find("a")->quoted);
    for (const char* key : {"b", "c", "d", "e"}) {
        EXPECT_TRUE(root.find(key)->quoted) << key;
    }
    EXPECT_EQ(root.find("d")->text, "yes\n");
    EXPECT_EQ(root.find("e")->text, "yes");
}

TEST(Yaml, KeepsTheTextOfNumbersAsWritten) {
    const YamlNode root = parse_good("mode: 0644\nversion: 1.10\nnothing: ~\nempty:\n");
    EXPECT_EQ(root.find("mode")->text, "0644");
    EXPECT_EQ(root.find("version")->text, "1.10");
    EXPECT_EQ(root.find("nothing")->kind, YamlNode::Kind::null);
    EXPECT_EQ(root.find("empty")->kind, YamlNode::Kind::null);
    EXPECT_EQ(root.find("empty")->pos.to_string(), "t.yaml:4:1"); // its key's
    EXPECT_EQ(root.find("absent"), nullptr);
}

TEST(Yaml, AcceptsADocumentStartAndAnEnd) {
    EXPECT_EQ(parse_good("---\na: 1\n...\n").find("a")->text, "1");
}

TEST(Yaml, RefusesEveryKeyThatIsNoText) {
    EXPECT_NE(faults_of("[a]: 1\n").find("a key must be a single word"), std::string::npos);
    EXPECT_NE(faults_of("? {a: b}\n: 1\n").find("a key must be a single word"), std::string::npos);
    EXPECT_NE(faults_of("~: 1\n").find("a key must be a single word"), std::string::npos);
}

TEST(Yaml, ContinuesAfterDuplicateKeysWithTheFirstValue) {
    Diagnostics diags;
    const auto root = parse("a: 1\na: 2\nb: 3\nb: 4\n", diags);
    ASSERT_TRUE(root.has_value());
    EXPECT_EQ(diags.error_count(), 2U);
    ASSERT_EQ(root->members.size(), 2U);
    EXPECT_EQ(root->find("a")->text, "1");
}

TEST(Yaml, ReportsOneBadCharacterALine) {
    Diagnostics diags;
    EXPECT_FALSE(parse("a:\t\t1\nb: \xff\xfe\nc: ok\n", diags).has_value());
    EXPECT_EQ(diags.error_count(), 2U);
}

TEST(Yaml, RefusesOverlongAndSurrogateUtf8) {
    for (const char* bad :
         {"\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2"}) {
        EXPECT_NE(faults_of(std::string("a: ") + bad).find("not valid UTF-8"), std::string::npos);
    }
    EXPECT_EQ(parse_good("a: \xf0\x9f\x94\xa5\n").find("a")->text, "\xf0\x9f\x94\xa5");
}

TEST(Yaml, RefusesWhatIsTooLargeOrTooDeep) {
    EXPECT_EQ(
        faults_of(std::string(kMaxYamlBytes + 1, '#')), "t.yaml: error: larger than 1.0 MiB\n");
    EXPECT_NE(
        faults_of(std::string(20000, '[')).find("nested more than 32 levels deep"),
        std::string::npos);
}

TEST(Yaml, RefusesQuotesThatDoNotEnd) {
    EXPECT_EQ(
        faults_of("a: \"b\n  c\\\"\n"),
        "t.yaml:1:4: error: unterminated \"\n  1 | a: \"b\n    |    ^\n");
    EXPECT_NE(faults_of("a: 'b''\n").find("unterminated '"), std::string::npos);
}

} // namespace
} // namespace kiln
