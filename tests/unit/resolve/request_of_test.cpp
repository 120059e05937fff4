// SPDX-License-Identifier: MIT
//
// Every field of a recipe changes what is asked of the archives, or the keys of one stage and of
// those after it, or says in a table why it does neither.
#include "build/plan.hpp"
#include "recipe/recipe_shape.hpp"
#include "resolve/request_of.hpp"
#include "stages/stage.hpp"
#include "support/plan_keys.hpp"
#include "unit/resolve/field_mutations.hpp"

#include <gmock/gmock.h>

#include <array>

namespace kiln {
namespace {

using testing::ElementsAre;
using namespace test;

constexpr std::int64_t kEpoch = 1'700'000'000;

constexpr std::string_view kRecipe = R"(kiln: 1
name: web
summary: before
extends: base.yaml
variables: {greeting: hello}
architecture: amd64
archives:
  - {archive: debian, suites: [bookworm], components: [main], keyring: one.gpg, url: "https://host/apt", allow_expired: false}
pins:
  - {packages: [nginx], suite: bookworm, priority: 900}
ids: {users: {web: 200}, groups: {webs: 201}}
limits: {time: 1h, output: 1MiB, memory: 1GiB, processes: 100, disk: 1GiB, files: 1000}
sources:
  app: {git: "https://host/app", commit: 1111111111111111111111111111111111111111}
  folder: {directory: folder-one}
  ball: {tarball: "https://host/ball.tar", sha256: 2222222222222222222222222222222222222222222222222222222222222222, strip: 1}
alternatives: {app: {other: web.yaml}}
artifacts:
  perl: {bundle: core.yaml, registry: host.example/perl}
  tool: {program: tool.yaml}
stages:
  - {stage: packages, name: base, install: [nginx], recommends: false}
  - {stage: files, files: [
      {file: /etc/one, content: one, owner: root, group: adm, mode: "0644"},
      {file: /etc/host, from: host-one},
      {directory: /srv/one}, {link: /etc/link, target: one}, {remove: /etc/gone}]}
  - {stage: overlay, from: overlay-one, to: /, owner: root, group: adm, permissions: [{path: "/x/*", owner: root, group: adm, mode: "0600"}]}
  - {stage: source, source: app, to: /srv/app, owner: root, group: adm, revision_file: /srv/revision}
  - {stage: source, name: folder, source: folder, to: /srv/folder}
  - {stage: source, name: ball, source: ball, to: /srv/ball}
  - {stage: artifact, artifact: perl}
  - {stage: services, enable: [a.service], disable: [b.service], mask: [c.service]}
  - {stage: users, groups: [{name: g, gid: 300, members: [root]}], users: [{name: u, uid: 301, group: g, groups: [adm], home: /home/u, create_home: true, home_mode: "0700", shell: /bin/sh, gecos: User}]}
  - {stage: run, name: script, script: "true", why: a test, environment: {A: one}}
vm:
  stages:
    - {stage: kernel, cmdline: quiet, timeout: 1}
oci:
  stages: [{stage: packages, name: only-oci, install: [dumb-init]}]
  config: {user: web}
final:
  stages: [{stage: normalize, remove: [/one], empty: [/two]}]
images: [qcow2.yaml]
lint: [{allow: log, file: /etc/passwd, reason: a test}]
accept: suite-one
)";

using enum Changes;

constexpr auto kRecipeFields = std::to_array<Mutation>({
    {"kiln", neither, "", "", "there is one version of the format"},
    {"name", keys, "name: web", "name: shop", "kernel"},
    {"summary", neither, "summary: before", "summary: after", "for people"},
    {"extends",
     neither,
     "extends: base.yaml",
     "extends: same.yaml",
     "what it gives is read into the fields"},
    {"variables{}",
     neither,
     "greeting: hello",
     "greeting: other",
     "their values are in the fields that name them"},
    {"architecture", neither, "", "", "there is one; it is part of both, see below"},
    {"archives[].archive", request, "archive: debian,", "archive: other,"},
    {"archives[].suites[]", request, "suites: [bookworm]", "suites: [trixie]"},
    {"archives[].components[]", request, "components: [main]", "components: [main, contrib]"},
    {"archives[].keyring", request, "keyring: one.gpg", "keyring: two.gpg"},
    {"archives[].url", request, "https://host/apt", "https://host/other"},
    {"archives[].allow_expired", request, "allow_expired: false", "allow_expired: true"},
    {"pins[].packages[]", request, "packages: [nginx], suite", "packages: [perl], suite"},
    {"pins[].suite", request, "suite: bookworm", "suite: trixie"},
    {"pins[].priority", request, "priority: 900", "priority: -1"},
    {"ids.users{}", keys, "web: 200", "web: 202", "base"},
    {"ids.groups{}", keys, "webs: 201", "webs: 202", "base"},
    {"limits.*",
     neither,
     "{time: 1h, output: 1MiB, memory: 1GiB, processes: 100, disk: 1GiB, files: 1000}",
     "{time: 2h, output: 2MiB, memory: 2GiB, processes: 200, disk: 2GiB, files: 2000}",
     "what a script may take changes nothing that it makes"},
    {"sources{}.git", request, "https://host/app", "https://host/other"},
    {"sources{}.commit",
     both,
     "1111111111111111111111111111111111111111",
     "3333333333333333333333333333333333333333",
     "source"},
    {"sources{}.directory", keys, "folder-one", "folder-two", "folder"},
    {"sources{}.tarball", request, "https://host/ball.tar", "https://host/other.tar"},
    {"sources{}.sha256", both, "sha256: 2222", "sha256: 4444", "ball"},
    {"sources{}.strip", keys, "strip: 1", "strip: 2", "ball"},
    {"alternatives{}{}",
     neither,
     "{other: web.yaml}",
     "{another: web.yaml}",
     "another recipe, with a lock of its own, is taken instead"},
    {"artifacts{}.bundle", both, "bundle: core.yaml", "bundle: more.yaml", "artifact"},
    {"artifacts{}.registry",
     neither,
     "host.example/perl",
     "host.example/other",
     "where the same may be had"},
    {"artifacts{}.program", request, "program: tool.yaml", "program: more.yaml"},
    {"stages", neither, "", "", "see the table of stages"},
    {"vm.stages", neither, "", "", "see the table of stages"},
    {"oci.stages", neither, "", "", "see the table of stages"},
    {"final.stages", neither, "", "", "see the table of stages"},
    {"oci.config.*",
     neither,
     "config: {user: web}",
     "config: {user: root}",
     "images are written by every bake"},
    {"images[]",
     neither,
     "images: [qcow2.yaml]",
     "images: [other.yaml]",
     "images are written by every bake"},
    {"lint[].*",
     neither,
     "reason: a test",
     "reason: another test",
     "lint reads the tree of every bake"},
    {"accept",
     neither,
     "accept: suite-one",
     "accept: suite-two",
     "what is done with an image that is there"},
});

constexpr auto kStageFields = std::to_array<Mutation>({
    {"packages.install[]", both, "install: [nginx]", "install: [nginx, perl]", "base"},
    {"packages.recommends", both, "recommends: false", "recommends: true", "base"},
    {"files.files[].file", keys, "file: /etc/one", "file: /etc/two", "files"},
    {"files.files[].content", keys, "content: one", "content: two", "files"},
    {"files.files[].from", keys, "from: host-one", "from: host-two", "files"},
    {"files.files[].owner", keys, "content: one, owner: root", "content: one, owner: web", "files"},
    {"files.files[].group",
     keys,
     "group: adm, mode: \"0644\"",
     "group: web, mode: \"0644\"",
     "files"},
    {"files.files[].mode", keys, "mode: \"0644\"", "mode: \"0600\"", "files"},
    {"files.files[].directory", keys, "directory: /srv/one", "directory: /srv/two", "files"},
    {"files.files[].link", keys, "link: /etc/link", "link: /etc/other", "files"},
    {"files.files[].target", keys, "target: one", "target: two", "files"},
    {"files.files[].remove", keys, "remove: /etc/gone", "remove: /etc/other", "files"},
    {"overlay.from", keys, "from: overlay-one", "from: overlay-two", "overlay"},
    {"overlay.to", keys, "overlay-one, to: /", "overlay-one, to: /srv", "overlay"},
    {"overlay.owner", keys, "to: /, owner: root", "to: /, owner: web", "overlay"},
    {"overlay.group",
     keys,
     "to: /, owner: root, group: adm",
     "to: /, owner: root, group: web",
     "overlay"},
    {"overlay.permissions[].path", keys, "/x/*", "/y/*", "overlay"},
    {"overlay.permissions[].owner", keys, "/x/*\", owner: root", "/x/*\", owner: web", "overlay"},
    {"overlay.permissions[].group",
     keys,
     "group: adm, mode: \"0600\"",
     "group: g, mode: \"0600\"",
     "overlay"},
    {"overlay.permissions[].mode", keys, "mode: \"0600\"", "mode: \"0640\"", "overlay"},
    {"source.source", keys, "source: app,", "source: ball,", "source"},
    {"source.to", keys, "to: /srv/app", "to: /srv/other", "source"},
    {"source.owner", keys, "/srv/app, owner: root", "/srv/app, owner: web", "source"},
    {"source.group", keys, "group: adm, revision_file", "group: web, revision_file", "source"},
    {"source.revision_file", keys, "/srv/revision", "/srv/commit", "source"},
    {"artifact.artifact", keys, "artifact: perl}", "artifact: tool}", "artifact"},
    {"services.enable[]", keys, "a.service", "d.service", "services"},
    {"services.disable[]", keys, "b.service", "d.service", "services"},
    {"services.mask[]", keys, "c.service", "d.service", "services"},
    {"users.groups[].name", keys, "{name: g,", "{name: h,", "users"},
    {"users.groups[].gid", keys, "gid: 300", "gid: 310", "users"},
    {"users.groups[].members[]", keys, "members: [root]", "members: [u]", "users"},
    {"users.users[].name", keys, "{name: u,", "{name: v,", "users"},
    {"users.users[].uid", keys, "uid: 301", "uid: 311", "users"},
    {"users.users[].group", keys, "uid: 301, group: g", "uid: 301, group: adm", "users"},
    {"users.users[].groups[]", keys, "groups: [adm]", "groups: [www-data]", "users"},
    {"users.users[].home", keys, "home: /home/u", "home: /srv/u", "users"},
    {"users.users[].create_home", keys, "create_home: true", "create_home: false", "users"},
    {"users.users[].home_mode", keys, "home_mode: \"0700\"", "home_mode: \"0750\"", "users"},
    {"users.users[].shell", keys, "shell: /bin/sh", "shell: /bin/bash", "users"},
    {"users.users[].gecos", keys, "gecos: User", "gecos: Other", "users"},
    {"run.script", keys, "script: \"true\"", "script: \"false\"", "script"},
    {"run.why", keys, "why: a test", "why: another test", "script"},
    {"run.environment{}", keys, "{A: one}", "{A: two}", "script"},
    {"kernel.cmdline", keys, "cmdline: quiet", "cmdline: debug", "kernel"},
    {"kernel.timeout", keys, "timeout: 1}", "timeout: 2}", "kernel"},
    {"normalize.remove[]", keys, "remove: [/one]", "remove: [/other]", "normalize"},
    {"normalize.empty[]", keys, "empty: [/two]", "empty: [/other]", "normalize"},
});

/// The keys that every kind of stage has.
constexpr auto kCommonStageFields = std::to_array<Mutation>({
    {"stage", neither, "", "", "see the table of stages"},
    {"name", request, "name: base", "name: first"},
    {"name",
     neither,
     "name: script",
     "name: other",
     "of packages stages alone the lock knows names"},
    {"layer", neither, "name: folder", "name: folder, layer: data", "layers are made of the tree"},
});

/// Inputs by their names: every package that a stage asks for is there.
class NamedInputs final : public StageInputs {
  public:
    explicit NamedInputs(const Recipe& recipe) : recipe_(recipe) {}

    [[nodiscard]] std::vector<LockedDeb> packages(const StageSpec& stage) const override {
        std::vector<LockedDeb> out;
        for (const std::string& name : stage.options.strings_or_empty("install")) {
            out.push_back({name, "1", "all", {}, sha256(name)});
        }
        return out;
    }

    [[nodiscard]] SourceInput source(const std::string& name) const override {
        SourceInput out;
        const auto& from = recipe_.sources.at(name).from;
        if (const auto* git = std::get_if<GitSource>(&from)) {
            out.digest = sha256(git->commit);
            out.revision = git->commit;
        } else if (const auto* tarball = std::get_if<TarballSource>(&from)) {
            out.digest = tarball->sha256;
            out.strip = tarball->strip;
        } else {
            out.digest = sha256(std::get<DirectorySource>(from).path.string());
        }
        return out;
    }

    [[nodiscard]] Digest artifact_key(const std::string& name) const override {
        return sha256(recipe_.artifacts.at(name).definition.string());
    }

    [[nodiscard]] ArtifactInput artifact(const std::string&) const override { return {}; }

  private:
    const Recipe& recipe_;
};

class RequestOfRecipe : public RequestOf {
  protected:
    struct Answer {
        std::vector<RequestPart> request;
        std::vector<StageKey> keys;
    };

    void SetUp() override {
        for (const char* each : {"base.yaml", "same.yaml"}) {
            write(each, "kiln: 1\nname: base\n");
        }
        for (const char* each : {"qcow2.yaml", "other.yaml"}) {
            write(each, "kiln: 1\nimage: qcow2\nkind: disk\nformat: [qcow2]\n");
        }
        for (const char* each : {"one", "two"}) {
            write(fmt::format("{}.gpg", each), each);
            write(fmt::format("host-{}", each), each);
            write(fmt::format("overlay-{}/file", each), each);
            write(fmt::format("folder-{}/file", each), each);
        }
    }

    Recipe load(const std::string& text) const {
        Diagnostics diags;
        auto recipe = load_recipe(write("web.yaml", text), {{}, stage_shapes()}, diags);
        EXPECT_EQ(diags.render_all(), "");
        return recipe.value_or(Recipe());
    }

    Answer answer(const std::string& text) const {
        const Recipe recipe = load(text);
        Diagnostics diags;
        const NamedInputs inputs(recipe);
        const Plan plan = make_plan(recipe, inputs, bake_settings(recipe, kEpoch), diags);
        EXPECT_EQ(diags.render_all(), "");
        return {request_of(recipe), keys_of(plan)};
    }

    void expect_changes(std::span<const Mutation> table) const {
        const Answer before = answer(std::string(kRecipe));
        for (const Mutation& row : table) {
            if (row.from.empty()) {
                EXPECT_EQ(row.changes, neither) << row.field << ": nothing is tried";
                continue;
            }
            const testing::ScopedTrace trace("", 0, row.field);
            const Answer after = answer(replaced(std::string(kRecipe), row.from, row.to));
            const bool changes_request = row.changes == request || row.changes == both;
            const bool changes_keys = row.changes == keys || row.changes == both;
            EXPECT_EQ(after.request != before.request, changes_request) << "the request";
            EXPECT_EQ(changes_keys || row.changes == neither, !row.note.empty()) << "the note";
            expect_keys_differ_from(changes_keys ? row.note : "", before.keys, after.keys);
        }
    }
};

TEST_F(RequestOfRecipe, OrTheKeysHangOnEveryField) {
    expect_complete(leaves_of(recipe_shape()), kRecipeFields);
    expect_changes(kRecipeFields);
}

TEST_F(RequestOfRecipe, OrTheKeysHangOnEveryOptionOfAStage) {
    std::set<std::string> fields;
    for (const StageKind& kind : stage_kinds()) {
        fields.merge(leaves_of(*kind.options, std::string(kind.kind)));
    }
    expect_complete(fields, kStageFields);
    expect_changes(kStageFields);
    expect_complete({kCommonStageKeys.begin(), kCommonStageKeys.end()}, kCommonStageFields);
    expect_changes(kCommonStageFields);
}

TEST_F(RequestOfRecipe, HangsOnTheArchitecture) {
    Recipe recipe = load(std::string(kRecipe));
    const auto before = request_of(recipe);
    recipe.architecture = "arm64";
    EXPECT_NE(request_of(recipe), before);
    PerlBundle bundle;
    const auto of_bundle = request_of(bundle);
    bundle.root.architecture = "arm64";
    EXPECT_NE(request_of(bundle), of_bundle);
}

TEST_F(RequestOfRecipe, SaysWhereAStageStands) {
    const std::string text(kRecipe);
    std::vector<std::string> parts;
    for (const RequestPart& part : request_of(load(text))) {
        parts.push_back(part.part);
    }
    EXPECT_THAT(
        parts,
        ElementsAre(
            "recipe",
            "archive 'debian'",
            "pins",
            "stage 'base' of branch 'common'",
            "stage 'only-oci' of branch 'oci'",
            "source 'app'",
            "source 'ball'",
            "source 'folder'",
            "artifact 'perl'",
            "artifact 'tool'"));
}

TEST_F(RequestOfRecipe, HasTheDigestsOfItsOwnKeyringsOnly) {
    const std::string text(kRecipe);
    const auto before = request_of(load(text));
    write("one.gpg", "other keys");
    EXPECT_NE(request_of(load(text)), before);
    fs::remove(dir_.path() / "one.gpg");
    EXPECT_THAT(request_of(load(text))[1].says.back(), "keyring one.gpg missing");
    const std::string hosts =
        replaced(text, "keyring: one.gpg", "keyring: /usr/share/keyrings/none.gpg");
    EXPECT_THAT(request_of(load(hosts))[1].says.back(), "keyring none.gpg");
}

TEST_F(RequestOfRecipe, SaysOfAnArchiveWhereItIsAndThatItMayHaveExpired) {
    const auto says = [&](std::string_view from, std::string_view to) {
        return request_of(load(replaced(std::string(kRecipe), from, to)))[1].says;
    };
    const std::vector<std::string> expired = says("allow_expired: false", "allow_expired: true");
    EXPECT_THAT(expired, testing::Contains("url https://host/apt"));
    EXPECT_THAT(expired, testing::Contains("allow_expired yes"));
    EXPECT_THAT(says("https://host/apt", "file:///srv/apt"), testing::Contains("url from a path"));
    const auto plain = says(", url: \"https://host/apt\", allow_expired: false", "");
    EXPECT_EQ(plain.size(), 3U) << "locks of archives without either stay valid";
}

TEST_F(RequestOfRecipe, SaysWhichVersionOrSuiteAPackageIsToBeOf) {
    const auto now = request_of(load(replaced(
        std::string(kRecipe), "install: [nginx]", "install: [nginx=1.22.1-9, perl/trixie]")));
    EXPECT_THAT(
        now[3].says, ElementsAre("package nginx=1.22.1-9", "package perl/trixie", "recommends no"));
}

TEST_F(RequestOfRecipe, SaysWhereGitFetchesFromBySsh) {
    const std::string text(kRecipe);
    const auto says = [&](std::string_view place) {
        return request_of(load(replaced(text, "https://host/app", place)))[5].says.front();
    };
    EXPECT_EQ(says("git@host:app.git"), "git git@host:app.git");
    EXPECT_EQ(says("../app"), "git from a path");
}

TEST_F(RequestOfRecipe, TellsTwoArchivesOfOneNameApart) {
    const std::string two = replaced(
        std::string(kRecipe),
        "pins:",
        "  - {archive: debian, suites: [trixie], url: \"https://host/apt\"}\npins:");
    EXPECT_EQ(request_of(load(two))[2].part, "archive 'debian' (2)");
}

TEST_F(RequestOfRecipe, IsComparedWithTheLocks) {
    Lockfile lock;
    lock.request = request_of(load(std::string(kRecipe)));
    require_same_request(lock, lock.request, "web.lock", "recipe 'web'", "'kiln lock web'");
    const auto now = request_of(
        load(replaced(std::string(kRecipe), "install: [nginx]", "install: [nginx, perl]")));
    try {
        require_same_request(lock, now, "web.lock", "recipe 'web'", "'kiln lock web'");
        FAIL() << "no exception";
    } catch (const Error& error) {
        EXPECT_EQ(error.message(), "lock 'web.lock' is out of date: recipe 'web' changed");
        EXPECT_THAT(
            error.details(),
            ElementsAre("stage 'base' of branch 'common': package 'perl' was added"));
        EXPECT_EQ(error.hint(), "run 'kiln lock web' to update it");
        EXPECT_EQ(error.exit_code(), ExitCode::invalid_recipe);
    }
}

} // namespace
} // namespace kiln
