// SPDX-License-Identifier: MIT
//
// A record.json that is next to a foreign image is as foreign.
#include "bake/record.hpp"
#include "support/expect_error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace kiln {
namespace {

using namespace test;
using testing::EndsWith;
using testing::HasSubstr;

class ForeignRecord : public testing::Test {
  protected:
    std::string refusal(const std::string& text) {
        write_file(path_, text);
        return message_of([&] { static_cast<void>(load_record(path_)); }, ExitCode::invalid_recipe);
    }

    TempDir dir_{temporary_root(), "kiln-record"};
    fs::path path_ = dir_.path() / "record.json";
};

TEST_F(ForeignRecord, IsRefusedInOurWords) {
    EXPECT_THAT(refusal("{"), EndsWith("unexpected end at line 1, column 2"));
    EXPECT_THAT(refusal("{}"), EndsWith("is not a kiln record: record has no 'recipe'"));
    EXPECT_THAT(refusal(R"({"recipe": 1})"), EndsWith("'recipe' of record must be a string"));
    EXPECT_THAT(
        refusal(R"({"recipe": "x", "lock": "\u001b"})"), EndsWith("'\\x1b' is not a valid digest"));
    EXPECT_THAT(refusal(std::string(1000, '[')), HasSubstr("nested more than"));
}

TEST_F(ForeignRecord, IsARegularFile) {
    ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
    EXPECT_THAT(
        message_of([&] { static_cast<void>(load_record(path_)); }, ExitCode::invalid_recipe),
        EndsWith("is not a regular file"));
}

TEST_F(ForeignRecord, NamesNoOtherFile) {
    Record record;
    record.trees["vm.manifest"] = sha256("x");
    ASSERT_EQ(::mkfifo((dir_.path() / "vm.manifest").c_str(), 0600), 0);
    EXPECT_THAT(
        message_of([&] {
            static_cast<void>(load_recorded_tree(record, dir_.path(), ImageFormat::qcow2));
        }),
        EndsWith("is not a regular file"));
}

} // namespace
} // namespace kiln
