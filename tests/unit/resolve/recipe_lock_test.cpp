// SPDX-License-Identifier: MIT
#include "artifact/lookup/artifact_definition.hpp"
#include "resolve/recipe_lock.hpp"
#include "resolve/request_of.hpp"
#include "stages/stage.hpp"
#include "support/expect_error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace kiln {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kRecipe = R"(kiln: 1
name: web
variables: {release: bookworm, greeting: hello, port: "80"}
archives: [{archive: debian, suites: ["${release}"]}]
stages:
  - {stage: packages, install: [nginx]}
  - {stage: files, files: [{file: /greeting, content: "${greeting} ${port}"}]}
)";

class RecipeLock : public testing::Test {
  protected:
    void SetUp() override { write_file_atomically(file_, kRecipe); }

    [[nodiscard]] Recipe load(const Variables& set = {}) const {
        Diagnostics diags;
        auto recipe = load_recipe(file_, {set, stage_shapes()}, diags);
        EXPECT_EQ(diags.render_all(), "");
        return recipe.value_or(Recipe());
    }

    [[nodiscard]] std::string name(const Variables& set) const {
        return lock_path(load(set)).filename().string();
    }

    static void write_lock_of(const Recipe& recipe, const fs::path& path) {
        Lockfile lock;
        lock.recipe = recipe.name;
        lock.architecture = recipe.architecture;
        lock.request = request_of(recipe);
        write_file_atomically(path, lock.to_text());
    }

    Lockfile taken(const Recipe& recipe) {
        return load_recipe_lock(recipe, request_of(recipe), console_);
    }

    TempDir dir_{temporary_root(), "kiln-test"};
    fs::path file_ = dir_.path() / "web.yaml";
    std::ostringstream log_;
    Console console_{log_, {}};
};

TEST_F(RecipeLock, LiesBesideTheRecipe) {
    EXPECT_EQ(lock_path(load()), dir_.path() / "web.lock");
    EXPECT_EQ(lock_path(fs::path("perl-bundle/core.yaml")), "perl-bundle/core.lock");
}

TEST_F(RecipeLock, OfAVariantHasANameOfItsOwn) {
    EXPECT_EQ(name({{"release", "trixie"}}), "web@release=trixie.lock");
    EXPECT_EQ(
        name({{"release", "trixie"}, {"greeting", "hi"}}), "web@greeting=hi@release=trixie.lock");
    EXPECT_EQ(name({{"release", "bookworm"}}), "web.lock") << "it is what the recipe has anyway";
    EXPECT_EQ(name({{"greeting", "../a b@c"}}), "web@greeting=..%2Fa%20b%40c.lock");
    EXPECT_EQ(name({{"greeting", ""}}), "web@greeting=.lock");
    const std::string longest = name({{"greeting", std::string(5000, 'x')}});
    EXPECT_LT(longest.size(), 200U);
    EXPECT_NE(longest, name({{"greeting", std::string(5001, 'x')}}));
}

TEST_F(RecipeLock, OfAVariantIsTaken) {
    write_lock_of(load(), dir_.path() / "web.lock");
    const Recipe variant = load({{"release", "trixie"}});
    write_lock_of(variant, lock_path(variant));
    EXPECT_EQ(taken(variant).request, request_of(variant));
    EXPECT_EQ(taken(load()).request, request_of(load()));
}

TEST_F(RecipeLock, ServesAVariantThatAsksForTheSame) {
    write_lock_of(load(), dir_.path() / "web.lock");
    EXPECT_EQ(taken(load({{"greeting", "hi"}})).recipe, "web");
    EXPECT_THAT(log_.str(), HasSubstr("web.lock': the variables do not change any locked input"));
}

TEST_F(RecipeLock, DoesNotServeAVariantThatAsksForOther) {
    write_lock_of(load(), dir_.path() / "web.lock");
    try {
        static_cast<void>(taken(load({{"release", "trixie"}})));
        FAIL() << "no exception";
    } catch (const Error& error) {
        EXPECT_THAT(error.message(), HasSubstr("web.yaml --set release=trixie' changed"));
        EXPECT_THAT(
            error.details(),
            ElementsAre("archive 'debian': suite changed from 'bookworm' to 'trixie'"));
        EXPECT_THAT(error.hint(), HasSubstr("web.yaml --set release=trixie' or 'kiln bake "));
        EXPECT_EQ(error.exit_code(), ExitCode::invalid_recipe);
    }
}

TEST_F(RecipeLock, IsMissed) {
    EXPECT_EQ(
        test::thrown([&] { static_cast<void>(taken(load({{"greeting", "it's"}}))); }),
        "3: lock '" + (dir_.path() / "web@greeting=it%27s.lock").string() + "' not found");
}

TEST_F(RecipeLock, IsRenewedByACommandThatAShellTakes) {
    EXPECT_EQ(
        lock_command(load({{"greeting", "it's $x"}})),
        "'kiln lock " + file_.string() + " --set 'greeting=it'\\''s $x''");
}

/// Without network: what is committed was made for what is committed.
TEST(CommittedLocks, FitTheirDefinitions) {
    const fs::path source = KILN_SOURCE_DIR;
    std::ostringstream log;
    Console console(log, {});
    std::size_t found = 0;
    for (const fs::directory_entry& entry : fs::directory_iterator(source / "recipes")) {
        if (entry.path().extension() != ".lock") {
            continue;
        }
        ++found;
        Diagnostics diags;
        fs::path file = entry.path();
        const auto recipe =
            load_recipe(file.replace_extension(".yaml"), {{}, stage_shapes()}, diags);
        ASSERT_TRUE(recipe) << diags.render_all();
        const Lockfile lock = load_recipe_lock(*recipe, request_of(*recipe), console);
        for (const LockedSource& each : lock.sources) {
            if (each.kind == "artifact") {
                const ArtifactSpec& spec = recipe->artifacts.at(each.name);
                const auto definition = load_artifact_definition(spec.definition, spec.kind, diags);
                ASSERT_TRUE(definition) << diags.render_all();
                EXPECT_EQ(definition->load_lock(spec.definition).digest(), each.sha256) << file;
            }
        }
    }
    EXPECT_GT(found, 0U);
}

} // namespace
} // namespace kiln
