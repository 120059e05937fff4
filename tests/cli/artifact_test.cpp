// SPDX-License-Identifier: MIT
#include "base/io/file.hpp"
#include "support/fake_io.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

using test::CliResult;
using test::run_kiln;
using testing::HasSubstr;

class ArtifactLockCommand : public testing::Test {
  protected:
    void SetUp() override {
        fs::current_path(dir_.path());
        fs::create_directory("perl-bundle");
        write_file_atomically("perl-bundle/core.yaml", "kiln: 1\nbundle: core\nprefx: /opt/perl\n");
    }

    void TearDown() override { fs::current_path("/"); }

  private:
    TempDir dir_{temporary_root(), "kiln-test"};
};

TEST_F(ArtifactLockCommand, SuggestsABundle) {
    const CliResult result = run_kiln({"artifact", "lock", "cor"});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.err, HasSubstr("error: bundle 'perl-bundle/cor.yaml' not found"));
    EXPECT_THAT(result.err, HasSubstr("did you mean 'core'?"));
}

TEST_F(ArtifactLockCommand, ReportsFaultsAndWritesNoLock) {
    const CliResult result = run_kiln({"artifact", "lock", "core"});
    EXPECT_EQ(result.exit_code, 3);
    EXPECT_THAT(result.err, HasSubstr("perl-bundle/core.yaml:3:1: error: unknown key 'prefx'"));
    EXPECT_THAT(result.err, HasSubstr("bundle 'perl-bundle/core.yaml' has 1 error"));
    EXPECT_FALSE(fs::exists("perl-bundle/core.lock"));
}

TEST_F(ArtifactLockCommand, CannotWorkOffline) {
    write_file_atomically(
        "perl-bundle/core.yaml",
        "kiln: 1\nbundle: core\nprefix: /opt/perl\n"
        "archives: [{archive: debian, suites: [bookworm]}]\n"
        "sources: [{archive: debian, suites: [bookworm]}]\n"
        "build: {install: [gcc]}\nperl: {source: perl}\n");
    test::FakeHost world;
    world.env["KILN_CACHE"] = (fs::current_path() / "cache").string();
    const CliResult result = world.run({"artifact", "lock", "core", "--offline"});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err, HasSubstr("a lock cannot be made with --offline"));
}

} // namespace
} // namespace kiln
