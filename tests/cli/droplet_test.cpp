// SPDX-License-Identifier: MIT
// What `kiln droplet` refuses before the API is asked anything.
#include "base/io/file.hpp"
#include "support/fake_io.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

using test::CliResult;
using testing::HasSubstr;
using testing::Not;

class DropletCommand : public testing::Test {
  protected:
    void SetUp() override {
        fs::current_path(dir_.path());
        host_.env["KILN_CACHE"] = (dir_.path() / "cache").string();
        host_.env["KILN_STATE"] = (dir_.path() / "state").string();
    }

    void TearDown() override { fs::current_path("/"); }

    CliResult expect_error(std::vector<std::string> words, int code, const std::string& message) {
        const std::string line = testing::PrintToString(words);
        CliResult result = host_.run(std::move(words));
        EXPECT_EQ(result.exit_code, code) << line;
        EXPECT_THAT(result.err, HasSubstr("error: " + message)) << line;
        EXPECT_EQ(result.out, "");
        return result;
    }

    static std::vector<std::string> create(const std::vector<std::string>& more) {
        std::vector<std::string> words{
            "droplet", "create", "shop", "--image", "7", "--region", "nyc3", "--size", "s-1"};
        words.insert(words.end(), more.begin(), more.end());
        return words;
    }

    TempDir dir_{temporary_root(), "kiln-test"};
    test::FakeHost host_;
};

TEST_F(DropletCommand, NamesTheOptionThatIsMissing) {
    expect_error({"droplet", "create", "shop"}, 2, "--image is missing");
    expect_error({"droplet", "create", "shop", "--image", "7"}, 2, "--region is missing");
    expect_error(
        {"droplet", "create", "shop", "--image", "7", "--region", "nyc3"}, 2, "--size is missing");
    expect_error(create({}), 2, "--ssh-key is missing");
    expect_error(create({"--ssh-key", "a"}), 2, "no token for DigitalOcean's API");
    EXPECT_FALSE(fs::exists("state/droplets"));
}

TEST_F(DropletCommand, RefusesOptionsThatExcludeEachOther) {
    const std::string key = "--ssh-key=a";
    expect_error(
        create({key, "--private", "--domain", "a.example.org"}),
        2,
        "--private and --domain are mutually exclusive");
    expect_error(
        create({key, "--private", "--wait-for", "/"}),
        2,
        "--private and --wait-for are mutually exclusive");
    expect_error(
        create({key, "--user-data", "x", "--answers", "y"}),
        2,
        "--user-data and answers are mutually exclusive");
    expect_error(
        create({key, "--wait-for", "ftp://a.example"}),
        2,
        "'--wait-for ftp://a.example': expected a URL or a path");
    expect_error(create({key, "--timeout", "1d"}), 2, "'--timeout 1d': expected a time");
}

TEST_F(DropletCommand, ShowsNothingOfAnAnswerThatWasGivenAsAnArgument) {
    const CliResult result = expect_error(
        create({"--ssh-key", "a", "--answer", "planted-secret"}), 2, "--answer: expected KEY=FILE");
    EXPECT_THAT(result.err, Not(HasSubstr("planted")));
}

TEST_F(DropletCommand, ReadsStandardInputOnce) {
    host_.input = "pause: {}";
    expect_error(
        create({"--ssh-key", "a", "--answers", "-", "--answer", "admin_user=-"}),
        2,
        "standard input ('-') can be read for one option only");
}

TEST_F(DropletCommand, ChecksAnswersByFirstRunsTable) {
    write_file("answers.yaml", "pause:\n  mail: pigeon\n");
    const CliResult result = expect_error(
        create({"--ssh-key", "a", "--answers", "answers.yaml"}), 3, "an answer is not");
    EXPECT_THAT(result.err, HasSubstr("answers.yaml:2:9: mail 'pigeon' "));
}

TEST_F(DropletCommand, RefusesUserDataThatIsTooLarge) {
    write_file("data", std::string(65'537, 'x'));
    expect_error(
        create({"--ssh-key", "a", "--user-data", "data"}), 2, "the user-data has 65537 bytes");
}

} // namespace
} // namespace kiln
