// SPDX-License-Identifier: MIT
// A lock that does not fit its recipe ends a bake before anything is done, with what changed and
// the command that renews it.
#include "base/io/file.hpp"
#include "resolve/recipe_lock.hpp"
#include "resolve/request_of.hpp"
#include "stages/stage.hpp"
#include "support/fake_io.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

using test::CliResult;
using testing::HasSubstr;

constexpr std::string_view kRecipe = R"(kiln: 1
name: web
variables: {release: bookworm}
archives: [{archive: debian, suites: ["${release}"], components: [main], keyring: keys.gpg}]
stages:
  - {stage: packages, name: base, install: [nginx, perl]}
vm:
  stages: [{stage: packages, name: disk, install: [openssh-server]}]
oci:
  stages: [{stage: packages, name: box, install: [dumb-init]}]
images: [qcow2.yaml]
)";

class StaleLock : public testing::Test {
  protected:
    void SetUp() override {
        fs::current_path(dir_.path());
        fs::create_directory("recipes");
        write_file_atomically("recipes/keys.gpg", "keys");
        write_file_atomically(
            "recipes/qcow2.yaml", "kiln: 1\nimage: qcow2\nkind: disk\nformat: [qcow2]\n");
        write_file_atomically("recipes/web.yaml", kRecipe);
        Diagnostics diags;
        const auto recipe = load_recipe("recipes/web.yaml", {{}, stage_shapes()}, diags);
        ASSERT_TRUE(recipe) << diags.render_all();
        Lockfile lock;
        lock.recipe = "web";
        lock.architecture = "amd64";
        lock.request = request_of(*recipe);
        write_file_atomically("recipes/web.lock", lock.to_text());
    }

    void TearDown() override { fs::current_path("/"); }

    static void change(std::string_view from, std::string_view to) {
        std::string text = read_text_file("recipes/web.yaml");
        const std::size_t at = text.find(from);
        ASSERT_NE(at, std::string::npos) << from;
        write_file_atomically("recipes/web.yaml", text.replace(at, from.size(), to));
    }

    CliResult bake(std::vector<std::string> more = {}) {
        world_.env["KILN_CACHE"] = (dir_.path() / "cache").string();
        std::vector<std::string> words{"bake", "web", "--offline"};
        words.insert(words.end(), more.begin(), more.end());
        return world_.run(words);
    }

    void expect_refused(const CliResult& result, const std::string& change) const {
        EXPECT_EQ(result.exit_code, 3);
        EXPECT_THAT(
            result.err, HasSubstr("error: lock 'recipes/web.lock' is out of date: recipe 'web"));
        EXPECT_THAT(result.err, HasSubstr(change));
        EXPECT_THAT(result.err, HasSubstr("'kiln lock web"));
        EXPECT_THAT(result.err, HasSubstr("--refresh' to update it"));
        EXPECT_FALSE(fs::exists("out/web")) << "no folder of results is made for it";
    }

  private:
    TempDir dir_{temporary_root(), "kiln-test"};
    test::FakeHost world_;
};

TEST_F(StaleLock, OfAnotherSuiteIsRefused) {
    change("suites: [\"${release}\"]", "suites: [trixie]");
    expect_refused(bake(), "archive 'debian': suite changed from 'bookworm' to 'trixie'");
}

TEST_F(StaleLock, OfAVariantIsRefused) {
    const CliResult result = bake({"--set", "release=trixie"});
    expect_refused(result, "archive 'debian': suite changed from 'bookworm' to 'trixie'");
    EXPECT_THAT(result.err, HasSubstr("'kiln lock web --set release=trixie'"));
    EXPECT_THAT(result.err, HasSubstr("'kiln bake web --set release=trixie --refresh'"));
}

TEST_F(StaleLock, OfOtherComponentsIsRefused) {
    change("components: [main]", "components: [main, contrib]");
    expect_refused(bake(), "archive 'debian': component 'contrib' was added");
}

TEST_F(StaleLock, OfAPackageThatWasDeletedIsRefused) {
    change("install: [nginx, perl]", "install: [nginx]");
    expect_refused(bake(), "stage 'base' of branch 'common': package 'perl' was removed");
}

TEST_F(StaleLock, OfAPackageThatAnotherBranchHasIsRefused) {
    change("install: [dumb-init]", "install: [dumb-init, openssh-server]");
    expect_refused(bake(), "stage 'box' of branch 'oci': package 'openssh-server' was added");
}

TEST_F(StaleLock, OfOtherKeysIsRefused) {
    write_file_atomically("recipes/keys.gpg", "other keys");
    expect_refused(bake(), "archive 'debian': keyring changed from 'keys.gpg sha256:");
}

TEST_F(StaleLock, SaysAllThatChanged) {
    change("install: [nginx, perl]", "install: [apache2]");
    change("components: [main]", "components: [contrib]");
    const CliResult result = bake();
    expect_refused(result, "component changed from 'main' to 'contrib'");
    EXPECT_THAT(result.err, HasSubstr("package 'apache2' was added"));
    EXPECT_THAT(result.err, HasSubstr("package 'nginx' was removed"));
    EXPECT_THAT(result.err, HasSubstr("package 'perl' was removed"));
}

TEST_F(StaleLock, OfAnOlderFormatNamesTheCommand) {
    std::string text = read_text_file("recipes/web.lock");
    const std::string_view format = "\"kiln_lock\": 2";
    write_file_atomically(
        "recipes/web.lock", text.replace(text.find(format), format.size(), "\"kiln_lock\": 1"));
    const CliResult result = bake();
    EXPECT_EQ(result.exit_code, 3);
    EXPECT_THAT(
        result.err, HasSubstr("unsupported lock format 1 (this version of kiln reads format 2)"));
    EXPECT_THAT(result.err, HasSubstr("'kiln lock web' to create a new one"));
}

} // namespace
} // namespace kiln
