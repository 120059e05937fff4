// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "recipe/recipe.hpp"
#include "support/stub_stages.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace kiln {
namespace {

using testing::ElementsAre;

/// Files below a temporary directory.
class RecipeFiles : public testing::Test {
  protected:
    fs::path write(const std::string& name, std::string_view text) {
        const fs::path path = dir_.path() / name;
        fs::create_directories(path.parent_path());
        write_file_atomically(path, text);
        return path;
    }

    [[nodiscard]] static Recipe load(const fs::path& path, Variables set = {}) {
        Diagnostics diags;
        auto recipe = load_recipe(path, {std::move(set), test::kStandInStages}, diags);
        EXPECT_EQ(diags.render_all(), "");
        return recipe.value_or(Recipe());
    }

    [[nodiscard]] fs::path dir() const { return dir_.path(); }

  private:
    TempDir dir_{temporary_root(), "kiln-test"};
};

using LoadRecipe = RecipeFiles;

std::vector<std::string> names_of(const std::vector<StageSpec>& stages) {
    std::vector<std::string> out;
    for (const StageSpec& stage : stages) {
        out.push_back(stage.name);
    }
    return out;
}

constexpr std::string_view kWhole = R"(kiln: 1
name: web
summary: a web server
variables: {release: bookworm, tries: 3}
archives:
  - archive: debian
    suites: ["${release}", "${release}-updates"]
  - archive: debian-security
    suites: ["${release}-security"]
    components: [main, contrib]
pins:
  - {packages: ["perl*"], suite: bookworm-backports, priority: -1}
ids:
  users: {www-data: 33}
  groups: {www-data: 33}
sources:
  app: {git: "https://git.example.org/app.git", commit: 0123456789012345678901234567890123456789}
  local: {directory: ../app}
  tar:
    tarball: dist/app.tar.gz
    sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
    strip: 1
stages:
  - stage: packages
    packages: [nginx]
    layer: system
  - stage: run
    name: greet
    script: echo ${release} $${HOME}
    tries: ${tries}
vm:
  stages:
    - stage: packages
      name: vm-packages
      packages: [openssh-server]
oci:
  stages:
    - stage: overlay
      from: container
  config:
    env: {B: "2"}
    stop_signal: SIGQUIT
images: [images/qcow2.yaml, images/oci.yaml]
)";

TEST_F(LoadRecipe, ReadsEveryPartOfIt) {
    write("images/qcow2.yaml", "kiln: 1\nimage: qcow2\nkind: disk\nfree: 1GiB\nformat: [raw]\n");
    write(
        "images/oci.yaml",
        "kiln: 1\nimage: oci\nkind: oci\ncompression: zstd\nconfig:\n  env: {A: '1', B: '1'}\n"
        "  stop_signal: SIGTERM\n  ports: [80, 53/udp]\n"
        "  healthcheck: {test: [NONE], interval: 30s}\n");
    const Recipe recipe = load(write("web.yaml", kWhole));
    EXPECT_EQ(recipe.name, "web");
    EXPECT_EQ(recipe.architecture, "amd64");
    ASSERT_EQ(recipe.archives.size(), 2U);
    EXPECT_THAT(recipe.archives[0].suites, ElementsAre("bookworm", "bookworm-updates"));
    EXPECT_THAT(recipe.archives[0].components, ElementsAre("main"));
    EXPECT_EQ(recipe.pins[0].priority, -1);
    EXPECT_EQ(recipe.ids.users.at("www-data"), 33U);
    EXPECT_EQ(
        std::get<GitSource>(recipe.sources.at("app").from).commit,
        "0123456789012345678901234567890123456789");
    EXPECT_EQ(
        std::get<DirectorySource>(recipe.sources.at("local").from).path,
        dir().parent_path() / "app");
    const auto& tarball = std::get<TarballSource>(recipe.sources.at("tar").from);
    EXPECT_EQ(tarball.location, "dist/app.tar.gz");
    EXPECT_EQ(tarball_url(tarball), "file://" + (dir() / "dist/app.tar.gz").string());
    EXPECT_EQ(tarball.sha256, sha256(std::string_view()));
    EXPECT_EQ(tarball.strip, 1U);
    EXPECT_THAT(names_of(recipe.stages), ElementsAre("packages", "greet"));
    EXPECT_EQ(recipe.stages[0].layer, "system");
    EXPECT_EQ(recipe.stages[1].options.at("script").as_string(), "echo bookworm ${HOME}");
    EXPECT_EQ(recipe.stages[1].options.at("tries").as_integer(), 3);
    EXPECT_EQ(recipe.stages[1].base_dir, dir());
    EXPECT_FALSE(recipe.stages[1].options.contains("stage"));
    EXPECT_THAT(names_of(recipe.vm_stages), ElementsAre("vm-packages"));
    EXPECT_THAT(names_of(recipe.oci_stages), ElementsAre("overlay"));
    EXPECT_EQ(recipe.files.size(), 3U);
}

TEST_F(LoadRecipe, ReadsNumbersOfVariablesInQuotes) {
    const Recipe recipe = load(write(
        "web.yaml",
        "kiln: 1\nname: web\nvariables: {tries: 4}\nstages:\n"
        "  - {stage: run, script: x, tries: \"${tries}\"}\n"));
    EXPECT_EQ(recipe.stages[0].options.at("tries").as_integer(), 4);
}

TEST_F(LoadRecipe, ReadsSuitesAndPlacesOfArchives) {
    const Recipe recipe = load(write(
        "web.yaml",
        "kiln: 1\nname: web\narchives:\n"
        "  - archive: tools\n    suites: [Debian_12, 12, /, ./, flat/]\n"
        "    url: https://tools.example.org/apt\n    allow_expired: true\n"
        "  - {archive: debian, suites: [bookworm]}\n"));
    ASSERT_EQ(recipe.archives.size(), 2U);
    EXPECT_THAT(recipe.archives[0].suites, ElementsAre("Debian_12", "12", "/", "./", "flat/"));
    EXPECT_EQ(recipe.archives[0].url, "https://tools.example.org/apt");
    EXPECT_TRUE(recipe.archives[0].allow_expired);
    EXPECT_EQ(recipe.archives[1].url, "");
    EXPECT_FALSE(recipe.archives[1].allow_expired);
}

TEST_F(LoadRecipe, ReadsImageDefinitionsAndTheirOverrides) {
    write("images/qcow2.yaml", "kiln: 1\nimage: qcow2\nkind: disk\nfree: 1GiB\nformat: [raw]\n");
    write(
        "images/oci.yaml",
        "kiln: 1\nimage: oci\nkind: oci\nconfig:\n  env: {A: '1', B: '1'}\n"
        "  stop_signal: SIGTERM\n  ports: [80, 53/udp]\n"
        "  healthcheck: {test: [NONE], interval: 30s}\n");
    const Recipe recipe = load(write("web.yaml", kWhole));
    ASSERT_EQ(recipe.images.size(), 2U);
    const auto& disk = std::get<DiskImageSpec>(recipe.images[0].form);
    EXPECT_EQ(disk.free_bytes, 1ULL << 30U);
    EXPECT_THAT(disk.formats, ElementsAre(ImageFormat::raw));
    EXPECT_EQ(disk.label, "root");
    const auto& oci = std::get<OciImageSpec>(recipe.images[1].form);
    EXPECT_EQ(oci.compression, "gzip");
    EXPECT_EQ(oci.config.env, (std::map<std::string, std::string>{{"A", "1"}, {"B", "2"}}));
    EXPECT_EQ(oci.config.stop_signal, "SIGQUIT");
    EXPECT_THAT(oci.config.ports, ElementsAre("80", "53/udp"));
    EXPECT_EQ(oci.config.healthcheck->interval_ms, 30000);
}

TEST_F(LoadRecipe, ExtendsAnother) {
    write(
        "base/base.yaml",
        "kiln: 1\nname: base\nsummary: the base\nvariables: {a: base, b: base}\n"
        "archives: [{archive: debian, suites: [bookworm]}]\n"
        "ids: {users: {one: 1, two: 2}}\n"
        "sources: {s: {directory: here}, t: {directory: there}}\n"
        "stages:\n  - stage: run\n    script: echo ${a} ${b}\n");
    const Recipe recipe = load(write(
        "web.yaml",
        "kiln: 1\nname: web\nextends: base/base.yaml\nvariables: {a: web}\n"
        "ids: {users: {two: 22}}\nsources: {t: {directory: mine}}\n"
        "stages:\n  - stage: run\n    name: second\n    script: 'true'\n"));
    EXPECT_EQ(recipe.name, "web");
    EXPECT_EQ(recipe.summary, "the base");
    EXPECT_EQ(recipe.archives.size(), 1U);
    EXPECT_EQ(recipe.ids.users, (std::map<std::string, std::uint32_t>{{"one", 1}, {"two", 22}}));
    EXPECT_EQ(std::get<DirectorySource>(recipe.sources.at("s").from).path, dir() / "base/here");
    EXPECT_EQ(std::get<DirectorySource>(recipe.sources.at("t").from).path, dir() / "mine");
    ASSERT_THAT(names_of(recipe.stages), ElementsAre("run", "second"));
    EXPECT_EQ(recipe.stages[0].options.at("script").as_string(), "echo web base");
    EXPECT_EQ(recipe.stages[0].base_dir, dir() / "base");
    EXPECT_THAT(recipe.files, ElementsAre(dir() / "web.yaml", dir() / "base/base.yaml"));
}

TEST_F(LoadRecipe, InsertsPartsInPlace) {
    write(
        "parts/inner.yaml",
        "kiln: 1\npart: inner\nvariables: {who: inner}\n"
        "stages:\n  - stage: run\n    name: inner\n    script: echo ${who} ${what}\n");
    write(
        "parts/outer.yaml",
        "kiln: 1\npart: outer\nvariables: {who: outer, what: thing}\n"
        "stages:\n  - part: inner.yaml\n  - stage: run\n    name: outer\n    script: echo "
        "${who}\n");
    const fs::path path = write(
        "web.yaml",
        "kiln: 1\nname: web\nvariables: {what: recipe}\nstages:\n"
        "  - stage: run\n    name: first\n    script: 'true'\n  - part: parts/outer.yaml\n"
        "  - stage: run\n    name: last\n    script: 'true'\n");
    const Recipe recipe = load(path);
    ASSERT_THAT(names_of(recipe.stages), ElementsAre("first", "inner", "outer", "last"));
    EXPECT_EQ(recipe.stages[1].options.at("script").as_string(), "echo outer recipe");
    EXPECT_EQ(recipe.stages[1].base_dir, dir() / "parts");
    const Recipe changed = load(path, {{"who", "me"}});
    EXPECT_EQ(changed.stages[2].options.at("script").as_string(), "echo me");
}

TEST_F(LoadRecipe, TakesOverridesOfVariablesItHas) {
    const fs::path path = write(
        "web.yaml", "kiln: 1\nname: web\nvariables: {release: bookworm}\nsummary: on ${release}\n");
    EXPECT_EQ(load(path, {{"release", "trixie"}}).summary, "on trixie");
    try {
        static_cast<void>(load(path, {{"relase", "trixie"}}));
        FAIL() << "no exception";
    } catch (const UsageError& error) {
        EXPECT_EQ(error.message(), "unknown variable 'relase' (--set)");
        EXPECT_EQ(error.hint(), "did you mean 'release'?");
        EXPECT_EQ(error.exit_code(), ExitCode::usage);
    }
}

TEST_F(LoadRecipe, ThrowsWhenTheFileItselfIsMissing) {
    Diagnostics diags;
    EXPECT_THROW(
        static_cast<void>(load_recipe(dir() / "none.yaml", {{}, test::kStandInStages}, diags)),
        SystemError);
}

TEST(AddOverride, SplitsAtTheFirstEqualsSign) {
    Variables set;
    add_override(set, "a=b=c");
    add_override(set, "empty=");
    EXPECT_EQ(set, (Variables{{"a", "b=c"}, {"empty", ""}}));
    EXPECT_THROW(add_override(set, "=x"), UsageError);
    EXPECT_THROW(add_override(set, "x"), UsageError);
}

TEST(RecipeSchema, KnowsTheKindsOfStages) {
    const nlohmann::ordered_json schema = recipe_schema(test::kStandInStages);
    const nlohmann::ordered_json& kinds = schema["$defs"]["stages"]["items"]["anyOf"];
    ASSERT_EQ(kinds.size(), 4U); // a part, and the three
    EXPECT_EQ(kinds[1]["properties"]["stage"]["const"], "packages");
    EXPECT_TRUE(kinds[1]["properties"].contains("layer"));
    EXPECT_EQ(schema["properties"]["stages"]["$ref"], "#/$defs/stages");
    EXPECT_EQ(part_schema(test::kStandInStages)["title"], "kiln part");
    EXPECT_EQ(image_schema()["anyOf"].size(), 2U);
}

} // namespace
} // namespace kiln
