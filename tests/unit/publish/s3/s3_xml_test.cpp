// SPDX-License-Identifier: MIT
#include "publish/s3/s3_xml.hpp"

#include <gtest/gtest.h>

namespace kiln {
namespace {

std::string nested(std::size_t levels) {
    std::string out;
    for (std::size_t i = 0; i < levels; ++i) {
        out += "<a>";
    }
    for (std::size_t i = 0; i < levels; ++i) {
        out += "</a>";
    }
    return out;
}

TEST(S3Xml, IsReadAsATree) {
    const auto root =
        parse_xml("  \n<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                  "<s3:List xmlns:s3=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Part n=\"1\">\n"
                  "<ETag>&quot;ab&#99;&amp;&quot;</ETag><Size> 5 </Size></Part><Part/><!-- x -->"
                  "<Last><![CDATA[<&>]]></Last></s3:List>");
    ASSERT_TRUE(root);
    EXPECT_EQ(root->name, "List");
    ASSERT_EQ(root->children.size(), 3U);
    EXPECT_EQ(root->children[0].text_of("ETag"), "\"abc&\"");
    EXPECT_EQ(root->children[0].text_of("Size"), "5");
    EXPECT_EQ(root->children[0].text_of("None"), "");
    EXPECT_EQ(root->children[1].child("ETag"), nullptr);
    EXPECT_EQ(root->text_of("Last"), "<&>");
}

TEST(S3Xml, IsNothingWhenItIsNotWellFormed) {
    for (const char* text :
         {"",
          "   ",
          "x",
          "<a>",
          "<a></b>",
          "<a/><b/>",
          "<a>&nothing;</a>",
          "<a>\xff</a>",
          "<a b=1/>",
          "<html><body><br></body></html>",
          "{\"errors\": []}"}) {
        EXPECT_FALSE(parse_xml(text)) << text;
    }
    EXPECT_FALSE(parse_xml(std::string_view("<a>\0</a>", 8)));
}

TEST(S3Xml, HasNoDocumentType) {
    EXPECT_FALSE(parse_xml("<!DOCTYPE a><a/>"));
    EXPECT_FALSE(parse_xml("<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>"));
    EXPECT_FALSE(parse_xml("<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>"));
    EXPECT_FALSE(parse_xml("<!DOCTYPE html><html></html>"));
}

TEST(S3Xml, HasLimits) {
    EXPECT_TRUE(parse_xml(nested(16)));
    EXPECT_FALSE(parse_xml(nested(17)));
    EXPECT_FALSE(parse_xml(nested(100'000)));
    std::string many = "<a>";
    for (int i = 0; i < 20'001; ++i) {
        many += "<b/>";
    }
    EXPECT_FALSE(parse_xml(many + "</a>"));
}

TEST(S3Xml, EscapesWhatWouldBeMarkup) {
    EXPECT_EQ(xml_escaped("a<b>&c"), "a&lt;b&gt;&amp;c");
}

} // namespace
} // namespace kiln
