// SPDX-License-Identifier: MIT
#include "base/io/file.hpp"
#include "support/fake_io.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace kiln {
namespace {

using test::CliResult;
using test::run_kiln;

constexpr std::string_view kGood =
    "kiln: 1\nname: web\nsummary: a web server\nvariables: {release: bookworm}\n"
    "archives: [{archive: debian, suites: ['${release}', '${release}-updates']}]\n"
    "sources:\n"
    "  app: {git: 'https://git.example.org/app.git', "
    "commit: 0123456789abcdef0123456789abcdef01234567}\n"
    "images: [disk.yaml]\n";

class CheckCommand : public testing::Test {
  protected:
    void SetUp() override {
        fs::current_path(dir_.path());
        write_file_atomically("web.yaml", kGood);
        write_file_atomically("disk.yaml", "kiln: 1\nimage: qcow2\nkind: disk\n");
    }

    void TearDown() override { fs::current_path("/"); }

  private:
    TempDir dir_{temporary_root(), "kiln-test"};
};

TEST_F(CheckCommand, SumsUpAGoodRecipe) {
    const CliResult result = run_kiln({"check", "web.yaml", "--set", "release=trixie"});
    EXPECT_EQ(result.err, "");
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_EQ(
        result.out,
        "web: a web server\n"
        "  archives  debian (trixie, trixie-updates)\n"
        "  sources   app (git 0123456789ab)\n"
        "  images    qcow2 (disk: qcow2)\n"
        "  files     web.yaml, disk.yaml\n");
}

TEST_F(CheckCommand, LooksIntoArtifacts) {
    write_file_atomically(
        "web.yaml",
        "kiln: 1\nname: web\n"
        "artifacts:\n  perl: {bundle: perl.yaml}\n  other: {bundle: gone.yaml}\n"
        "stages:\n  - {stage: artifact, artifact: pearl}\n");
    write_file_atomically("perl.yaml", "kiln: 1\nbundle: perl\nprefx: /opt/perl\n");
    const CliResult result = run_kiln({"check", "web.yaml"});
    EXPECT_EQ(result.exit_code, 3);
    EXPECT_THAT(result.err, testing::HasSubstr("perl.yaml:3:1: error: unknown key 'prefx'"));
    EXPECT_THAT(result.err, testing::HasSubstr("web.yaml:5:10: error: cannot open 'gone.yaml'"));
    EXPECT_THAT(
        result.err, testing::HasSubstr("web.yaml:7:33: error: the recipe has no artifact 'pearl'"));
    EXPECT_THAT(result.err, testing::HasSubstr("recipe 'web.yaml' has"));
}

TEST_F(CheckCommand, SaysWhatIsWrongWithFilesOfTheHost) {
    fs::create_symlink("circle", "circle");
    const std::string name(300, 'a');
    write_file_atomically(
        "web.yaml",
        "kiln: 1\nname: web\nstages:\n"
        "  - stage: files\n"
        "    files:\n"
        "      - {file: /a, from: circle}\n"
        "      - {file: /b, from: " +
            name +
            "}\n"
            "      - {file: /c, from: /dev/null}\n"
            "  - {stage: overlay, from: circle, name: o1}\n"
            "  - {stage: overlay, from: web.yaml, name: o2}\n");
    const CliResult result = run_kiln({"check", "web.yaml"});
    EXPECT_EQ(result.exit_code, 3);
    for (const char* fault :
         {"web.yaml:6:26: error: file 'circle' cannot be read: Too many levels of symbolic links",
          "cannot be read: File name too long",
          "web.yaml:8:26: error: '/dev/null' is not a regular file",
          "web.yaml:9:28: error: overlay folder 'circle' cannot be read: Too many levels",
          "web.yaml:10:28: error: overlay folder 'web.yaml' is not a directory"}) {
        EXPECT_THAT(result.err, testing::HasSubstr(fault));
    }
}

TEST_F(CheckCommand, GivesTheSummaryToProgramsToo) {
    const CliResult result = run_kiln({"check", "web.yaml", "--json"});
    const auto json = nlohmann::json::parse(result.out);
    EXPECT_EQ(json["name"], "web");
    EXPECT_TRUE(json["faults"].empty());
    EXPECT_EQ(json["files"].size(), 2U);
}

TEST_F(CheckCommand, ReportsEveryFaultAndExitsWith3) {
    write_file_atomically("bad.yaml", "kiln: 1\nname: Web\nsumary: x\n");
    const CliResult result = run_kiln({"check", "bad.yaml"});
    EXPECT_EQ(result.exit_code, 3);
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(
        result.err,
        "bad.yaml:2:7: error: 'name' must be a name, not 'Web'\n"
        "  2 | name: Web\n"
        "    |       ^~~\n"
        "hint: lower-case letters, digits, '.', '_' and '-', at most 64\n"
        "bad.yaml:3:1: error: unknown key 'sumary' in recipe\n"
        "  3 | sumary: x\n"
        "    | ^~~~~~\n"
        "hint: did you mean 'summary'?\n"
        "error: recipe 'bad.yaml' has 2 errors\n");
}

TEST_F(CheckCommand, GivesFaultsToPrograms) {
    write_file_atomically("bad.yaml", "kiln: 1\nname: web\nsumary: x\n");
    const CliResult result = run_kiln({"check", "bad.yaml", "--json"});
    EXPECT_EQ(result.exit_code, 3);
    const auto json = nlohmann::json::parse(result.out);
    ASSERT_EQ(json["faults"].size(), 1U);
    EXPECT_EQ(json["faults"][0]["line"], 3);
    EXPECT_EQ(json["faults"][0]["length"], 6);
    EXPECT_EQ(json["faults"][0]["hint"], "did you mean 'summary'?");
    EXPECT_EQ(
        run_kiln({"check", "bad.yaml", "--log-format", "json"}).err,
        "{\"level\":\"error\",\"message\":\"bad.yaml:3:1: unknown key 'sumary' in recipe\"}\n"
        "{\"level\":\"error\",\"message\":\"recipe 'bad.yaml' has 1 error\"}\n");
}

TEST_F(CheckCommand, FindsRecipesByNameAndSuggestsOthers) {
    fs::create_directory("recipes");
    fs::rename("web.yaml", "recipes/web.yaml");
    fs::rename("disk.yaml", "recipes/disk.yaml");
    EXPECT_EQ(run_kiln({"check", "web"}).exit_code, 0);
    const CliResult near = run_kiln({"check", "wbe"});
    EXPECT_EQ(near.exit_code, 2);
    EXPECT_EQ(near.err, "error: recipe 'recipes/wbe.yaml' not found\nhint: available: disk, web\n");
    EXPECT_EQ(
        run_kiln({"check", "webb"}).err,
        "error: recipe 'recipes/webb.yaml' not found\nhint: did you mean 'web'?\n");
}

TEST_F(CheckCommand, NamesAFileThatCannotBeRead) {
    const CliResult result = run_kiln({"check", "./none.yaml"});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_EQ(result.err, "error: cannot open './none.yaml': No such file or directory\n");
}

TEST_F(CheckCommand, RefusesVariablesThatTheRecipeHasNot) {
    const CliResult result = run_kiln({"check", "web.yaml", "--set", "relese=trixie"});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_EQ(
        result.err, "error: unknown variable 'relese' (--set)\nhint: did you mean 'release'?\n");
}

TEST(SchemaCommand, PrintsASchemaForEveryKindOfFile) {
    for (const char* file : {"recipe", "part", "image"}) {
        const CliResult result = run_kiln({"schema", file});
        EXPECT_EQ(result.exit_code, 0);
        EXPECT_EQ(
            nlohmann::json::parse(result.out)["$schema"],
            "https://json-schema.org/draft/2020-12/schema");
    }
}

} // namespace
} // namespace kiln
