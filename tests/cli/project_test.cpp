// SPDX-License-Identifier: MIT
//
// `kiln init`, and commands in a project's folders.
#include "base/io/file.hpp"
#include "support/fake_io.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

using test::CliResult;
using test::run_kiln;
using testing::HasSubstr;

class ProjectCommands : public testing::Test {
  protected:
    void SetUp() override { fs::current_path(dir_.path()); }

    void TearDown() override { fs::current_path("/"); }

  private:
    TempDir dir_{temporary_root(), "kiln-test"};
};

TEST_F(ProjectCommands, InitWritesAProjectThatChecks) {
    const CliResult init = run_kiln({"init", "a/web"});
    EXPECT_EQ(init.exit_code, 0) << init.err;
    EXPECT_EQ(init.err, "next: cd a/web && kiln bake web\n");
    EXPECT_THAT(init.out, HasSubstr("a/web/kiln.yaml\na/web/recipes/web.yaml\n"));
    fs::current_path("a/web/overlays/web/etc");
    const CliResult check = run_kiln({"check", "web"});
    EXPECT_EQ(check.exit_code, 0) << check.err;
    EXPECT_THAT(check.out, HasSubstr("web: a small Debian"));
    EXPECT_THAT(check.out, HasSubstr("images    qcow2 (disk: qcow2), oci (container: gzip)"));
    EXPECT_THAT(check.out, HasSubstr("accept    ../../../recipes/accept/web.yaml"));
    EXPECT_EQ(read_text_file("hostname"), "web\n");
}

TEST_F(ProjectCommands, InitTakesTheCurrentFolder) {
    fs::create_directory("my-web");
    fs::current_path("my-web");
    const CliResult init = run_kiln({"init"});
    EXPECT_EQ(init.exit_code, 0) << init.err;
    EXPECT_EQ(init.err, "next: kiln bake my-web\n");
    EXPECT_TRUE(fs::exists("recipes/my-web.yaml"));
}

TEST_F(ProjectCommands, InitOverwritesNothing) {
    fs::create_directories("web/recipes");
    write_file_atomically("web/recipes/web.yaml", "mine");
    const CliResult init = run_kiln({"init", "web"});
    EXPECT_EQ(init.exit_code, 2);
    EXPECT_THAT(init.err, HasSubstr("error: refusing to overwrite 'web/recipes/web.yaml'"));
    EXPECT_EQ(read_text_file("web/recipes/web.yaml"), "mine");
    EXPECT_FALSE(fs::exists("web/kiln.yaml"));
}

TEST_F(ProjectCommands, InitLeavesNothingWhenItFails) {
    fs::create_directory("web");
    write_file_atomically("web/overlays", "a file where a folder is needed");
    const CliResult init = run_kiln({"init", "web"});
    EXPECT_EQ(init.exit_code, 1) << init.err;
    EXPECT_THAT(init.err, HasSubstr("web/overlays"));
    EXPECT_FALSE(fs::exists("web/kiln.yaml"));
    EXPECT_FALSE(fs::exists("web/recipes"));
    EXPECT_TRUE(fs::exists("web/overlays"));
}

TEST_F(ProjectCommands, InitRefusesWhatCannotBeAName) {
    const CliResult upper = run_kiln({"init", "My_Web"});
    EXPECT_EQ(upper.exit_code, 2);
    EXPECT_THAT(upper.err, HasSubstr("'My_Web' cannot be the name of a recipe"));
    EXPECT_THAT(upper.err, HasSubstr("--name NAME"));
    EXPECT_FALSE(fs::exists("My_Web"));
    EXPECT_EQ(run_kiln({"init", "My_Web", "--name", "web"}).exit_code, 0);
    EXPECT_TRUE(fs::exists("My_Web/recipes/web.yaml"));
    write_file_atomically("file", "");
    EXPECT_THAT(run_kiln({"init", "file"}).err, HasSubstr("'file' is not a folder"));
}

TEST_F(ProjectCommands, SayTheFaultsOfTheProjectFile) {
    write_file_atomically("kiln.yaml", "kiln: 1\nrecipes: []\n");
    const CliResult check = run_kiln({"check", "web"});
    EXPECT_EQ(check.exit_code, 3);
    EXPECT_THAT(check.err, HasSubstr("kiln.yaml:2:10: error: "));
    EXPECT_THAT(check.err, HasSubstr("project 'kiln.yaml' has 1 "));
}

TEST_F(ProjectCommands, NameWhatIsMissingAtItsPlace) {
    fs::create_directory("recipes");
    write_file_atomically(
        "recipes/web.yaml",
        "kiln: 1\nname: web\nstages:\n  - part: debian-13-vn\nimages: [qcow]\n");
    const CliResult check = run_kiln({"check", "web"});
    EXPECT_EQ(check.exit_code, 3);
    EXPECT_THAT(check.err, HasSubstr("web.yaml:4:11: error: part 'debian-13-vn' not found"));
    EXPECT_THAT(check.err, HasSubstr("web.yaml:5:10: error: image definition 'qcow' not found"));
}

TEST_F(ProjectCommands, TakeTheProjectOfAFileThatIsElsewhere) {
    fs::create_directories("there/kinds");
    write_file_atomically("there/kiln.yaml", "kiln: 1\nparts: kinds\n");
    write_file_atomically("there/kinds/own.yaml", "kiln: 1\npart: own\nstages: []\n");
    write_file_atomically("there/web.yaml", "kiln: 1\nname: web\nstages:\n  - part: own\n");
    fs::create_directory("here");
    fs::current_path("here");
    const CliResult check = run_kiln({"check", "../there/web.yaml"});
    EXPECT_EQ(check.exit_code, 0) << check.err;
    EXPECT_THAT(check.out, HasSubstr("kinds/own.yaml"));
}

} // namespace
} // namespace kiln
