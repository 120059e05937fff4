// SPDX-License-Identifier: MIT
#include "lock/request_changes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

using Parts = std::vector<RequestPart>;

const RequestPart kArchive{"archive 'debian'", {"suite bookworm", "component main"}};
const RequestPart kStage{"stage 'base' of branch 'common'", {"package a", "package b"}};

TEST(RequestChanges, AreNoneWhenNothingChanged) {
    EXPECT_THAT(describe_request_changes({kArchive, kStage}, {kArchive, kStage}), IsEmpty());
}

TEST(RequestChanges, NameWhatWasAddedAndRemoved) {
    RequestPart more = kStage;
    more.says.emplace_back("package foo");
    EXPECT_THAT(
        describe_request_changes({kStage}, {more}),
        ElementsAre("stage 'base' of branch 'common': package 'foo' was added"));
    EXPECT_THAT(
        describe_request_changes({more}, {kStage}),
        ElementsAre("stage 'base' of branch 'common': package 'foo' was removed"));
    EXPECT_THAT(
        describe_request_changes({kArchive}, {kStage}),
        ElementsAre("stage 'base' of branch 'common' was added", "archive 'debian' was removed"));
}

TEST(RequestChanges, NameTheOldAndTheNewValue) {
    RequestPart other = kArchive;
    other.says[0] = "suite trixie";
    EXPECT_THAT(
        describe_request_changes({kArchive}, {other}),
        ElementsAre("archive 'debian': suite changed from 'bookworm' to 'trixie'"));
}

TEST(RequestChanges, SeeTheOrder) {
    RequestPart turned = kStage;
    std::swap(turned.says[0], turned.says[1]);
    EXPECT_THAT(
        describe_request_changes({kStage}, {turned}),
        ElementsAre("stage 'base' of branch 'common': the order changed"));
    EXPECT_THAT(
        describe_request_changes({kArchive, kStage}, {kStage, kArchive}),
        ElementsAre("the order of archives or stages changed"));
}

TEST(RequestChanges, SayEverythingOfALockThatHasNone) {
    EXPECT_THAT(
        describe_request_changes({}, {kArchive, kStage}),
        ElementsAre("archive 'debian' was added", "stage 'base' of branch 'common' was added"));
}

} // namespace
} // namespace kiln
