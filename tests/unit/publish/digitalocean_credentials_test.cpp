// SPDX-License-Identifier: MIT
#include "base/io/file.hpp"
#include "publish/digitalocean/credentials.hpp"
#include "support/expect_error.hpp"
#include "support/fake_process_runner.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

using testing::HasSubstr;
using testing::Not;

class DigitalOceanToken : public testing::Test {
  protected:
    std::string token() { return find_digitalocean_token(env_, processes_); }

    void write_program(const std::string& script) {
        write_file(dir_.path() / "show-token", "#!/bin/sh\n" + script + "\n", 0755);
        env_["PATH"] = dir_.path().string() + ":/usr/bin:/bin";
        env_["DIGITALOCEAN_TOKEN_COMMAND"] = "show-token  a b";
    }

    TempDir dir_{temporary_root(), "kiln-test"};
    Environment env_;
    SystemProcessRunner processes_;
};

TEST_F(DigitalOceanToken, IsTakenFromTheFirstPlaceThatHasOne) {
    write_program("echo of-command $2");
    EXPECT_EQ(token(), "of-command b");
    write_file(dir_.path() / "token", "of-file\r\nmore\n");
    env_["DIGITALOCEAN_TOKEN_FILE"] = dir_.path() / "token";
    EXPECT_EQ(token(), "of-file");
    env_["DIGITALOCEAN_TOKEN"] = "of-terraform";
    EXPECT_EQ(token(), "of-terraform");
    env_["DIGITALOCEAN_ACCESS_TOKEN"] = "of-doctl";
    EXPECT_EQ(token(), "of-doctl");
}

TEST_F(DigitalOceanToken, SaysWhereItCanBeWhenThereIsNone) {
    EXPECT_EQ(
        test::message_of([&] { token(); }, ExitCode::usage), "no token for DigitalOcean's API");
}

TEST_F(DigitalOceanToken, ShowsNothingOfWhatACommandHasOrPrints) {
    env_["DIGITALOCEAN_TOKEN_COMMAND"] = "no-such-program SECRET";
    EXPECT_EQ(
        test::message_of([&] { token(); }),
        "the command 'no-such-program ...' (DIGITALOCEAN_TOKEN_COMMAND) is not installed");
    for (const char* script : {"echo SECRET; echo SECRET >&2; exit 3", "echo; echo SECRET"}) {
        write_program(script);
        env_["DIGITALOCEAN_TOKEN_COMMAND"] += " SECRET";
        const std::string message = test::message_of([&] { token(); });
        EXPECT_THAT(message, HasSubstr("'show-token ...' (DIGITALOCEAN_TOKEN_COMMAND)"));
        EXPECT_THAT(message, Not(HasSubstr("SECRET")));
    }
}

TEST_F(DigitalOceanToken, RefusesFilesThatHoldNone) {
    env_["DIGITALOCEAN_TOKEN_FILE"] = dir_.path() / "empty";
    write_file(dir_.path() / "empty", "\nsecond line\n");
    EXPECT_THAT(
        test::message_of([&] { token(); }), HasSubstr("(DIGITALOCEAN_TOKEN_FILE) holds no token"));
    env_["DIGITALOCEAN_TOKEN_FILE"] = dir_.path() / "gone";
    EXPECT_THAT(test::message_of([&] { token(); }), HasSubstr("No such file or directory"));
}

} // namespace
} // namespace kiln
