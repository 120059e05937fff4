// SPDX-License-Identifier: MIT
#include "base/io/file.hpp"
#include "recipe/project.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace kiln {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ProjectTest : public testing::Test {
  protected:
    void SetUp() override { fs::current_path(dir_.path()); }

    void TearDown() override { fs::current_path("/"); }

    static void write(const fs::path& path, std::string_view text = "") {
        if (path.has_parent_path()) {
            fs::create_directories(path.parent_path());
        }
        write_file_atomically(path, text);
    }

    std::optional<Project> load(std::string_view text) {
        write("kiln.yaml", text);
        return load_project("kiln.yaml", diags_);
    }

    [[nodiscard]] const fs::path& dir() const { return dir_.path(); }

    Diagnostics diags_;

  private:
    TempDir dir_{temporary_root(), "kiln-test"};
};

TEST_F(ProjectTest, HasDefaultsBelowItsFolder) {
    const Project here;
    EXPECT_EQ(here.folder(DefinitionKind::recipe), "recipes");
    EXPECT_EQ(here.results, "out");
    const Project above("..");
    EXPECT_EQ(above.folder(DefinitionKind::part), "../recipes/parts");
    EXPECT_EQ(above.results, "../out");
}

TEST_F(ProjectTest, SaysWhereItsFilesAre) {
    write("sub/kiln.yaml", "kiln: 1\nrecipes: .\nimages: ../forms\nresults: /srv/images\n");
    const auto project = load_project("sub/kiln.yaml", diags_);
    ASSERT_TRUE(project) << diags_.render_all();
    EXPECT_EQ(project->resolve(DefinitionKind::recipe, "web"), "sub/web.yaml");
    EXPECT_EQ(project->resolve(DefinitionKind::image, "qcow2"), "forms/qcow2.yaml");
    EXPECT_EQ(project->resolve(DefinitionKind::bundle, "core"), "sub/perl-bundle/core.yaml");
    EXPECT_EQ(project->results, "/srv/images");
}

TEST_F(ProjectTest, ReportsEveryFaultOfItsFile) {
    EXPECT_FALSE(load("kiln: 1\nrecipe: x\nresults: [a]\n"));
    EXPECT_EQ(diags_.error_count(), 2U);
    EXPECT_THAT(diags_.render_all(), HasSubstr("kiln.yaml:2:1: error: unknown key 'recipe'"));
    EXPECT_THAT(diags_.render_all(), HasSubstr("did you mean 'recipes'?"));
}

TEST_F(ProjectTest, TakesPathsAsTheyAreAndNamesFromItsFolders) {
    const Project project;
    EXPECT_EQ(project.resolve(DefinitionKind::part, "../x.yaml", "recipes"), "x.yaml");
    EXPECT_EQ(project.resolve(DefinitionKind::part, "x.yaml", "recipes"), "recipes/x.yaml");
    EXPECT_EQ(project.resolve(DefinitionKind::part, "x", "recipes"), "recipes/parts/x.yaml");
    EXPECT_TRUE(is_definition_name("debian-12"));
    EXPECT_TRUE(is_definition_name("web@2.yaml.old"));
    EXPECT_FALSE(is_definition_name("web.yml"));
    EXPECT_FALSE(is_definition_name("./web"));
}

TEST_F(ProjectTest, FindsWhatComesWithKilnWhereItHasNoneOfThatName) {
    Project project;
    project.shipped = dir() / "share";
    write("share/images/oci.yaml");
    write("share/images/qcow2.yaml");
    write("images/qcow2.yaml");
    write("images/README.md");
    EXPECT_EQ(project.resolve(DefinitionKind::image, "oci"), dir() / "share/images/oci.yaml");
    EXPECT_EQ(project.resolve(DefinitionKind::image, "qcow2"), "images/qcow2.yaml");
    EXPECT_EQ(project.resolve(DefinitionKind::image, "tar"), "images/tar.yaml");
    EXPECT_THAT(project.names(DefinitionKind::image), ElementsAre("oci", "qcow2"));
    EXPECT_THAT(hint_for_missing(project, DefinitionKind::image, "qcow"), HasSubstr("'qcow2'"));
    EXPECT_EQ(hint_for_missing(project, DefinitionKind::image, "zzzzz"), "available: oci, qcow2");
}

TEST_F(ProjectTest, IsFoundFromAnyFolderInIt) {
    write("kiln.yaml", "kiln: 1\n");
    fs::create_directories("a/b/c");
    EXPECT_EQ(find_project_file({}, diags_), "kiln.yaml");
    EXPECT_EQ(find_project_file(dir() / "a/b/c", diags_), dir() / "kiln.yaml");
    fs::current_path("a/b/c");
    EXPECT_EQ(find_project_file({}, diags_), "../../../kiln.yaml");
    write("../kiln.yaml", "kiln: 1\n");
    EXPECT_EQ(find_project_file({}, diags_), "../kiln.yaml");
    EXPECT_EQ(find_project_file(dir() / "a", diags_), dir() / "kiln.yaml");
}

TEST_F(ProjectTest, IsNotTakenFromAnotherUserInAFolderOfAll) {
    if (::geteuid() != 0) {
        GTEST_SKIP() << "only root can give a file to another user";
    }
    constexpr uid_t kOther = 12345;
    fs::create_directories("open/work");
    write("open/kiln.yaml", "kiln: 1\n");
    ASSERT_EQ(::chown("open/kiln.yaml", kOther, kOther), 0);
    const auto found = [&] { return find_project_file(dir() / "open/work", diags_); };
    EXPECT_EQ(found(), dir() / "open/kiln.yaml") << "only its owner can write to the folder";
    ASSERT_EQ(::chmod("open", 01777), 0);
    EXPECT_EQ(found(), std::nullopt);
    EXPECT_THAT(diags_.render_all(), HasSubstr("open/kiln.yaml' is ignored"));
    EXPECT_FALSE(diags_.has_errors());
    ASSERT_EQ(::chown("open/kiln.yaml", 0, 0), 0);
    EXPECT_EQ(found(), dir() / "open/kiln.yaml");
}

TEST_F(ProjectTest, SaysHowACommandNamesAFile) {
    Project project;
    EXPECT_EQ(project.word_of(DefinitionKind::recipe, "recipes/web.yaml"), "web");
    EXPECT_EQ(
        project.word_of(DefinitionKind::recipe, "./recipes/my web.yaml"),
        "'./recipes/my web.yaml'");
    project.is_current = false;
    EXPECT_EQ(project.word_of(DefinitionKind::recipe, "recipes/web.yaml"), "recipes/web.yaml");
}

} // namespace
} // namespace kiln
