// SPDX-License-Identifier: MIT
//
// What `kiln run` and `kiln accept` say before anything is started.
#include "base/io/file.hpp"
#include "support/fake_io.hpp"
#include "support/raw_tar.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace kiln {
namespace {

using test::CliResult;
using test::FakeHost;
using test::run_kiln;
using testing::HasSubstr;

class RunCommands : public testing::Test {
  protected:
    void SetUp() override {
        fs::current_path(dir_.path());
        fs::create_directories("recipes/accept");
        fs::create_directories("out/web/web.oci");
        write_file_atomically(
            "recipes/web.yaml",
            "kiln: 1\nname: web\narchives: [{archive: debian, suites: [bookworm]}]\n"
            "accept: accept/web.yaml\n");
        write_file_atomically(
            "recipes/accept/web.yaml",
            "kiln: 1\nsuite: web\nvariables: {user: ADMIN}\nports: {http: 80}\nchecks:\n"
            "  - {check: 17, title: it redirects, run: \"true\"}\n"
            "  - {check: 40, title: it boots, only: [vm], run: \"true\"}\n");
        write_file_atomically("out/web/web.qcow2", "QFI\xfb and so on");
        write_file_atomically("out/web/web.oci/oci-layout", "{}");
    }

    void TearDown() override { fs::current_path("/"); }

    static std::string error_of(std::vector<std::string> words, int exit_code = 2) {
        const CliResult result = run_kiln(std::move(words));
        EXPECT_EQ(result.exit_code, exit_code) << result.err;
        EXPECT_EQ(result.out, "");
        return result.err;
    }

  private:
    TempDir dir_{temporary_root(), "kiln-test"};
};

TEST_F(RunCommands, FindImageAndSuiteByTheRecipesName) {
    const CliResult text = run_kiln({"accept", "web", "--list"});
    EXPECT_EQ(text.exit_code, 0) << text.err;
    EXPECT_EQ(text.out, "17       it redirects\n40       it boots (vm only)\n");
    const CliResult json = run_kiln({"accept", "web", "--vm", "--list", "--json", "--check", "40"});
    const auto checks = nlohmann::json::parse(json.out);
    ASSERT_EQ(checks.size(), 1U);
    EXPECT_EQ(checks[0]["check"], "40");
    EXPECT_EQ(checks[0]["only"], "vm");
}

TEST_F(RunCommands, TakeTheRecipesFileAsBakeDoes) {
    const CliResult text = run_kiln({"accept", "recipes/web.yaml", "--list"});
    EXPECT_EQ(text.exit_code, 0) << text.err;
    EXPECT_EQ(text.out, "17       it redirects\n40       it boots (vm only)\n");
    EXPECT_EQ(run_kiln({"accept", "./recipes/web.yaml", "--vm", "--list"}).exit_code, 0);
    fs::remove_all("out/web");
    EXPECT_THAT(
        error_of({"accept", "recipes/web.yaml"}), HasSubstr("no image of 'web' in 'out/web'"));
}

TEST_F(RunCommands, TakeAPathAndASuite) {
    EXPECT_EQ(run_kiln({"accept", "out/web/web.qcow2", "--recipe", "web", "--list"}).exit_code, 0);
    EXPECT_EQ(
        run_kiln({"accept", "out/web/web.oci", "--suite", "recipes/accept/web.yaml", "--list"})
            .exit_code,
        0);
}

TEST_F(RunCommands, SayWhatIsMissing) {
    EXPECT_EQ(
        error_of({"run", "wiki"}),
        "error: no image of 'wiki' in 'out/wiki'\n"
        "hint: run 'kiln bake wiki' to build it, or give the path of an image\n");
    fs::remove_all("out/web/web.oci");
    EXPECT_THAT(
        error_of({"accept", "web", "--docker"}),
        HasSubstr("no container image of 'web' in 'out/web'"));
    EXPECT_THAT(
        error_of({"accept", "out/web/web.qcow2"}),
        HasSubstr("no suite found for 'out/web/web.qcow2'\n"
                  "hint: use --suite FILE, or set 'accept' in the recipe"));
}

TEST_F(RunCommands, RefuseWhatDoesNotFit) {
    EXPECT_EQ(
        error_of({"run", "web", "--vm", "--docker"}),
        "error: --docker and --vm are mutually exclusive\n");
    EXPECT_THAT(
        error_of({"run", "out/web/web.qcow2", "--docker"}),
        HasSubstr("'out/web/web.qcow2' is a disk, which --docker does not support"));
    EXPECT_THAT(
        error_of({"run", "web", "--vm", "--detach"}),
        HasSubstr("--detach is not available for VMs"));
    EXPECT_THAT(
        error_of({"accept", "web", "--check", "41", "--list"}),
        HasSubstr("suite 'web' has no check '41'"));
    EXPECT_THAT(
        error_of({"run", "web", "--vm", "--set", "usr=x"}),
        HasSubstr("unknown variable 'usr' (--set)\nhint: did you mean 'user'?"));
    EXPECT_THAT(error_of({"run", "web", "--vm", "--port", "http"}), HasSubstr("expected NAME=N"));
    EXPECT_THAT(error_of({"accept", "web", "--vm", "--firmware", "efi"}), HasSubstr("--firmware"));
}

TEST_F(RunCommands, ReportFaultsOfTheSuite) {
    write_file_atomically("recipes/accept/web.yaml", "kiln: 1\nsuite: web\nport: {http: 80}\n");
    const std::string expected = "recipes/accept/web.yaml:3:1: error: unknown key 'port' in suite\n"
                                 "  3 | port: {http: 80}\n"
                                 "    | ^~~~\n"
                                 "hint: did you mean 'ports'?\n"
                                 "error: suite 'recipes/accept/web.yaml' has 1 error\n";
    EXPECT_EQ(error_of({"accept", "web"}, 3), expected);
    EXPECT_EQ(error_of({"run", "web", "--vm"}, 3), expected);
    EXPECT_EQ(error_of({"check", "web"}, 3), expected);
    fs::remove("recipes/accept/web.yaml");
    EXPECT_THAT(
        error_of({"check", "web"}, 3),
        HasSubstr("recipes/web.yaml:4:9: error: suite 'recipes/accept/web.yaml' not found"));
}

TEST_F(RunCommands, CleanUpWhenTheContainerCannotBeStarted) {
    FakeHost world;
    ProcessResult result;
    result.exit_status = 125;
    result.errors = "no space left\n";
    world.processes.answer("docker", result);
    write_file(
        "web.tar", test::RawTar().file("manifest.json", "[{\"RepoTags\": [\"web:1\"]}]").bytes());
    const CliResult failed = world.run(
        {"accept", "web.tar", "--suite", "recipes/accept/web.yaml", "--engine", "docker"});
    EXPECT_EQ(failed.exit_code, 1) << failed.err;
    EXPECT_THAT(failed.err, HasSubstr("'docker load' failed with exit code 125\n  no space left"));
    EXPECT_THAT(failed.out, HasSubstr("Bail out! 'docker load' failed with exit code 125"));
}

} // namespace
} // namespace kiln
