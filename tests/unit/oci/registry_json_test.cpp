// SPDX-License-Identifier: MIT
#include "oci/registry/registry_json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace kiln {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kDigest = "sha256:" + std::string(64, 'a');

/// What is said of a descriptor; empty when it is taken.
std::string fault_of(const std::string& text) {
    try {
        read_remote_json(text, "manifest 'x'", [](const nlohmann::ordered_json& json) {
            static_cast<void>(remote_descriptor(json, 1000));
        });
    } catch (const Error& error) {
        EXPECT_EQ(error.exit_code(), ExitCode::remote_refused) << text;
        EXPECT_THAT(error.message(), testing::StartsWith("manifest 'x' is not valid: "));
        EXPECT_THAT(error.message(), Not(HasSubstr("json.exception")));
        return error.message();
    }
    return {};
}

std::string with_size(const std::string& size) {
    return R"({"mediaType": "m", "digest": ")" + kDigest + R"(", "size": )" + size + "}";
}

TEST(RegistryJson, TakesDescriptorsUpToALimit) {
    EXPECT_EQ(fault_of(with_size("0")), "");
    EXPECT_EQ(fault_of(with_size("1000")), "");
    EXPECT_THAT(fault_of(with_size("1001")), HasSubstr("the limit is 1000 B"));
    EXPECT_THAT(fault_of(with_size("4611686018427387904")), HasSubstr("the limit is"));
    for (const char* size :
         {"-1", "1.5", "1e300", "18446744073709551616", "\"7\"", "null", "[]", "true"}) {
        EXPECT_THAT(fault_of(with_size(size)), HasSubstr("is not a size in bytes")) << size;
    }
}

TEST(RegistryJson, SaysWhereTextIsNoJson) {
    EXPECT_EQ(fault_of("<html>\n"), "manifest 'x' is not valid: syntax error at line 1, column 1");
    EXPECT_EQ(
        fault_of("{\n\"size\":"), "manifest 'x' is not valid: unexpected end at line 2, column 8");
    EXPECT_EQ(
        fault_of("{\"size\": 1, \"size\": 2}"), "manifest 'x' is not valid: duplicate key 'size'");
    EXPECT_EQ(fault_of("{\"size\": 1e999}"), "manifest 'x' is not valid: a number is out of range");
}

TEST(RegistryJson, EndsWrongTextInAnErrorOfItsOwn) {
    for (const std::string& text : std::vector<std::string>{
             "",
             "{",
             "nonsense",
             "null",
             "[]",
             "7",
             "\"text\"",
             "{}",
             R"({"size": 1})",
             R"({"size": 1, "digest": 7})",
             R"({"size": 1, "digest": "md5:1"})",
             R"({"size": 1, "digest": ")" + kDigest + R"(", "mediaType": []})",
             R"({"size": 1, "digest": ")" + kDigest + R"(", "annotations": {"a": 1}})",
             "{\"size\": 1, \"digest\": \"\xff\"}",
             "{\"size\xff\": 1}",
             std::string("{\0}", 3)}) {
        EXPECT_NE(fault_of(text), "") << text;
    }
    EXPECT_THAT(
        fault_of("{\"size\": 1, \"digest\": \"\\u001b[2J\"}"),
        testing::AllOf(HasSubstr("\\x1b[2J"), Not(HasSubstr("\x1b"))));
}

TEST(RegistryJson, IsNotNestedDeeply) {
    const std::string deep = std::string(2'000'000, '[');
    EXPECT_THAT(fault_of(deep), HasSubstr("nested deeper than 32 levels"));
    EXPECT_THAT(fault_of(std::string(33, '[') + std::string(33, ']')), HasSubstr("nested deeper"));
    // Brackets in strings are text.
    EXPECT_THAT(
        fault_of(R"({"size": 1, "digest": "\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["})"),
        HasSubstr("is not a SHA-256 digest"));
}

TEST(RegistryJson, LetsErrorsWithACodeOfTheirOwnThrough) {
    try {
        read_remote_json("{}", "x", [](const auto&) { throw Error("y", ExitCode::usage); });
        FAIL() << "no exception";
    } catch (const Error& error) {
        EXPECT_EQ(error.message(), "y");
    }
}

} // namespace
} // namespace kiln
