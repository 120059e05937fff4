// SPDX-License-Identifier: MIT
#include "stages/script_hint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

using testing::HasSubstr;

std::string hint_of(const std::string& output) {
    ProcessResult result;
    result.exit_status = 1;
    result.output = output;
    return hint_of_failed_script(result);
}

TEST(HintOfFailedScript, SaysThatThereIsNoNetwork) {
    for (const char* output :
         {"curl: (6) Could not resolve host: a.example\n",
          "wget: unable to resolve host address 'a.example'\n",
          "fatal: unable to access 'https://a.example/': Could not resolve host: a.example\n",
          "E: Temporary failure resolving 'a.example'\n",
          "socket.gaierror: [Errno -3] Temporary failure in name resolution\n",
          "connect: Network is unreachable\n"}) {
        EXPECT_THAT(hint_of(output), HasSubstr("scripts have no network")) << output;
    }
}

TEST(HintOfFailedScript, SaysHowToSeeASilentScriptsCommands) {
    EXPECT_THAT(hint_of(""), HasSubstr("'set -x'"));
    EXPECT_THAT(hint_of(" \n"), HasSubstr("'set -x'"));
}

TEST(HintOfFailedScript, SaysNothingElse) {
    EXPECT_EQ(hint_of("cc: error\n"), "");
    ProcessResult result;
    result.timed_out = true;
    EXPECT_EQ(hint_of_failed_script(result), "");
}

} // namespace
} // namespace kiln
