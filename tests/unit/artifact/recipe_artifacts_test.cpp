// SPDX-License-Identifier: MIT
//
// The artifacts of a recipe, found by their locks in a store; nothing is built.
#include "artifact/lookup/artifact_registry.hpp"
#include "artifact/lookup/recipe_artifacts.hpp"
#include "base/io/paths.hpp"
#include "resolve/request_of.hpp"
#include "support/expect_error.hpp"
#include "support/fake_http_client.hpp"
#include "support/fake_process_runner.hpp"
#include "support/scripted_client.hpp"
#include "tree/tree_scan.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <sstream>

namespace kiln {
namespace {

using test::message_of;
using test::thrown;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kProgram = R"(kiln: 1
program: tool
archives: [{archive: debian, suites: [bookworm]}]
build: {install: [gcc]}
sources: {here: source}
script: make
)";

class RecipeArtifactsTest : public testing::Test {
  protected:
    RecipeArtifactsTest() {
        fs::create_directories(dir_.path() / "source");
        write("tool.yaml", kProgram);
        write(
            "web.yaml",
            "kiln: 1\nname: web\nartifacts: {helper: {program: tool.yaml}}\n"
            "stages: [{stage: artifact, artifact: helper}]\n");
        Diagnostics diags;
        recipe_ =
            load_recipe(dir_.path() / "web.yaml", {{}, stage_shapes()}, diags).value_or(Recipe());
        EXPECT_EQ(diags.render_all(), "");
    }

    void write(const std::string& name, std::string_view text) const {
        write_file_atomically(dir_.path() / name, text);
    }

    [[nodiscard]] Lockfile made_lock() const {
        Diagnostics diags;
        const auto program = load_program(dir_.path() / "tool.yaml", diags);
        EXPECT_EQ(diags.render_all(), "");
        Lockfile lock;
        lock.recipe = "tool";
        lock.architecture = "amd64";
        lock.request = request_of(program.value_or(ProgramSpec()));
        lock.stages = {{"common", "build-root", {"gcc"}}};
        LockedPackage gcc;
        gcc.package = "gcc";
        gcc.version = "12";
        gcc.architecture = "amd64";
        gcc.archive = "debian";
        gcc.suite = "bookworm";
        gcc.path = "pool/gcc.deb";
        gcc.size = 3;
        gcc.sha256 = sha256("gcc");
        lock.packages = {gcc};
        return lock;
    }

    void write_lock() const { write("tool.lock", made_lock().to_text()); }

    [[nodiscard]] Lockfile lock() const {
        return load_lockfile((dir_.path() / "tool.lock").string());
    }

    [[nodiscard]] RecipeArtifacts artifacts() const { return {recipe_, store_}; }

    Digest key() const { return artifacts().key("helper", pool_); }

    /// Puts what building it would give into the store; returns the tree's digest.
    Digest put_into_store(const std::string& content, const std::string& details = "") const {
        const auto work = store_.begin_work();
        const fs::path tree = work->path() / "tree";
        fs::create_directory(tree);
        write_file(tree / "program", content);
        const FileTree scanned = scan_tree(tree, {});
        ArtifactInfo info;
        info.name = "tool";
        info.kind = "program";
        info.key = key();
        info.tree = scanned.digest();
        info.libraries = {{"libssl.so.3", "/usr/lib/libssl.so.3", "libssl3"}};
        store_.commit(
            tree,
            info.key,
            scanned,
            {.recipe = "tool",
             .kind = kArtifactKind,
             .name = "tool",
             .details = details.empty() ? to_json(info) : details});
        return info.tree;
    }

    InputContext context() { return {console_, processes_, http_, mirrors_, pool_}; }

    TempDir dir_{temporary_root(), "kiln-test"};
    Recipe recipe_;
    Store store_{dir_.path() / "cache"};
    Pool pool_{dir_.path() / "pool"};
    std::ostringstream said_;
    test::FakeHttpClient http_;
    test::FakeProcessRunner processes_;

  private:
    Console console_{said_, {}};
    Mirrors mirrors_{MirrorSettings()};
};

TEST_F(RecipeArtifactsTest, NeedALock) {
    try {
        static_cast<void>(artifacts().locked());
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.exit_code(), ExitCode::invalid_recipe);
        EXPECT_THAT(error.message(), testing::StartsWith("lock '"));
        EXPECT_THAT(error.hint(), HasSubstr("'kiln artifact lock"));
    }
    EXPECT_THAT(
        message_of([&] { static_cast<void>(key()); }, ExitCode::invalid_recipe),
        HasSubstr("not found"));
}

TEST_F(RecipeArtifactsTest, NeedALockOfWhatTheyAskFor) {
    write_lock();
    std::string program(kProgram);
    write("tool.yaml", program.replace(program.find("gcc"), 3, "gcc, make"));
    EXPECT_THAT(
        message_of([&] { static_cast<void>(key()); }, ExitCode::invalid_recipe),
        HasSubstr("is out of date: program 'tool' changed"));
}

TEST_F(RecipeArtifactsTest, AreInARecipesLockByTheDigestOfTheirOwn) {
    write_lock();
    const auto locked = artifacts().locked();
    ASSERT_EQ(locked.size(), 1U);
    EXPECT_EQ(locked[0].kind, "artifact");
    EXPECT_EQ(locked[0].name, "helper");
    EXPECT_EQ(locked[0].version, "tool");
    EXPECT_EQ(locked[0].sha256, made_lock().digest());
}

TEST_F(RecipeArtifactsTest, AreLoadedFromTheStore) {
    write_lock();
    put_into_store("built");
    const ArtifactInput input = artifacts().load("helper", pool_);
    EXPECT_NE(input.tree.find("program"), nullptr);
    ASSERT_EQ(input.libraries.size(), 1U);
    EXPECT_EQ(input.libraries[0].path, "/usr/lib/libssl.so.3");
    EXPECT_EQ(input.libraries[0].package, "libssl3");
}

/// A name is in no key, so what was built under another one is found, and must not go on under it.
TEST_F(RecipeArtifactsTest, ThatWereRenamedArePushedUnderTheirNewName) {
    write_lock();
    const Digest before = key();
    put_into_store("built");
    std::string renamed(kProgram);
    renamed.replace(renamed.find("program: tool"), 13, "program: gadget");
    write("tool.yaml", renamed);
    Lockfile relocked = made_lock();
    relocked.recipe = "gadget";
    write("tool.lock", relocked.to_text());
    ASSERT_EQ(key(), before);
    EXPECT_EQ(stored_artifact(store_, before).name, "tool");
    const ArtifactInfo info = stored_artifact(store_, before, "gadget");
    test::ScriptedClient http;
    http.script = [](const HttpRequest& request) -> test::Reply {
        if (request.method == "PUT") {
            return {201, "", {{"Location", "/v2/tools/manifests/x"}}};
        }
        // It has all blobs already, under whatever tag.
        return {request.url.find("/blobs/") == std::string::npos ? 404 : 200, "", {}};
    };
    RegistryClient registry(http, {"reg.example", "tools"}, std::nullopt, test::impatient(1));
    std::ostringstream said;
    Console console(said, {});
    const PushedArtifact pushed = push_artifact(info, registry, store_, 1, console);
    EXPECT_EQ(pushed.tag, artifact_tag("gadget", before));
    ASSERT_FALSE(http.seen.empty());
    EXPECT_THAT(http.seen.back(), HasSubstr("/manifests/" + artifact_tag("gadget", before)));
    EXPECT_THAT(http.seen.back(), HasSubstr(sha256(to_json(info)).to_string()));
    EXPECT_THAT(to_json(info), HasSubstr("\"gadget\""));
}

TEST_F(RecipeArtifactsTest, ThatTheStoreHasAreNeitherLockedNorFetchedNorBuilt) {
    write_lock();
    put_into_store("built");
    const std::string before = lock().to_text();
    recipe_.artifacts.at("helper").registry = "host.example/tools";
    artifacts().fetch_or_build("helper", {"other.example/tools"}, context(), 1);
    artifacts().refresh_locks({"other.example/tools"}, context());
    artifacts().make_missing_locks(context());
    EXPECT_THAT(http_.seen(), IsEmpty());
    EXPECT_THAT(processes_.commands, IsEmpty());
    EXPECT_EQ(lock().to_text(), before);
}

TEST_F(RecipeArtifactsTest, HaveTheirResultWrittenDown) {
    write_lock();
    artifacts().note_results(context());
    EXPECT_FALSE(lock().result) << "it is not built";
    const Digest tree = put_into_store("built");
    artifacts().note_results(context());
    EXPECT_EQ(lock().result, (LockedResult{key(), tree}));
    EXPECT_EQ(lock().digest(), made_lock().digest()) << "the result is no input";
    EXPECT_EQ(said_.str(), "");
}

TEST_F(RecipeArtifactsTest, ThatCameOutOtherwiseAreWarnedOf) {
    write_lock();
    Lockfile other = made_lock();
    other.result = LockedResult{key(), sha256("another tree")};
    write("tool.lock", other.to_text());
    const Digest tree = put_into_store("built");
    artifacts().note_results(context());
    EXPECT_THAT(said_.str(), HasSubstr("is not reproducible"));
    EXPECT_EQ(lock().result, (LockedResult{key(), tree}));
}

TEST_F(RecipeArtifactsTest, ThatAreDamagedAreRefused) {
    write_lock();
    put_into_store("built", "{\"name\": 3}");
    EXPECT_EQ(
        message_of([&] { static_cast<void>(artifacts().load("helper", pool_)); }),
        "not a kiln artifact description");
}

TEST_F(RecipeArtifactsTest, MustBeNamedByTheRecipe) {
    EXPECT_EQ(
        thrown([&] { static_cast<void>(artifacts().key("other", pool_)); }),
        "3: the recipe has no artifact 'other'");
    Diagnostics diags;
    check_artifacts(recipe_, diags);
    EXPECT_EQ(diags.render_all(), "");
    auto renamed = recipe_.artifacts.extract("helper");
    renamed.key() = "other";
    recipe_.artifacts.insert(std::move(renamed));
    check_artifacts(recipe_, diags);
    EXPECT_THAT(diags.render_all(), HasSubstr("the recipe has no artifact 'helper'"));
}

TEST_F(RecipeArtifactsTest, MustHaveADefinitionWithoutFaults) {
    write("tool.yaml", "kiln: 1\nprogram: tool\n");
    EXPECT_THAT(thrown([&] { static_cast<void>(artifacts()); }), testing::StartsWith("3: "));
    fs::remove(dir_.path() / "tool.yaml");
    EXPECT_THAT(
        thrown([&] { static_cast<void>(artifacts()); }),
        testing::AllOf(testing::StartsWith("3: "), HasSubstr("web.yaml:3:")));
    Diagnostics diags;
    check_artifacts(recipe_, diags);
    EXPECT_TRUE(diags.has_errors());
}

} // namespace
} // namespace kiln
