// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/io/file.hpp"
#include "lock/lockfile.hpp"
#include "support/expect_error.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <ctime>

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
    lock.request = {
        {"archive 'debian'", {"suite bookworm", "component main"}},
        {"stage 'base' of branch 'common'", {"package nginx", "recommends no"}}};
    lock.releases = {{"debian", "bookworm", 1'700'000'000}};
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

TEST(Lockfile, KeepsTheRequestInWords) {
    EXPECT_THAT(
        sample().to_text(),
        HasSubstr("    {\"part\": \"archive 'debian'\",\n     \"says\": [\n       \"suite "
                  "bookworm\",\n       \"component main\"\n     ]},\n"));
    Lockfile other = sample();
    other.request[0].says[0] = "suite trixie";
    EXPECT_NE(other.digest(), sample().digest());
}

TEST(Lockfile, HasAResultThatIsNoInput) {
    Lockfile lock = sample();
    lock.result = LockedResult{sha256("key"), sha256("tree")};
    EXPECT_EQ(lock.digest(), sample().digest());
    Diagnostics diagnostics;
    EXPECT_EQ(read(lock.to_text(), diagnostics), lock);
    EXPECT_EQ(diagnostics.render_all(), "");
    EXPECT_THAT(
        faults_of(replaced(lock.to_text(), sha256("tree").hex(), sha256("other").hex())),
        HasSubstr("checksum mismatch"));
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
        EXPECT_EQ(error.message(), "the lock has no packages stage 'base' (oci)");
        EXPECT_EQ(
            error.hint(),
            "the recipe changed after it was locked: run 'kiln lock web' to update the lock");
        EXPECT_EQ(error.exit_code(), ExitCode::invalid_recipe);
    }
}

TEST(LockReader, RefusesAChangedLock) {
    const std::string faults = faults_of(replaced(sample().to_text(), "5.2-1", "5.2-2"));
    EXPECT_THAT(faults, HasSubstr("web.lock:43:14: error: checksum mismatch: "));
    EXPECT_THAT(
        faults, HasSubstr("hint: undo the change, or run 'kiln lock' to create a new lock"));
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
    EXPECT_THAT(faults_of(text.substr(0, 100)), HasSubstr("error: unexpected end of file"));
}

TEST(LockReader, NamesEveryFaultWithItsPlace) {
    std::string text = sample().to_text();
    text = replaced(text, "\"suite\": \"bookworm\", \"path\"", "\"suit\": \"bookworm\", \"path\"");
    text = replaced(text, "\"size\": 100", "\"size\": \"100\"");
    text = replaced(text, "\"5.2-1\"", "\"5.2 1\"");
    text = replaced(text, "       \"nginx\"", "       \"ngin\"");
    text = replaced(text, "pool/nginx", "../nginx");
    const std::string faults = faults_of(text);
    EXPECT_THAT(faults, HasSubstr("error: a package has no 'suite'\n"));
    EXPECT_THAT(faults, HasSubstr("error: unknown key 'suit' in a package\n"));
    EXPECT_THAT(faults, HasSubstr("hint: did you mean 'suite'?\n"));
    EXPECT_THAT(faults, HasSubstr("error: 'size' must be a number\n"));
    EXPECT_THAT(faults, HasSubstr("error: '5.2 1' is not a valid package version\n"));
    EXPECT_THAT(faults, HasSubstr("stage 'base' installs 'ngin', which is not in 'packages'\n"));
    EXPECT_THAT(faults, HasSubstr("error: '../nginx_1:1.22.deb' is not a path below an archive\n"));
    EXPECT_THAT(faults, HasSubstr("web.lock:36:36: "));
}

TEST(LockReader, RefusesOtherFormatsAndDuplicates) {
    EXPECT_THAT(
        faults_of(replaced(sample().to_text(), "\"kiln_lock\": 2", "\"kiln_lock\": 9")),
        HasSubstr(
            "web.lock:2:16: error: unsupported lock format 9 (this version of kiln reads format "
            "2)\n"));
    EXPECT_THAT(
        faults_of(replaced(sample().to_text(), "\"kiln_lock\": 2", "\"kiln_lock\": 1")),
        HasSubstr("unsupported lock format 1 (this version of kiln reads format 2)\n"));
    EXPECT_THAT(
        faults_of(replaced(sample().to_text(), "\"kiln_lock\": 2", "\"kiln_lock\": 1")),
        HasSubstr("hint: run 'kiln lock web' to create a new one ('kiln artifact lock web' for a "
                  "bundle or program)\n"));
    Lockfile twice = sample();
    twice.packages[1].package = "bash";
    EXPECT_THAT(faults_of(twice.to_text()), HasSubstr("'bash' is not in alphabetical order"));
    EXPECT_THAT(
        faults_of("{\"kiln_lock\": 2, \"kiln_lock\": 2}"),
        HasSubstr("web.lock:1:18: error: duplicate key 'kiln_lock' in the lock\n"));
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
    EXPECT_THAT(faults, HasSubstr("source 'nobody' not found"));
    EXPECT_THAT(faults, HasSubstr("'libtry-tiny-perl' is not listed before it"));
}

struct Hostile {
    std::string_view what;
    std::string_view from;
    std::string_view to;
    std::string_view said;
};

/// Each is one change to a good lock, of which the digest would be right: whoever sends a lock can
/// compute it.
constexpr auto kHostile = std::to_array<Hostile>({
    {"recipe", "\"recipe\": \"web\"", "\"recipe\": \"../../x\"", "'../../x' is not a name"},
    {"architecture", "\"amd64\",\n  \"out", "\"amd64/..\",\n  \"out", "not an architecture"},
    {"snapshot", "20231115T101320Z", "20231115/../..", "is not a time such as"},
    {"keyring", "debian-archive-keyring.gpg", "../keyring.gpg", "is not a file name"},
    {"keyring option", "debian-archive-keyring.gpg", "--keyring", "is not a file name"},
    {"epoch", "1700000000", "4294967296", "is not between 0 and 4294967295"},
    {"epoch below 0", "1700000000", "-1", "expected a value"},
    {"package", "\"package\": \"bash\"", "\"package\": \"../../../bash\"", "not a package name"},
    {"option", "\"package\": \"bash\"", "\"package\": \"--root=x\"", "not a package name"},
    {"lines", "\"package\": \"bash\"", "\"package\": \"ba\\nsh\"", "'ba\\x0ash' is not a package"},
    {"version", "\"5.2-1\"", "\"5.2/../1\"", "'5.2/../1' is not a valid package version"},
    {"archive", "\"archive\": \"debian\"", "\"archive\": \"..\"", "'..' is not a name"},
    {"suite", "\"suite\": \"bookworm\"", "\"suite\": \"a/../../b\"", "is not a suite"},
    {"path", "pool/bash_", "pool/../../bash_", "is not a path below an archive"},
    {"absolute", "pool/bash_", "/pool/bash_", "is not a path below an archive"},
    {"spaces", "pool/bash_", "pool/ba sh_", "is not a path below an archive"},
    {"no size", "\"size\": 100", "\"size\": 0", "'0' is not between 1 and 1099511627776"},
    {"negative", "\"size\": 100", "\"size\": -100", "expected a value"},
    {"huge", "\"size\": 100", "\"size\": 4611686018427387904", "is not between 1 and"},
    {"overflow", "\"size\": 100", "\"size\": 99999999999999999999", "expected a value"},
    {"digest",
     "\"sha256\": \"",
     "\"sha256\": \"x",
     "a SHA-256 digest has 64 lower-case hexadecimal digits"},
    {"multi_arch", "\"foreign\"", "\"foreign\\nStatus: x\"", "is not one of 'no', 'same'"},
    {"pre_depends", "(>= 2.36)", "x\\n\\nPackage: y", "is not one line of text"},
    {"part", "archive 'debian'", "a\\u001b[2J", "is not one line of text"},
    {"says", "suite bookworm", "suite\\nbookworm", "is not one line of text"},
    {"parts", "stage 'base' of branch 'common'", "archive 'debian'", "duplicate part"},
    {"date", "\"date\": 1700000000", "\"date\": 4294967296", "is not between 0 and"},
    {"branch",
     "\"branch\": \"vm\"",
     "\"branch\": \"../vm\"",
     "is not one of 'common', 'vm', 'oci'"},
    {"stage", "\"stage\": \"kernel\"", "\"stage\": \"a/b\"", "'a/b' is not a name"},
    {"twice", "       \"bash\"", "       \"nginx\"", "duplicate 'nginx' in 'packages'"},
    {"source", "\"name\": \"pause\"", "\"name\": \"../pause\"", "is not a source name"},
    {"commit", "\"0123abc\"", "\"--upload-pack=x\"", "is not a version or commit"},
    {"location", "https://host/pause", "--upload-pack=touch x", "is not a URL or path"},
    {"escape", "https://host/pause", "https://host/\\u001b[2J", "'https://host/\\x1b[2J' is not"},
    {"below", "pool/libt/", "../libt/", "is not a path below an archive"},
});

TEST(LockReader, HoldsEveryTextToItsGrammar) {
    for (const Hostile& each : kHostile) {
        const std::string faults = faults_of(replaced(sample().to_text(), each.from, each.to));
        EXPECT_THAT(faults, HasSubstr(each.said)) << each.what;
        EXPECT_THAT(faults, testing::Not(HasSubstr("checksum mismatch"))) << each.what;
    }
}

TEST(LockReader, RefusesTwinsOfStagesSourcesAndDistributions) {
    Lockfile lock = bundle_sample();
    lock.stages[1] = lock.stages[0];
    lock.sources[1] = lock.sources[0];
    lock.distributions[1] = lock.distributions[0];
    lock.distributions[0].tool = "rm -rf";
    lock.distributions[0].name = "../log";
    const std::string faults = faults_of(lock.to_text());
    EXPECT_THAT(faults, HasSubstr("error: duplicate stage 'base' (common)\n"));
    EXPECT_THAT(faults, HasSubstr("error: duplicate debian source 'libtry-tiny-perl'\n"));
    EXPECT_THAT(faults, HasSubstr("error: duplicate distribution 'libtry-tiny-perl'\n"));
    EXPECT_THAT(faults, HasSubstr("error: 'rm -rf' is not one of 'Makefile.PL', 'Build.PL'"));
    EXPECT_THAT(faults, HasSubstr("error: '../log' is not a file name\n"));
}

/// Without optimization, on a busy machine; what was quadratic took more than a minute with it.

TEST(LockReader, TakesTimeInProportionToTheKeys) {
    const std::clock_t start = std::clock();
    std::string unknown = "{\"kiln_lock\": 2";
    std::string equal = unknown;
    for (int i = 0; i < 200'000; ++i) {
        unknown += fmt::format(",\n\"key{}\": 0", i);
        equal += ", \"recipe\": \"web\"";
    }
    EXPECT_THAT(faults_of(unknown + "}"), testing::EndsWith("more\n"));
    EXPECT_THAT(faults_of(equal + "}"), HasSubstr("duplicate key 'recipe' in the lock\n"));
    Lockfile lock = sample();
    lock.packages.clear();
    lock.stages = {{"common", "base", {}}};
    for (int i = 0; i < 5'000; ++i) {
        lock.packages.push_back(package(fmt::format("p{:06}", i), "1"));
        lock.stages[0].packages.push_back(lock.packages.back().package);
        lock.sources.push_back(lock.sources[1]);
        lock.sources.back().name = fmt::format("s{:06}", i);
        lock.distributions.push_back({lock.sources.back().name, "Dist", "1", "none", {}});
    }
    EXPECT_EQ(faults_of(lock.to_text()), "");
    // Of the processor, whatever else the machine does; not linear, it would be many minutes.
    constexpr std::clock_t kMost = 60L * CLOCKS_PER_SEC;
    EXPECT_LT(std::clock() - start, kMost);
}

TEST(LockReader, RefusesMoreThanItCanHold) {
    std::string many = "[0";
    for (int i = 0; i < 1'000'000; ++i) {
        many += ",0";
    }
    EXPECT_THAT(faults_of(many + "]"), HasSubstr("error: more than 1000000 values\n"));
    EXPECT_THAT(faults_of(std::string(1'000'000, '[')), HasSubstr("error: nested too deeply\n"));
}

TEST(LoadLockfile, ReadsRegularFilesWithinLimits) {
    const TempDir dir(temporary_root(), "kiln-test");
    const std::string path = (dir.path() / "web.lock").string();
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    EXPECT_EQ(
        test::thrown([&] { static_cast<void>(load_lockfile(path)); }),
        fmt::format("3: '{}' is not a regular file", path));
    fs::remove(path);
    write_file_atomically(path, "{");
    fs::resize_file(path, std::uintmax_t{1} << 40U);
    EXPECT_EQ(
        test::thrown([&] { static_cast<void>(load_lockfile(path)); }),
        fmt::format("3: lock '{}' is larger than 64.0 MiB", path));
    EXPECT_EQ(
        test::thrown([] { static_cast<void>(load_lockfile("/dev/zero")); }),
        "3: '/dev/zero' is not a regular file");
}

TEST(LockReader, HearsAnInterruption) {
    request_interrupt();
    EXPECT_THROW(static_cast<void>(faults_of(sample().to_text())), Interrupted);
    clear_interrupt();
}

TEST(LoadLockfile, HasAnErrorForEachCase) {
    const TempDir dir(temporary_root(), "kiln-test");
    const std::string path = (dir.path() / "web.lock").string();
    try {
        static_cast<void>(load_lockfile(path));
        FAIL() << "no exception";
    } catch (const Error& error) {
        EXPECT_EQ(error.message(), "lock '" + path + "' not found");
        EXPECT_EQ(error.exit_code(), ExitCode::invalid_recipe);
        EXPECT_THAT(error.hint(), HasSubstr("run 'kiln lock RECIPE' to create it"));
    }
    write_file_atomically(path, "{}");
    try {
        static_cast<void>(load_lockfile(path));
        FAIL() << "no exception";
    } catch (const Error& error) {
        EXPECT_EQ(error.message(), "lock '" + path + "' has 1 error");
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
    EXPECT_THAT(describe_changes(before, after), ElementsAre("~ bash 5.2-1 (content changed)"));
}

} // namespace
} // namespace kiln
