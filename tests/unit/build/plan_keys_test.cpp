// SPDX-License-Identifier: MIT
//
// What the keys of a plan depend on besides the recipe: each field of the lock, the files of the
// build host, and the settings. What they depend on in the recipe is in
// tests/unit/resolve/request_of_test.cpp.
#include "base/io/paths.hpp"
#include "inputs/locked_inputs.hpp"
#include "support/expect_error.hpp"
#include "support/plan_keys.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <functional>

namespace kiln {
namespace {

using namespace test;

constexpr std::string_view kRecipe = R"(kiln: 1
name: web
archives: [{archive: debian, suites: [bookworm]}]
sources:
  app: {git: "https://host/app", commit: 1111111111111111111111111111111111111111}
  ball: {tarball: "https://host/ball.tar", sha256: 2222222222222222222222222222222222222222222222222222222222222222}
  folder: {directory: folder}
artifacts: {perl: {bundle: core.yaml}}
stages:
  - {stage: packages, name: base, install: [nginx]}
  - {stage: files, files: [{file: /etc/host, from: host}]}
  - {stage: overlay, from: overlay}
  - {stage: source, name: app, source: app, to: /srv/app}
  - {stage: source, name: ball, source: ball, to: /srv/ball}
  - {stage: source, name: folder, source: folder, to: /srv/folder}
  - {stage: artifact, artifact: perl}
  - {stage: run, name: script, script: "true", why: a test}
vm:
  stages:
    - {stage: packages, name: only-vm, install: [grub]}
    - {stage: kernel}
oci:
  stages: [{stage: packages, name: only-oci, install: [tini]}]
final:
  stages: [{stage: normalize, remove: [/one]}]
)";

LockedPackage package(const std::string& name) {
    LockedPackage out;
    out.package = name;
    out.version = "1.0";
    out.architecture = "amd64";
    out.archive = "debian";
    out.suite = "bookworm";
    out.path = "pool/" + name + ".deb";
    out.size = 100;
    out.sha256 = sha256(name);
    out.multi_arch = "foreign";
    out.pre_depends = "libc6";
    return out;
}

LockedSource artifact_lock() {
    return {
        .kind = "artifact",
        .name = "perl",
        .version = "core",
        .location = "",
        .sha256 = sha256("core.lock")};
}

/// A lock of the recipe, with every field that a lock can have.
Lockfile sample_lock() {
    Lockfile lock;
    lock.recipe = "web";
    lock.architecture = "amd64";
    lock.output_version = 1;
    lock.epoch = 1'700'000'000;
    lock.snapshot = "20231115T101320Z";
    lock.keyrings = {"debian-archive-keyring.gpg"};
    lock.request = {{"recipe", {"architecture amd64"}}};
    lock.releases = {{"debian", "bookworm", 1'700'000'000}};
    lock.stages = {
        {"common", "base", {"libc6", "nginx"}},
        {"oci", "only-oci", {"tini"}},
        {"vm", "only-vm", {"grub"}}};
    lock.packages = {package("grub"), package("libc6"), package("nginx"), package("tini")};
    lock.packages[0].essential = true;
    const LockedSource app{
        .kind = "git",
        .name = "app",
        .version = std::string(40, '1'),
        .location = "https://host/app",
        .archive = "debian",
        .suite = "bookworm",
        .sha256 = sha256("archive of app")};
    const LockedSource ball{
        .kind = "tarball",
        .name = "ball",
        .version = "",
        .location = "https://host/ball.tar",
        .sha256 = Digest::parse("sha256:" + std::string(64, '2')).value_or(Digest())};
    lock.sources = {artifact_lock(), app, ball};
    lock.distributions = {{"libtry-tiny-perl", "Try-Tiny", "0.31", "Makefile.PL", {"perl"}}};
    lock.result = LockedResult{sha256("key"), sha256("tree")};
    return lock;
}

/// One artifact, built from what its key says.
class OneArtifact final : public ArtifactLookup {
  public:
    [[nodiscard]] std::vector<LockedSource> locked() const override { return {artifact_lock()}; }

    [[nodiscard]] Digest key(const std::string& name, const Pool&) const override {
        return FieldHasher("artifact").field("name", name).field("key", its_key).finish();
    }

    [[nodiscard]] ArtifactInput load(const std::string&, const Pool&) const override { return {}; }

    std::string its_key = "one";
};

class KeysOfAPlan : public testing::Test {
  protected:
    KeysOfAPlan() {
        write("web.yaml", kRecipe);
        write("host", "host");
        write("overlay/file", "overlay");
        write("overlay/program", "overlay");
        fs::create_symlink("file", dir_.path() / "overlay/link");
        write("folder/file", "folder");
        Diagnostics diags;
        recipe_ =
            load_recipe(dir_.path() / "web.yaml", {{}, stage_shapes()}, diags).value_or(Recipe());
        EXPECT_EQ(diags.render_all(), "");
        lock_ = sample_lock();
    }

    void write(const fs::path& name, std::string_view text) const {
        const fs::path path = dir_.path() / name;
        fs::create_directories(path.parent_path());
        write_file_atomically(path, text);
    }

    [[nodiscard]] std::vector<StageKey> keys(const BakeSettings& settings) const {
        const LockedInputs inputs(recipe_, lock_, pool_, &artifact_);
        Diagnostics diags;
        const Plan plan = make_plan(recipe_, inputs, settings, diags);
        EXPECT_EQ(diags.render_all(), "");
        return keys_of(plan);
    }

    [[nodiscard]] std::vector<StageKey> keys() const {
        return keys(bake_settings(recipe_, lock_.epoch));
    }

    TempDir dir_{temporary_root(), "kiln-test"};
    Recipe recipe_;
    Lockfile lock_;
    OneArtifact artifact_;
    Pool pool_{dir_.path() / "pool"};
};

/// What follows when a field of the lock is another: a key from `first` on, a refusal, or nothing.
struct LockChange {
    std::string_view field;
    std::string_view first; ///< the first stage that gets another key; empty: none
    std::function<void(Lockfile&)> change;
    std::string_view refusal = ""; ///< how the message begins; the lock does not fit the recipe
};

LockedPackage& nginx(Lockfile& lock) {
    return lock.packages[2];
}

LockedSource& app(Lockfile& lock) {
    return lock.sources[1];
}

const std::vector<LockChange>& lock_changes() {
    static const std::vector<LockChange> kChanges{
        {"kiln_lock", "", [](Lockfile&) {}}, // there is one version of the format
        {"content", "", [](Lockfile&) {}},   // the digest of all before it
        {"recipe", "", [](Lockfile& l) { l.recipe = "shop"; }, "the lock is for recipe 'shop'"},
        {"architecture", "", [](Lockfile& l) { l.architecture = "arm64"; }}, // the recipe's counts
        {"output_version", "", [](Lockfile& l) { l.output_version = 2; }},   // this kiln's counts
        {"epoch", "base", [](Lockfile& l) { ++l.epoch; }},
        {"snapshot", "", [](Lockfile& l) { l.snapshot = "20240101T000000Z"; }},
        {"keyrings[]", "", [](Lockfile& l) { l.keyrings[0] = "other.gpg"; }},
        // The request is compared with the recipe's before: see require_same_request().
        {"request[].part", "", [](Lockfile& l) { l.request[0].part = "pins"; }},
        {"request[].says[]", "", [](Lockfile& l) { l.request[0].says[0] = "architecture arm64"; }},
        {"releases[].archive", "", [](Lockfile& l) { l.releases[0].archive = "other"; }},
        {"releases[].suite", "", [](Lockfile& l) { l.releases[0].suite = "trixie"; }},
        {"releases[].date", "", [](Lockfile& l) { ++l.releases[0].date; }},
        {"stages[].branch",
         "",
         [](Lockfile& l) { l.stages[1].branch = "vm"; },
         "the lock has no packages stage 'only-oci' (oci)"},
        {"stages[].stage",
         "",
         [](Lockfile& l) { l.stages[0].stage = "other"; },
         "the lock has no packages stage 'base' (common)"},
        {"stages[].packages[]", "base", [](Lockfile& l) { l.stages[0].packages.pop_back(); }},
        {"stages[].packages[]",
         "base",
         [](Lockfile& l) { std::ranges::reverse(l.stages[0].packages); }},
        {"stages[].packages[]",
         "only-oci",
         [](Lockfile& l) { l.stages[1].packages.push_back("libc6"); }},
        {"packages[].package",
         "base",
         [](Lockfile& l) { l.packages[1].package = l.stages[0].packages[0] = "libc7"; }},
        {"packages[].version", "base", [](Lockfile& l) { nginx(l).version = "1.1"; }},
        {"packages[].version", "only-vm", [](Lockfile& l) { l.packages[0].version = "1.1"; }},
        {"packages[].version", "only-oci", [](Lockfile& l) { l.packages[3].version = "1.1"; }},
        {"packages[].architecture", "base", [](Lockfile& l) { nginx(l).architecture = "all"; }},
        {"packages[].sha256", "base", [](Lockfile& l) { nginx(l).sha256 = sha256("x"); }},
        // Where a package is changes nothing of it.
        {"packages[].archive", "", [](Lockfile& l) { nginx(l).archive = "other"; }},
        {"packages[].suite", "", [](Lockfile& l) { nginx(l).suite = "trixie"; }},
        {"packages[].path", "", [](Lockfile& l) { nginx(l).path = "pool/x.deb"; }},
        {"packages[].size", "", [](Lockfile& l) { ++nginx(l).size; }},
        // The package says so itself, and that is what installing goes by.
        {"packages[].essential", "", [](Lockfile& l) { nginx(l).essential = true; }},
        {"packages[].multi_arch", "", [](Lockfile& l) { nginx(l).multi_arch = "same"; }},
        {"packages[].pre_depends", "", [](Lockfile& l) { nginx(l).pre_depends = "dpkg"; }},
        {"sources[].kind",
         "",
         [](Lockfile& l) { app(l).kind = "tarball"; },
         "source 'app' differs between the recipe and the lock"},
        {"sources[].name",
         "",
         [](Lockfile& l) { app(l).name = "other"; },
         "source 'app' differs between the recipe and the lock"},
        {"sources[].version",
         "",
         [](Lockfile& l) { app(l).version = std::string(40, '2'); },
         "source 'app' differs between the recipe and the lock"},
        {"sources[].version",
         "",
         [](Lockfile& l) { l.sources[0].version = "more"; },
         "artifact 'perl' differs between the recipe's lock and the lock of bundle 'core'"},
        {"sources[].sha256", "app", [](Lockfile& l) { app(l).sha256 = sha256("x"); }},
        {"sources[].sha256",
         "",
         [](Lockfile& l) { l.sources[2].sha256 = sha256("x"); },
         "source 'ball' differs between the recipe and the lock"},
        {"sources[].sha256",
         "",
         [](Lockfile& l) { l.sources[0].sha256 = sha256("x"); },
         "artifact 'perl' differs between the recipe's lock and the lock of bundle 'core'"},
        {"sources[].location", "", [](Lockfile& l) { app(l).location = "https://other/app"; }},
        {"sources[].archive", "", [](Lockfile& l) { app(l).archive = "other"; }},
        {"sources[].suite", "", [](Lockfile& l) { app(l).suite = "trixie"; }},
        {"sources[].size", "", [](Lockfile& l) { ++app(l).size; }},
        // A recipe's lock has none: tests/unit/resolve/request_of_artifact_test.cpp.
        {"distributions[].source", "", [](Lockfile& l) { l.distributions.clear(); }},
        {"distributions[].name", "", [](Lockfile& l) { l.distributions.clear(); }},
        {"distributions[].version", "", [](Lockfile& l) { l.distributions.clear(); }},
        {"distributions[].tool", "", [](Lockfile& l) { l.distributions.clear(); }},
        {"distributions[].needs[]", "", [](Lockfile& l) { l.distributions.clear(); }},
        {"result.key", "", [](Lockfile& l) { l.result.reset(); }},
        {"result.tree", "", [](Lockfile& l) { l.result.reset(); }},
    };
    return kChanges;
}

void add_members(const nlohmann::json& json, const std::string& path, std::set<std::string>& out) {
    if (json.is_object()) {
        for (const auto& [key, value] : json.items()) {
            add_members(value, path.empty() ? key : path + "." + key, out);
        }
    } else if (json.is_array()) {
        for (const auto& value : json) {
            add_members(value, path + "[]", out);
        }
    } else {
        out.insert(path);
    }
}

TEST_F(KeysOfAPlan, DependOnTheLockWhereItNamesAnInput) {
    std::set<std::string> fields;
    add_members(nlohmann::json::parse(lock_.to_text()), "", fields);
    std::set<std::string> rows;
    for (const LockChange& row : lock_changes()) {
        rows.emplace(row.field);
    }
    EXPECT_EQ(rows, fields) << "each field of a lock needs a row";
    const auto before = keys();
    for (const LockChange& row : lock_changes()) {
        const testing::ScopedTrace trace("", 0, row.field);
        lock_ = sample_lock();
        row.change(lock_);
        if (!row.refusal.empty()) {
            EXPECT_THAT(
                thrown([&] { static_cast<void>(keys()); }),
                testing::AllOf(
                    testing::StartsWith("3: "), testing::HasSubstr(std::string(row.refusal))));
            continue;
        }
        expect_keys_differ_from(row.first, before, keys());
    }
}

TEST_F(KeysOfAPlan, DependOnTheFilesOfTheHost) {
    struct FileChange {
        std::string_view what;
        std::string_view first; ///< the first stage that gets another key; empty: none
        std::function<void(const fs::path& dir)> change;
    };

    const auto put = [](const fs::path& path, std::string_view text) {
        fs::create_directories(path.parent_path());
        write_file_atomically(path, text);
    };
    const auto set_mode = [](const fs::path& path, unsigned mode) {
        fs::permissions(path, fs::perms(mode));
    };
    const std::vector<FileChange> changes{
        {"a file's content", "files", [&](const auto& dir) { put(dir / "host", "HOST"); }},
        {"a file's mode", "", [&](const auto& dir) { set_mode(dir / "host", 0755); }},
        {"a file's link",
         "",
         [&](const auto& dir) {
             fs::rename(dir / "host", dir / "host.real");
             fs::create_symlink("host.real", dir / "host");
         }},
        {"an overlay's content",
         "overlay",
         [&](const auto& dir) { put(dir / "overlay/file", "x"); }},
        {"an overlay's new file",
         "overlay",
         [&](const auto& dir) { put(dir / "overlay/new", ""); }},
        {"an overlay's new folder",
         "overlay",
         [&](const auto& dir) { fs::create_directory(dir / "overlay/folder"); }},
        {"an overlay's lost file",
         "overlay",
         [&](const auto& dir) { fs::remove(dir / "overlay/new"); }},
        {"an overlay's name",
         "overlay",
         [&](const auto& dir) { fs::rename(dir / "overlay/file", dir / "overlay/renamed"); }},
        {"an overlay's executable bit",
         "overlay",
         [&](const auto& dir) { set_mode(dir / "overlay/program", 0755); }},
        {"an overlay's other bits",
         "",
         [&](const auto& dir) { set_mode(dir / "overlay/program", 0700); }},
        {"an overlay's times",
         "",
         [&](const auto& dir) {
             fs::last_write_time(dir / "overlay/program", fs::file_time_type::clock::time_point{});
         }},
        {"an overlay's link",
         "overlay",
         [&](const auto& dir) {
             fs::remove(dir / "overlay/link");
             fs::create_symlink("program", dir / "overlay/link");
         }},
        {"an overlay's repository",
         "",
         [&](const auto& dir) { put(dir / "overlay/.git/HEAD", "x"); }},
        {"a source's content", "folder", [&](const auto& dir) { put(dir / "folder/file", "x"); }},
        {"a source's executable bit",
         "folder",
         [&](const auto& dir) { set_mode(dir / "folder/file", 0755); }},
        {"what nothing names", "", [&](const auto& dir) { put(dir / "other", "x"); }},
    };
    auto before = keys();
    for (const FileChange& row : changes) {
        const testing::ScopedTrace trace("", 0, row.what);
        row.change(dir_.path());
        auto after = keys();
        expect_keys_differ_from(row.first, before, after);
        before = std::move(after);
    }
}

TEST_F(KeysOfAPlan, DependOnAnArtifactsKey) {
    const auto before = keys();
    artifact_.its_key = "two";
    expect_keys_differ_from("artifact", before, keys());
}

TEST_F(KeysOfAPlan, DependOnTheSettings) {
    const BakeSettings settings = bake_settings(recipe_, lock_.epoch);
    // A new member stops this from compiling: it needs a row.
    [[maybe_unused]] const auto& [epoch, architecture, ids, identity] = settings;

    struct SettingChange {
        std::string_view what;
        std::string_view first;
        std::function<void(BakeSettings&)> change;
    };

    const std::vector<SettingChange> changes{
        {"epoch", "base", [](BakeSettings& s) { ++s.epoch; }},
        {"architecture", "base", [](BakeSettings& s) { s.architecture = "arm64"; }},
        {"a user's id", "base", [](BakeSettings& s) { s.ids.users["web"] = 200; }},
        {"a group's id", "base", [](BakeSettings& s) { s.ids.groups["web"] = 200; }},
        {"identity", "kernel", [](BakeSettings& s) { s.identity = sha256("another"); }},
    };
    const auto before = keys(settings);
    for (const SettingChange& row : changes) {
        const testing::ScopedTrace trace("", 0, row.what);
        BakeSettings changed = settings;
        row.change(changed);
        expect_keys_differ_from(row.first, before, keys(changed));
    }
}

TEST_F(KeysOfAPlan, TellUsersFromGroups) {
    BakeSettings users;
    users.ids.users["web"] = 200;
    BakeSettings groups;
    groups.ids.groups["web"] = 200;
    expect_keys_differ_from("base", keys(users), keys(groups));
}

TEST_F(KeysOfAPlan, GiveEachStageItsOwn) {
    std::set<Digest> seen;
    for (const StageKey& each : keys()) {
        EXPECT_TRUE(seen.insert(each.key).second) << each.stage;
    }
}

TEST_F(KeysOfAPlan, OfABranchDoNotDependOnTheOther) {
    const auto before = keys();
    ASSERT_EQ(recipe_.oci_stages.size(), 1U);
    recipe_.oci_stages.clear();
    const auto after = keys();
    for (std::size_t i = 0; i < after.size(); ++i) {
        if (after[i].branch != Branch::oci) {
            EXPECT_EQ(after[i].key, before[i].key) << after[i].stage;
        }
    }
}

} // namespace
} // namespace kiln
