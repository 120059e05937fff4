// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "base/file.hpp"
#include "formats/lockfile.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

LockedPackage package(std::string name, std::string version) {
    LockedPackage out;
    out.path = "pool/" + name + "_" + version + ".deb";
    out.sha256 = sha256(out.path);
    out.package = std::move(name);
    out.version = std::move(version);
    out.architecture = "amd64";
    out.archive = "debian";
    out.suite = "bookworm";
    out.size = 100;
    return out;
}

Lockfile sample() {
    Lockfile lock;
    lock.recipe = "web";
    lock.architecture = "amd64";
    lock.output_version = 1;
    lock.epoch = 1'700'000'000;
    lock.snapshot = "20231115T101320Z";
    lock.keyrings = {"debian-archive-keyring.gpg"};
    lock.packages = {package("bash", "5.2-1"), package("nginx", "1:1.22")};
    lock.packages[0].essential = true;
    lock.packages[0].multi_arch = "foreign";
    lock.packages[0].pre_depends = "libc6 (>= 2.36)";
    lock.stages = {{"common", "base", {"nginx", "bash"}}, {"vm", "kernel", {}}};
    lock.sources = {
        {.kind = "debian",
         .name = "libtry-tiny-perl",
         .version = "0.31",
         .location = "pool/libt/libtry-tiny-perl_0.31.orig.tar.gz",
         .archive = "debian",
         .suite = "bookworm",
         .size = 33278,
         .sha256 = sha256("y")},
        {.kind = "git",
         .name = "pause",
         .version = "0123abc",
         .location = "https://host/pause",
         .size = 0,
         .sha256 = sha256("x")}};
    return lock;
}

Lockfile read(std::string text, Diagnostics& diagnostics) {
    return parse_lockfile(
        std::make_shared<SourceFile>(SourceFile{"web.lock", std::move(text)}), diagnostics);
}

std::string faults_of(std::string text) {
    Diagnostics diagnostics;
    static_cast<void>(read(std::move(text), diagnostics));
    return diagnostics.render_all();
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

TEST(Lockfile, IsReadBackAsItWasWritten) {
    const Lockfile lock = sample();
    Diagnostics diagnostics;
    const Lockfile back = read(lock.to_text(), diagnostics);
    EXPECT_EQ(diagnostics.render_all(), "");
    EXPECT_EQ(back, lock);
    EXPECT_EQ(back.to_text(), lock.to_text());
}

TEST(Lockfile, HasOnePackageALine) {
    const std::string text = sample().to_text();
    EXPECT_THAT(
        text,
        HasSubstr(
            "\n    {\"package\": \"nginx\", \"version\": \"1:1.22\", \"architecture\": \"amd64\", "
            "\"archive\": \"debian\", \"suite\": \"bookworm\", \"path\": "
            "\"pool/nginx_1:1.22.deb\", \"size\": 100, \"sha256\": \""));
    EXPECT_THAT(
        text,
        HasSubstr("\"essential\": true, \"multi_arch\": \"foreign\", \"pre_depends\": \"libc6 (>= "
                  "2.36)\"},\n"));
    EXPECT_THAT(
        text,
        HasSubstr("    {\"branch\": \"common\", \"stage\": \"base\",\n     \"packages\": [\n       "
                  "\"nginx\",\n       \"bash\"\n     ]},\n"));
    EXPECT_TRUE(text.ends_with("\"\n}\n"));
}

TEST(Lockfile, HasADigestOfItsContent) {
    Lockfile lock = sample();
    const Digest before = lock.digest();
    lock.packages[1].size = 101;
    EXPECT_NE(lock.digest(), before);
}

TEST(Lockfile, GivesTheOrderOfAStage) {
    const Lockfile lock = sample();
    const auto packages = lock.packages_of("common", "base");
    ASSERT_EQ(packages.size(), 2U);
    EXPECT_EQ(packages[0]->package, "nginx");
    EXPECT_EQ(packages[1]->package, "bash");
    try {
        static_cast<void>(lock.packages_of("oci", "base"));
        FAIL() << "no exception";
    } catch (const Error& error) {
        EXPECT_EQ(error.message(), "the lock knows no packages stage 'base' (oci)");
        EXPECT_EQ(
            error.hint(), "the recipe changed after it was locked: 'kiln lock web' locks it again");
        EXPECT_EQ(error.exit_code(), ExitCode::invalid_recipe);
    }
}

TEST(LockReader, RefusesAChangedLock) {
    const std::string faults = faults_of(replaced(sample().to_text(), "5.2-1", "5.2-2"));
    EXPECT_THAT(faults, HasSubstr("web.lock:28:14: error: the content does not fit this digest: "));
    EXPECT_THAT(faults, HasSubstr("hint: take back the change, or let 'kiln lock'"));
}

TEST(LockReader, AcceptsOtherWhiteSpace) {
    std::string text = sample().to_text();
    EXPECT_EQ(faults_of(replaced(text, "  \"epoch\": ", "\t\"epoch\":\r\n ")), "");
}

TEST(LockReader, RefusesACutLockAtEveryLength) {
    const std::string text = sample().to_text();
    for (std::size_t length = 0; length + 2 < text.size(); ++length) {
        EXPECT_THAT(faults_of(text.substr(0, length)), HasSubstr("error: ")) << length;
    }
    EXPECT_THAT(
        faults_of(text.substr(0, 100)),
        HasSubstr("error: the file ends too early: it was cut off"));
}

TEST(LockReader, NamesEveryFaultWithItsPlace) {
    std::string text = sample().to_text();
    text = replaced(text, "\"suite\": \"bookworm\"", "\"suit\": \"bookworm\"");
    text = replaced(text, "\"size\": 100", "\"size\": \"100\"");
    text = replaced(text, "\"5.2-1\"", "\"5.2 1\"");
    text = replaced(text, "       \"nginx\"", "       \"ngin\"");
    text = replaced(text, "pool/nginx", "../nginx");
    const std::string faults = faults_of(text);
    EXPECT_THAT(faults, HasSubstr("error: a package has no 'suite'\n"));
    EXPECT_THAT(faults, HasSubstr("error: unknown key 'suit' in a package\n"));
    EXPECT_THAT(faults, HasSubstr("hint: did you mean 'suite'?\n"));
    EXPECT_THAT(faults, HasSubstr("error: 'size' must be a number\n"));
    EXPECT_THAT(faults, HasSubstr("error: '5.2 1' is no version of a package\n"));
    EXPECT_THAT(
        faults, HasSubstr("stage 'base' installs 'ngin', which the packages do not have\n"));
    EXPECT_THAT(faults, HasSubstr("error: the path must stay below the archive\n"));
    EXPECT_THAT(faults, HasSubstr("web.lock:21:36: "));
}

TEST(LockReader, RefusesOtherFormatsAndDuplicates) {
    EXPECT_THAT(
        faults_of(replaced(sample().to_text(), "\"kiln_lock\": 1", "\"kiln_lock\": 9")),
        HasSubstr("web.lock:2:16: error: this is format 9 of the lock, and this kiln reads format "
                  "1\n"));
    Lockfile twice = sample();
    twice.packages[1].package = "bash";
    EXPECT_THAT(faults_of(twice.to_text()), HasSubstr("'bash' is not in the order of names"));
    EXPECT_THAT(
        faults_of("{\"kiln_lock\": 1, \"kiln_lock\": 1}"),
        HasSubstr("web.lock:1:18: error: 'kiln_lock' occurs twice in the lock\n"));
    EXPECT_THAT(faults_of("[1, -2]"), HasSubstr("web.lock:1:5: error: expected a value"));
}

Lockfile bundle_sample() {
    Lockfile lock = sample();
    lock.sources.insert(lock.sources.begin() + 1, lock.sources.front());
    lock.sources[1].name = "starman";
    lock.distributions = {
        {"libtry-tiny-perl", "Try-Tiny", "0.31", "Makefile.PL", {}},
        {"starman", "Starman", "0.4016", "none", {"libtry-tiny-perl"}}};
    return lock;
}

TEST(Lockfile, KeepsDistributionsInBuildOrder) {
    Diagnostics diagnostics;
    const Lockfile lock = bundle_sample();
    EXPECT_EQ(read(lock.to_text(), diagnostics), lock);
    EXPECT_EQ(diagnostics.render_all(), "");
    ASSERT_NE(lock.find_source("starman"), nullptr);
    EXPECT_EQ(lock.find_source("nobody"), nullptr);
    EXPECT_THAT(sample().to_text(), testing::Not(HasSubstr("distributions")));
}

TEST(LockReader, RefusesDistributionsThatCannotBeBuiltInOrder) {
    Lockfile lock = bundle_sample();
    std::swap(lock.distributions[0], lock.distributions[1]);
    lock.distributions[0].source = "nobody";
    Diagnostics diagnostics;
    read(lock.to_text(), diagnostics);
    const std::string faults = diagnostics.render_all();
    EXPECT_THAT(faults, HasSubstr("there is no source 'nobody'"));
    EXPECT_THAT(faults, HasSubstr("'libtry-tiny-perl' does not come before it"));
}

TEST(LoadLockfile, HasAnErrorForEachCase) {
    const TempDir dir(temporary_root(), "kiln-test");
    const std::string path = (dir.path() / "web.lock").string();
    try {
        static_cast<void>(load_lockfile(path));
        FAIL() << "no exception";
    } catch (const Error& error) {
        EXPECT_EQ(error.message(), "there is no lock '" + path + "'");
        EXPECT_EQ(error.exit_code(), ExitCode::invalid_recipe);
        EXPECT_THAT(error.hint(), HasSubstr("'kiln lock RECIPE' makes it"));
    }
    write_file_atomically(path, "{}");
    try {
        static_cast<void>(load_lockfile(path));
        FAIL() << "no exception";
    } catch (const Error& error) {
        EXPECT_EQ(error.message(), "lock '" + path + "' has 1 fault");
        EXPECT_EQ(error.exit_code(), ExitCode::invalid_recipe);
    }
    write_file_atomically(path, sample().to_text());
    EXPECT_EQ(load_lockfile(path), sample());
}

TEST(DescribeChanges, ListsAddedRemovedAndChanged) {
    const Lockfile before = sample();
    Lockfile after = sample();
    EXPECT_TRUE(describe_changes(before, after).empty());
    after.packages = {package("bash", "5.2-2"), package("curl", "8")};
    after.sources[1].version = "4567def";
    EXPECT_THAT(
        describe_changes(before, after),
        ElementsAre(
            "~ bash 5.2-1 -> 5.2-2",
            "+ curl 8",
            "- nginx 1:1.22",
            "~ git pause 0123abc -> 4567def"));
    after = sample();
    after.packages[0].sha256 = sha256("other");
    EXPECT_THAT(describe_changes(before, after), ElementsAre("~ bash 5.2-1 (other content)"));
}

} // namespace
} // namespace kiln
