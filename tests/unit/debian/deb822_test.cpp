// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "debian/deb822.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

using testing::ElementsAre;

constexpr std::string_view kTwo = "Package: one\n"
                                  "Version:1.0\n"
                                  "Description: short\n"
                                  " long\n"
                                  " .\n"
                                  " more\n"
                                  "\n"
                                  "\n"
                                  "package: two\n"
                                  "Conffiles:\n"
                                  " /etc/two 0123\n";

std::string fault_of(std::string_view text, Deb822Comments comments = Deb822Comments::refused) {
    try {
        static_cast<void>(parse_deb822(text, "file", comments));
    } catch (const Error& error) {
        EXPECT_EQ(error.exit_code(), ExitCode::invalid_recipe);
        return error.message();
    }
    return "none";
}

TEST(Deb822Reader, GivesFieldsWithLinesAndContinuations) {
    Deb822Reader reader(kTwo, "file");
    Deb822View view;
    ASSERT_TRUE(reader.next(view));
    EXPECT_EQ(view.get("package"), "one");
    EXPECT_EQ(view.get("Version"), "1.0");
    EXPECT_EQ(view.get("Description"), "short\n long\n .\n more");
    EXPECT_EQ(view.find("Description")->line, 3);
    EXPECT_EQ(view.find("Depends"), nullptr);
    ASSERT_TRUE(reader.next(view));
    EXPECT_EQ(view.line(), 9);
    EXPECT_EQ(view.get("Package"), "two");
    EXPECT_EQ(view.get("Conffiles"), "\n /etc/two 0123");
    EXPECT_FALSE(reader.next(view));
}

TEST(Deb822Reader, ReadsATextWithoutAFinalNewline) {
    const auto paragraphs = parse_deb822("A: 1", "file");
    ASSERT_EQ(paragraphs.size(), 1U);
    EXPECT_EQ(paragraphs[0].get("a"), "1");
    EXPECT_TRUE(parse_deb822("\n \n", "file").empty());
    EXPECT_TRUE(parse_deb822("", "file").empty());
}

TEST(Deb822Reader, RefusesBadSyntaxWithItsLine) {
    EXPECT_EQ(fault_of("A: 1\nword\n"), "file:2: expected a colon after the field name");
    EXPECT_EQ(fault_of("\n more\n A: 1"), "file:2: continuation line without a field");
    EXPECT_EQ(fault_of("A: 1\na: 2\n"), "file:2: duplicate field 'a' in a paragraph");
    EXPECT_EQ(fault_of(": 1\n"), "file:1: empty or invalid field name");
    EXPECT_EQ(fault_of("# A: 1\n"), "file:1: empty or invalid field name");
}

TEST(Deb822Reader, SkipsCommentsWhereAllowed) {
    const auto paragraphs =
        parse_deb822("# head\nURIs: a\n# b\n c # d\nTypes: deb\n", "file", Deb822Comments::allowed);
    ASSERT_EQ(paragraphs.size(), 1U);
    EXPECT_THAT(deb822_words(paragraphs[0].get("URIs")), ElementsAre("a", "c", "#", "d"));
    EXPECT_EQ(paragraphs[0].get("Types"), "deb");
}

TEST(Deb822Paragraph, WritesWhatItRead) {
    std::string out;
    for (const Deb822Paragraph& paragraph : parse_deb822(kTwo, "file")) {
        out += paragraph.to_string() + "\n";
    }
    EXPECT_EQ(
        out,
        "Package: one\nVersion: 1.0\nDescription: short\n long\n .\n more\n\n"
        "package: two\nConffiles:\n /etc/two 0123\n\n");
}

TEST(Deb822Paragraph, ChangesFieldsInPlace) {
    Deb822Paragraph paragraph;
    paragraph.set("A", "1");
    paragraph.set("B", "2");
    paragraph.set("a", "3");
    paragraph.set("C", "");
    EXPECT_EQ(paragraph.to_string(), "A: 3\nB: 2\nC:\n");
    paragraph.erase("b");
    EXPECT_FALSE(paragraph.has("B"));
}

TEST(Deb822Reader, RefusesParagraphsWithoutEnd) {
    std::string text;
    for (int i = 0; i < 200'000; ++i) {
        text += "F" + std::to_string(i) + ": x\n";
    }
    try {
        static_cast<void>(parse_deb822(text, "control"));
        FAIL() << "no exception";
    } catch (const Error& error) {
        EXPECT_EQ(error.message(), "control:1001: more than 1000 fields in a paragraph");
        EXPECT_EQ(error.exit_code(), ExitCode::invalid_recipe);
    }
}

} // namespace
} // namespace kiln
