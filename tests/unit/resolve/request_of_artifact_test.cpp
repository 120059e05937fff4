// SPDX-License-Identifier: MIT
//
// Every field of a bundle or program changes what its lock is asked for, or the artifact's key, or
// says in a table why it does neither.
#include "artifact/perl/bundle_build.hpp"
#include "artifact/perl/bundle_inputs.hpp"
#include "artifact/program/program_build.hpp"
#include "recipe/artifacts/bundle.hpp"
#include "recipe/artifacts/program.hpp"
#include "resolve/request_of.hpp"
#include "unit/resolve/field_mutations.hpp"

#include <array>
#include <functional>
#include <utility>

namespace kiln {
namespace {

using namespace test;
using enum Changes;

/// What a definition asks for, and the key of what is built with a lock that answers it.
struct Answer {
    std::vector<RequestPart> request;
    Digest key;
};

template <typename Definition> Lockfile lock_with_root(const Definition& definition) {
    Lockfile lock;
    lock.recipe = definition.name;
    lock.stages = {{"common", "build-root", definition.root.packages}};
    for (const std::string& name : definition.root.packages) {
        LockedPackage package;
        package.package = name;
        package.sha256 = sha256(name);
        lock.packages.push_back(std::move(package));
    }
    return lock;
}

/// The one of a source package, or of a release, whose content follows from name and version.
LockedSource lock_source(const char* kind, const DistributionSpec& spec) {
    LockedSource out;
    out.kind = kind;
    out.name = locked_name(spec);
    out.version = "1";
    if (const auto* debian = std::get_if<DebianSource>(&spec.from)) {
        out.suite = debian->suite;
        out.version = debian->version.empty() ? "1" : debian->version;
    }
    const auto* release = std::get_if<CpanRelease>(&spec.from);
    out.sha256 = release != nullptr ? release->sha256 : sha256(out.name + out.version);
    return out;
}

/// Distributions are built in the order of the bundle.
Lockfile lock_answering(const PerlBundle& bundle) {
    Lockfile lock = lock_with_root(bundle);
    lock.sources.push_back(lock_source("perl", bundle.perl));
    for (const DistributionSpec& spec : bundle.distributions) {
        const char* kind = std::holds_alternative<CpanModule>(spec.from)    ? "module"
                           : std::holds_alternative<CpanRelease>(spec.from) ? "cpan"
                                                                            : "debian";
        lock.sources.push_back(lock_source(kind, spec));
        lock.distributions.push_back(
            {locked_name(spec), "Some-Name", "1", "Makefile.PL", spec.needs});
    }
    return lock;
}

Lockfile lock_answering(const ProgramSpec& program) {
    Lockfile lock = lock_with_root(program);
    for (const auto& [name, source] : program.sources) {
        LockedSource locked;
        locked.name = name;
        if (const auto* git = std::get_if<GitSource>(&source.from)) {
            locked.kind = "git";
            locked.version = git->commit;
            locked.sha256 = sha256(git->commit);
        } else if (const auto* tarball = std::get_if<TarballSource>(&source.from)) {
            locked.kind = "tarball";
            locked.sha256 = tarball->sha256;
        } else {
            continue;
        }
        lock.sources.push_back(std::move(locked));
    }
    return lock;
}

class RequestOfArtifact : public RequestOf {
  protected:
    void SetUp() override {
        for (const char* each : {"base.yaml", "same.yaml"}) {
            write(each, "kiln: 1\nbundle: base\ndistributions: [libold-perl, liboldest-perl]\n");
        }
        for (const char* each : {"one", "two"}) {
            write(fmt::format("{}.gpg", each), each);
            write(fmt::format("cpanfile-{}", each), fmt::format("requires '{}';\n", each));
            write(fmt::format("folder-{}/file", each), each);
        }
    }

    PerlBundle load_bundle_of(const std::string& text) const {
        Diagnostics diags;
        auto bundle = load_bundle(write("core.yaml", text), diags);
        EXPECT_EQ(diags.render_all(), "");
        return bundle.value_or(PerlBundle());
    }

    ProgramSpec load_program_of(const std::string& text) const {
        Diagnostics diags;
        auto program = load_program(write("tool.yaml", text), diags);
        EXPECT_EQ(diags.render_all(), "");
        return program.value_or(ProgramSpec());
    }

    Answer answer(const PerlBundle& bundle) const { return answer(bundle, lock_answering(bundle)); }

    Answer answer(const PerlBundle& bundle, const Lockfile& lock) const {
        return {request_of(bundle), bundle_key(bundle, lock, pool_)};
    }

    Answer answer(const ProgramSpec& program) const {
        return answer(program, lock_answering(program));
    }

    Answer answer(const ProgramSpec& program, const Lockfile& lock) const {
        return {request_of(program), program_key(program, lock, pool_)};
    }

    /// `load` makes a definition of a text.
    template <typename Load>
    void
    expect_changes(std::span<const Mutation> table, std::string_view text, const Load& load) const {
        const Answer before = answer(load(std::string(text)));
        for (const Mutation& row : table) {
            if (row.from.empty()) {
                EXPECT_EQ(row.changes, neither) << row.field << ": nothing is tried";
                continue;
            }
            const Answer after = answer(load(replaced(std::string(text), row.from, row.to)));
            EXPECT_EQ(
                after.request != before.request, row.changes == request || row.changes == both)
                << "the request: " << row.field;
            EXPECT_EQ(after.key != before.key, row.changes == keys || row.changes == both)
                << "the key: " << row.field;
        }
    }

    Pool pool_{dir_.path() / "pool"};
};

constexpr std::string_view kBundle = R"(kiln: 1
bundle: core
summary: before
extends: base.yaml
architecture: amd64
prefix: /opt/perl
archives: [{archive: debian, suites: [bookworm], components: [main], keyring: one.gpg, url: "https://host/apt", allow_expired: false}]
sources: [{archive: sources, suites: [trixie], components: [main], keyring: one.gpg, url: "https://host/src", allow_expired: false}]
build: {install: [gcc]}
perl: {source: perl, suite: trixie, version: 5.40.1}
distributions:
  - libplain-perl
  - {source: libtry-tiny-perl, suite: bookworm, version: "0.31", needs: [libplain-perl], replaces: libold-perl}
  - {module: Process::Status, needs: [libplain-perl]}
  - {cpan: authors/id/J/JD/JDOE/Some-Dist-1.02.tar.gz, sha256: 2222222222222222222222222222222222222222222222222222222222222222}
cpanfile: cpanfile-one
)";

constexpr auto kBundleFields = std::to_array<Mutation>({
    {"kiln", neither, "", "", "there is one version of the format"},
    {"bundle", neither, "bundle: core", "bundle: other", "what is built does not hold its name"},
    {"summary", neither, "summary: before", "summary: after", "for people"},
    {"extends",
     neither,
     "extends: base.yaml",
     "extends: same.yaml",
     "what it gives is read into the fields"},
    {"prefix", keys, "prefix: /opt/perl", "prefix: /opt/other"},
    {"architecture", neither, "", "", "there is one; it is part of the request, see below"},
    {"archives[].archive", request, "archive: debian", "archive: other"},
    {"archives[].suites[]", request, "suites: [bookworm]", "suites: [trixie]"},
    {"archives[].components[]",
     request,
     "[bookworm], components: [main]",
     "[bookworm], components: [contrib]"},
    {"archives[].keyring", request, "keyring: one.gpg", "keyring: two.gpg"},
    {"archives[].url", request, "https://host/apt", "https://host/other"},
    {"archives[].allow_expired",
     request,
     "apt\", allow_expired: false",
     "apt\", allow_expired: true"},
    {"sources[].archive", request, "archive: sources", "archive: other"},
    {"sources[].suites[]", request, "suites: [trixie]", "suites: [sid]"},
    {"sources[].components[]",
     request,
     "[trixie], components: [main]",
     "[trixie], components: [contrib]"},
    {"sources[].keyring",
     request,
     "[trixie], components: [main], keyring: one.gpg",
     "[trixie], components: [main], keyring: two.gpg"},
    {"sources[].url", request, "https://host/src", "https://host/other"},
    {"sources[].allow_expired",
     request,
     "src\", allow_expired: false",
     "src\", allow_expired: true"},
    {"build.install[]", both, "install: [gcc]", "install: [gcc, make]"},
    {"perl.source", both, "source: perl,", "source: perl6,"},
    {"perl.suite", request, "perl, suite: trixie", "perl, suite: sid"},
    {"perl.version", both, "5.40.1", "5.42.0"},
    {"perl.cpan", neither, "", "", "as distributions[].cpan"},
    {"perl.sha256", neither, "", "", "as distributions[].sha256"},
    {"distributions[]", both, "distributions:\n", "distributions:\n  - libmore-perl\n"},
    {"distributions[].source", both, "libtry-tiny-perl", "libtry-catch-perl"},
    {"distributions[].suite", request, "perl, suite: bookworm", "perl, suite: sid"},
    {"distributions[].version", both, "\"0.31\"", "\"0.32\""},
    {"distributions[].needs[]", both, "needs: [libplain-perl], replaces", "needs: [], replaces"},
    {"distributions[].replaces", both, "libold-perl", "liboldest-perl"},
    {"distributions[].module", both, "module: Process::Status", "module: Process::Other"},
    {"distributions[].cpan", request, "Some-Dist-1.02", "Some-Dist-1.03"},
    {"distributions[].sha256", both, "sha256: 2222", "sha256: 4444"},
    {"cpanfile", request, "cpanfile-one", "cpanfile-two"},
});

TEST_F(RequestOfArtifact, OrItsKeyHangsOnEveryFieldOfABundle) {
    expect_complete(leaves_of(bundle_shape()), kBundleFields);
    expect_changes(
        kBundleFields, kBundle, [&](const std::string& text) { return load_bundle_of(text); });
}

/// A change of a lock, and whether what is built has another key then.
struct LockChange {
    std::string_view what;
    bool changes_key;
    void (*change)(Lockfile&);
};

TEST_F(RequestOfArtifact, BundlesHaveKeysOfTheirLocks) {
    static constexpr auto kChanges = std::to_array<LockChange>({
        {"epoch", true, [](Lockfile& l) { ++l.epoch; }},
        {"package of the root", true, [](Lockfile& l) { l.packages[0].sha256 = sha256("x"); }},
        {"perl", true, [](Lockfile& l) { l.sources[0].sha256 = sha256("x"); }},
        {"perl's version", true, [](Lockfile& l) { l.sources[0].version = "5.40.1"; }},
        {"source", true, [](Lockfile& l) { l.sources[1].sha256 = sha256("x"); }},
        {"source's place", false, [](Lockfile& l) { l.sources[1].location = "pool/x"; }},
        {"source's archive", false, [](Lockfile& l) { l.sources[1].archive = "other"; }},
        {"source's size", false, [](Lockfile& l) { ++l.sources[1].size; }},
        // A binary package is installed, a tarball is built.
        {"source's kind", true, [](Lockfile& l) { l.sources[1].kind = "package"; }},
        // Both follow from the source.
        {"name", false, [](Lockfile& l) { l.distributions[1].name = "Other"; }},
        {"version", false, [](Lockfile& l) { l.distributions[1].version = "2"; }},
        {"tool", true, [](Lockfile& l) { l.distributions[1].tool = "Build.PL"; }},
        {"needs", true, [](Lockfile& l) { l.distributions[1].needs.clear(); }},
        {"order", true, [](Lockfile& l) { std::swap(l.distributions[1], l.distributions[2]); }},
        {"result", false, [](Lockfile& l) { l.result = LockedResult{sha256("x"), sha256("y")}; }},
    });
    const PerlBundle bundle = load_bundle_of(
        "kiln: 1\nbundle: core\nprefix: /opt/perl\nbuild: {install: [gcc]}\nperl: {source: perl}\n"
        "archives: [{archive: debian, suites: [bookworm]}]\n"
        "sources: [{archive: debian, suites: [bookworm]}]\n"
        "distributions: [liba-perl, libb-perl, {source: libc-perl, needs: [liba-perl]}]\n");
    Lockfile lock = lock_answering(bundle);
    std::swap(lock.distributions[1], lock.distributions[2]); // a, c that needs it, b
    const Answer before = answer(bundle, lock);
    for (const LockChange& row : kChanges) {
        Lockfile changed = lock;
        row.change(changed);
        EXPECT_EQ(answer(bundle, changed).key != before.key, row.changes_key) << row.what;
    }
}

constexpr std::string_view kProgram = R"(kiln: 1
program: tool
summary: before
architecture: amd64
archives: [{archive: debian, suites: [bookworm], components: [main], keyring: one.gpg, url: "https://host/apt", allow_expired: false}]
build: {install: [gcc]}
sources:
  path: folder-one
  folder: {directory: folder-one}
  app: {git: "https://host/app", commit: 1111111111111111111111111111111111111111}
  ball: {tarball: "https://host/ball.tar", sha256: 2222222222222222222222222222222222222222222222222222222222222222, strip: 1}
script: make
)";

constexpr auto kProgramFields = std::to_array<Mutation>({
    {"kiln", neither, "", "", "there is one version of the format"},
    {"program", neither, "program: tool", "program: other", "what is built does not hold its name"},
    {"summary", neither, "summary: before", "summary: after", "for people"},
    {"architecture", neither, "", "", "there is one; it is part of the request, see below"},
    {"archives[].archive", request, "archive: debian", "archive: other"},
    {"archives[].suites[]", request, "suites: [bookworm]", "suites: [trixie]"},
    {"archives[].components[]", request, "components: [main]", "components: [contrib]"},
    {"archives[].keyring", request, "keyring: one.gpg", "keyring: two.gpg"},
    {"archives[].url", request, "https://host/apt", "https://host/other"},
    {"archives[].allow_expired", request, "allow_expired: false", "allow_expired: true"},
    {"build.install[]", both, "install: [gcc]", "install: [gcc, make]"},
    {"sources{}", keys, "path: folder-one", "path: folder-two"},
    {"sources{}.directory", keys, "directory: folder-one", "directory: folder-two"},
    {"sources{}.git", request, "https://host/app", "https://host/other"},
    {"sources{}.commit",
     both,
     "1111111111111111111111111111111111111111",
     "3333333333333333333333333333333333333333"},
    {"sources{}.tarball", request, "https://host/ball.tar", "https://host/other.tar"},
    {"sources{}.sha256", both, "sha256: 2222", "sha256: 4444"},
    {"sources{}.strip", keys, "strip: 1", "strip: 2"},
    {"script", keys, "script: make", "script: make all"},
});

TEST_F(RequestOf, AProgramOfFoldersAloneAsksForNoSource) {
    write("one/file", "");
    Diagnostics diags;
    const auto program = load_program(
        write(
            "tool.yaml",
            "kiln: 1\nprogram: tool\nbuild: {install: [gcc]}\nsources: {a: one}\n"
            "archives: [{archive: debian, suites: [bookworm]}]\nscript: make\n"),
        diags);
    EXPECT_EQ(diags.render_all(), "");
    EXPECT_EQ(request_of(program.value_or(ProgramSpec())).size(), 3U);
}

TEST_F(RequestOfArtifact, OrItsKeyHangsOnEveryFieldOfAProgram) {
    expect_complete(leaves_of(program_shape()), kProgramFields);
    expect_changes(
        kProgramFields, kProgram, [&](const std::string& text) { return load_program_of(text); });
}

TEST_F(RequestOfArtifact, ProgramsHaveKeysOfTheirLocksAndFolders) {
    const ProgramSpec program = load_program_of(std::string(kProgram));
    const Lockfile lock = lock_answering(program);
    const Digest before = answer(program, lock).key;
    const auto key_with = [&](const std::function<void(Lockfile&)>& change) {
        Lockfile changed = lock;
        change(changed);
        return answer(program, changed).key;
    };
    EXPECT_NE(key_with([](Lockfile& l) { ++l.epoch; }), before);
    EXPECT_NE(key_with([](Lockfile& l) { l.packages[0].version = "2"; }), before);
    EXPECT_NE(key_with([](Lockfile& l) { l.sources[0].sha256 = sha256("x"); }), before);
    EXPECT_EQ(key_with([](Lockfile& l) { l.sources[0].location = "elsewhere"; }), before);
    fs::permissions(dir_.path() / "folder-one/file", fs::perms(0755));
    const Digest executable = answer(program, lock).key;
    EXPECT_NE(executable, before);
    write("folder-one/file", "other");
    EXPECT_NE(answer(program, lock).key, executable);
}

} // namespace
} // namespace kiln
