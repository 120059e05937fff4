// SPDX-License-Identifier: MIT
//
// Every field of a bundle or program changes what its lock is asked for, or says in a table why it
// need not.
#include "recipe/artifacts/bundle.hpp"
#include "recipe/artifacts/program.hpp"
#include "resolve/request_of.hpp"
#include "unit/resolve/field_mutations.hpp"

#include <array>

namespace kiln {
namespace {

using namespace test;
using enum Changes;

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
  - {source: libtry-tiny-perl, suite: bookworm, version: "0.31", needs: [starman], replaces: libold-perl}
  - {module: Process::Status, needs: [starman]}
  - {cpan: authors/id/J/JD/JDOE/Some-Dist-1.02.tar.gz, sha256: 2222222222222222222222222222222222222222222222222222222222222222}
cpanfile: cpanfile-one
)";

constexpr auto kBundleFields = std::to_array<Mutation>({
    {"kiln", neither, "there is one version of the format"},
    {"bundle", neither, "the lock says whose it is"},
    {"summary", neither, "for people"},
    {"extends", neither, "what it gives is read into the fields"},
    {"prefix", neither, "part of the bundle's key"},
    {"architecture", neither, "there is one; it is part of the request, see below"},
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
    {"build.install[]", request, "install: [gcc]", "install: [gcc, make]"},
    {"perl.source", request, "source: perl,", "source: perl6,"},
    {"perl.suite", request, "perl, suite: trixie", "perl, suite: sid"},
    {"perl.version", request, "5.40.1", "5.42.0"},
    {"perl.cpan", neither, "as distributions[].cpan"},
    {"perl.sha256", neither, "as distributions[].sha256"},
    {"distributions[]", request, "distributions:\n", "distributions:\n  - libmore-perl\n"},
    {"distributions[].source", request, "libtry-tiny-perl", "libtry-catch-perl"},
    {"distributions[].suite", request, "perl, suite: bookworm", "perl, suite: sid"},
    {"distributions[].version", request, "\"0.31\"", "\"0.32\""},
    {"distributions[].needs[]", request, "needs: [starman]", "needs: [plack]"},
    {"distributions[].replaces", request, "libold-perl", "liboldest-perl"},
    {"distributions[].module", request, "Process::Status", "Process::Other"},
    {"distributions[].cpan", request, "Some-Dist-1.02", "Some-Dist-1.03"},
    {"distributions[].sha256", request, "sha256: 2222", "sha256: 4444"},
    {"cpanfile", request, "cpanfile-one", "cpanfile-two"},
});

TEST_F(RequestOf, ABundleHangsOnEveryFieldThatIsLocked) {
    expect_complete(leaves_of(bundle_shape()), kBundleFields);
    write("base.yaml", "kiln: 1\nbundle: base\ndistributions: [libold-perl, liboldest-perl]\n");
    for (const char* each : {"one", "two"}) {
        write(fmt::format("{}.gpg", each), each);
        write(fmt::format("cpanfile-{}", each), fmt::format("requires '{}';\n", each));
    }
    const auto load = [&](const std::string& text) {
        Diagnostics diags;
        const auto bundle = load_bundle(write("core.yaml", text), diags);
        EXPECT_EQ(diags.render_all(), "");
        return request_of(bundle.value_or(PerlBundle()));
    };
    const auto before = load(std::string(kBundle));
    for (const Mutation& row : kBundleFields) {
        if (row.changes != neither) {
            EXPECT_NE(load(replaced(std::string(kBundle), row.from, row.to)), before) << row.field;
        }
    }
}

constexpr std::string_view kProgram = R"(kiln: 1
program: tool
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
    {"kiln", neither, "there is one version of the format"},
    {"program", neither, "the lock says whose it is"},
    {"summary", neither, "for people"},
    {"architecture", neither, "there is one; it is part of the request, see below"},
    {"archives[].archive", request, "archive: debian", "archive: other"},
    {"archives[].suites[]", request, "suites: [bookworm]", "suites: [trixie]"},
    {"archives[].components[]", request, "components: [main]", "components: [contrib]"},
    {"archives[].keyring", request, "keyring: one.gpg", "keyring: two.gpg"},
    {"archives[].url", request, "https://host/apt", "https://host/other"},
    {"archives[].allow_expired", request, "allow_expired: false", "allow_expired: true"},
    {"build.install[]", request, "install: [gcc]", "install: [gcc, make]"},
    {"sources{}", neither, "a folder's digest is part of the program's key"},
    {"sources{}.directory", neither, "a folder's digest is part of the program's key"},
    {"sources{}.git", request, "https://host/app", "https://host/other"},
    {"sources{}.commit",
     request,
     "1111111111111111111111111111111111111111",
     "3333333333333333333333333333333333333333"},
    {"sources{}.tarball", request, "https://host/ball.tar", "https://host/other.tar"},
    {"sources{}.sha256", request, "sha256: 2222", "sha256: 4444"},
    {"sources{}.strip", neither, "part of the program's key"},
    {"script", neither, "part of the program's key"},
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

TEST_F(RequestOf, AProgramHangsOnEveryFieldThatIsLocked) {
    expect_complete(leaves_of(program_shape()), kProgramFields);
    write("folder-one/file", "");
    write("one.gpg", "one");
    write("two.gpg", "two");
    const auto load = [&](const std::string& text) {
        Diagnostics diags;
        const auto program = load_program(write("tool.yaml", text), diags);
        EXPECT_EQ(diags.render_all(), "");
        return request_of(program.value_or(ProgramSpec()));
    };
    const auto before = load(std::string(kProgram));
    for (const Mutation& row : kProgramFields) {
        if (row.changes != neither) {
            EXPECT_NE(load(replaced(std::string(kProgram), row.from, row.to)), before) << row.field;
        }
    }
}

} // namespace
} // namespace kiln
