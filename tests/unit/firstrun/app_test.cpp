// SPDX-License-Identifier: MIT
#include "fake_host.hpp"
#include "firstrun/host/locations.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln::firstrun {

namespace {

using test::FakeHost;
using testing::HasSubstr;

TEST(CommandLine, RefusesWhatItDoesNotKnow) {
    FakeHost fake;
    EXPECT_EQ(fake.run({}), 2);
    EXPECT_EQ(fake.run({"aply"}), 2);
    EXPECT_THAT(fake.err, HasSubstr("unknown command 'aply'"));
    EXPECT_EQ(fake.run({"apply", "--contaner"}), 2);
    EXPECT_EQ(fake.run({"apply", "plan"}), 2);
    EXPECT_EQ(fake.run({"new-password"}), 2);
    EXPECT_THAT(fake.err, HasSubstr("missing argument USER"));
    EXPECT_EQ(fake.run({"new-password", "ADMIN", "OTHER"}), 2);
    EXPECT_THAT(fake.err, HasSubstr("unexpected argument 'OTHER'"));
}

TEST(CommandLine, HelpNamesEveryAnswer) {
    FakeHost fake;
    EXPECT_EQ(fake.run({"--help"}), 0);
    for (const char* name :
         {"hostname", "acme_ca", "minimum_index_lines", "check-key", "recover"}) {
        EXPECT_THAT(fake.out, HasSubstr(name));
    }
}

TEST(CommandLine, AnswersThatAreWrongEndWithThree) {
    FakeHost fake;
    fake.env["PAUSE_MAIL"] = "pigeon";
    EXPECT_EQ(fake.run({"plan", "--container"}), 3);
    EXPECT_THAT(fake.err, HasSubstr("environment PAUSE_MAIL: mail 'pigeon' is not one of"));
}

TEST(Plan, ChangesNothingAndSaysWhy) {
    FakeHost fake;
    fs::create_directories(fake.place("/data"));
    EXPECT_EQ(fake.run({"plan", "--container"}), 0);
    EXPECT_THAT(fake.out, HasSubstr("directories: /data/state is missing\n"));
    EXPECT_THAT(fake.out, HasSubstr("signing-key: no signing key found\n"));
    EXPECT_THAT(fake.out, HasSubstr("database: no database found\n"));
    EXPECT_THAT(fake.out, HasSubstr("certificate: no certificate found\n"));
    EXPECT_TRUE(fs::is_empty(fake.place("/data")));
    EXPECT_FALSE(fs::exists(fake.place("/run")));
    EXPECT_TRUE(fake.launcher.commands.empty());
}

TEST(Status, WorksBeforeAnythingWasDone) {
    FakeHost fake;
    EXPECT_EQ(fake.run({"status"}), 0);
    EXPECT_THAT(fake.out, HasSubstr("first done:   not yet"));
    EXPECT_EQ(fake.run({"status", "--json"}), 0);
    EXPECT_EQ(fake.out.front(), '{');
}

TEST(Status, ShowsFreeSpaceAndTheCertificateInALineEach) {
    FakeHost fake;
    fake.put(locations::kCertificate, "PEM");
    fake.put(
        locations::kCertificateInfo,
        R"({"kind": "files", "names": ["pause.example.org"], "expires": 4070908800})");
    fake.launcher.answers["openssl"] = [](const Command& command) {
        ProcessResult result;
        result.output = command.input == "PEM" ? "subject=CN=pause.example.org\n" : "";
        return result;
    };
    EXPECT_EQ(fake.run({"status"}), 0);
    EXPECT_THAT(
        fake.out,
        HasSubstr("certificate:  files, CN=pause.example.org, expires 2099-01-01T00:00:00Z\n"));
    EXPECT_THAT(fake.out, testing::ContainsRegex("data volume:  [0-9.]+ [KMGT]iB free\n"));
    EXPECT_EQ(fake.run({"status", "--json"}), 0);
    EXPECT_THAT(fake.out, HasSubstr("\"volume_free_bytes\": "));
}

} // namespace

} // namespace kiln::firstrun
