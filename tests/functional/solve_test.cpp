// SPDX-License-Identifier: MIT
// The real apt on a toy archive with a separate key.
#include "base/error.hpp"
#include "base/io/file.hpp"
#include "resolve/solve.hpp"
#include "support/script_server.hpp"
#include "support/toy_archive.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace kiln {
namespace {

using test::ToyArchive;
using test::ToyPackage;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

class SolveTest : public testing::Test {
  protected:
    SolveTest() {
        archive_.add("stable", {"base", "1.0", {{"Essential", "yes"}, {"Pre-Depends", "core"}}});
        archive_.add("stable", {"core", "1.0", {{"Multi-Arch", "foreign"}}});
        archive_.add("stable", {"web", "1.0", {{"Depends", "lib"}, {"Recommends", "extra"}}});
        archive_.add("stable", {"lib", "1.0", {}});
        archive_.add("stable", {"extra", "1.0", {}});
    }

    SolveRequest request(std::vector<SolveStage> stages) {
        SolveRequest out;
        out.recipe = "web";
        out.architecture = "amd64";
        out.archives = {
            {{"toy", "stable", {"main"}},
             "file://" + archive_.root().string(),
             archive_.keyring()}};
        out.stages = std::move(stages);
        out.cache = dir_.path() / "apt";
        return out;
    }

    static SolveStage stage(std::vector<std::string> install, std::string branch = "common") {
        return {std::move(branch), "packages", std::move(install), false, "web.yaml:3:5"};
    }

    SolveResult run(const SolveRequest& request) { return solve(request, runner_, console_); }

    Error failure(const SolveRequest& request) {
        try {
            static_cast<void>(run(request));
        } catch (const Error& error) {
            return error;
        }
        ADD_FAILURE() << "no exception";
        return Error("none");
    }

    static std::string version_of(const SolveResult& result, std::string_view name) {
        for (const LockedPackage& package : result.packages) {
            if (package.package == name) {
                return package.version + " " + package.suite;
            }
        }
        return "none";
    }

    TempDir dir_{temporary_root(), "kiln-test"};
    ToyArchive archive_{dir_.path() / "archive"};
    SystemProcessRunner runner_;
    std::ostringstream log_;
    Console console_{log_, {}};
};

TEST_F(SolveTest, LocksEssentialsAndDependenciesInOrder) {
    archive_.publish();
    const SolveResult result = run(request({stage({"web"})}));
    EXPECT_EQ(result.epoch, 1'778'320'065);
    EXPECT_EQ(result.snapshot, "20260509T214745Z");
    EXPECT_THAT(result.keyrings, ElementsAre("toy.gpg"));
    ASSERT_EQ(result.stages.size(), 1U);
    EXPECT_THAT(result.stages[0].packages, ElementsAre("core", "base", "lib", "web"));
    ASSERT_EQ(result.packages.size(), 4U);
    const LockedPackage& base = result.packages[0];
    EXPECT_EQ(base.package, "base");
    EXPECT_TRUE(base.essential);
    EXPECT_EQ(base.pre_depends, "core");
    EXPECT_EQ(base.architecture, "all");
    EXPECT_EQ(base.archive, "toy");
    EXPECT_EQ(base.suite, "stable");
    EXPECT_EQ(base.path, "pool/base_1.0.deb");
    EXPECT_EQ(base.size, fs::file_size(archive_.deb("base")));
    EXPECT_EQ(base.sha256, sha256_file(archive_.deb("base").string()));
    EXPECT_EQ(result.packages[1].multi_arch, "foreign");
}

TEST_F(SolveTest, GoesThroughTheProxies) {
    archive_.publish();
    const test::ScriptServer proxy([&](const auto& request, auto& connection) {
        constexpr std::string_view kMirror = "http://mirror.invalid/debian/";
        const fs::path file = archive_.root() / request.target.substr(kMirror.size());
        if (request.target.starts_with(kMirror) && fs::is_regular_file(file)) {
            connection.answer(200, read_text_file(file));
        } else {
            connection.answer(404, "");
        }
    });
    SolveRequest wish = request({stage({"web"})});
    wish.archives[0].base = "http://mirror.invalid/debian";
    wish.proxies.http = proxy.url();
    EXPECT_EQ(version_of(run(wish), "web"), "1.0 stable");
    EXPECT_FALSE(proxy.requests().empty());
    // apt's own setting wins.
    wish.proxies.http = "http://127.0.0.1:1";
    wish.proxy_settings = {{"Acquire::http::Proxy::mirror.invalid", proxy.url()}};
    wish.cache = dir_.path() / "apt2";
    EXPECT_EQ(version_of(run(wish), "web"), "1.0 stable");
}

TEST_F(SolveTest, InstallsRecommendsOnlyWhereAsked) {
    archive_.publish();
    SolveRequest wish = request({stage({"web"})});
    wish.stages[0].recommends = true;
    EXPECT_EQ(version_of(run(wish), "extra"), "1.0 stable");
}

TEST_F(SolveTest, GoesOnFromTheCommonStagesInEachBranch) {
    archive_.publish();
    const SolveResult result =
        run(request({stage({"lib"}), stage({"web"}, "vm"), stage({"extra", "lib"}, "oci")}));
    EXPECT_THAT(result.stages[0].packages, ElementsAre("core", "base", "lib"));
    EXPECT_THAT(result.stages[1].packages, ElementsAre("web"));
    EXPECT_THAT(result.stages[2].packages, ElementsAre("extra"));
}

TEST_F(SolveTest, SolvesVersionedProvides) {
    archive_.add("stable", {"abi-old", "1.0", {{"Provides", "abi (= 1)"}}});
    archive_.add("stable", {"abi-new", "1.0", {{"Provides", "abi (= 2)"}}});
    archive_.add("stable", {"app", "1.0", {{"Depends", "abi (>= 2)"}}});
    archive_.publish();
    const SolveResult result = run(request({stage({"app"})}));
    EXPECT_EQ(version_of(result, "abi-new"), "1.0 stable");
    EXPECT_EQ(version_of(result, "abi-old"), "none");
}

TEST_F(SolveTest, ObeysPinsAmongTwoSuites) {
    archive_.add("backports", {"web", "2.0", {{"Depends", "lib (>= 2)"}}});
    archive_.add("backports", {"lib", "2.0", {}});
    archive_.publish();
    SolveRequest wish = request({stage({"web"})});
    wish.archives.push_back(wish.archives[0]);
    wish.archives[1].id.suite = "backports";
    EXPECT_EQ(version_of(run(wish), "web"), "2.0 backports");
    wish.pins = {{"*", "backports", {}, 100}};
    EXPECT_EQ(version_of(run(wish), "web"), "1.0 stable");
    EXPECT_EQ(version_of(run(wish), "lib"), "1.0 stable");
    wish.pins = {
        {"*", "backports", {}, 100}, {"web", "backports-suite", {}, 900}, {"lib", {}, "2*", 900}};
    EXPECT_EQ(version_of(run(wish), "web"), "2.0 backports");
    EXPECT_EQ(version_of(run(wish), "lib"), "2.0 backports");
    wish.pins.clear();
    wish.stages = {stage({"web=1.0"})};
    EXPECT_EQ(version_of(run(wish), "web"), "1.0 stable");
}

TEST_F(SolveTest, TakesAVersionOrASuiteOfAPackage) {
    archive_.add("backports", {"lib", "2.0", {}});
    archive_.publish();
    SolveRequest wish = request({stage({"web", "lib=1.0"})});
    wish.archives.push_back(wish.archives[0]);
    wish.archives[1].id.suite = "backports";
    EXPECT_EQ(version_of(run(wish), "lib"), "1.0 stable");
    wish.stages = {stage({"web", "lib/backports"})};
    EXPECT_EQ(version_of(run(wish), "lib"), "2.0 backports");
    wish.stages = {stage({"web", "lib/stable"})};
    EXPECT_EQ(version_of(run(wish), "lib"), "1.0 stable");
}

TEST_F(SolveTest, TakesFlatRepositories) {
    archive_.publish();
    archive_.add("extra", {"tool", "3.0", {{"Depends", "lib"}}});
    archive_.publish_flat("extra", "");
    archive_.add("more", {"gadget", "4.0", {}});
    archive_.publish_flat("more", "flat");
    for (const char* suite : {"/", "./"}) {
        SolveRequest wish = request({stage({"tool"})});
        wish.archives.push_back(wish.archives[0]);
        wish.archives[1].id.suite = suite;
        const SolveResult result = run(wish);
        EXPECT_EQ(version_of(result, "tool"), std::string("3.0 ") + suite);
        EXPECT_EQ(version_of(result, "lib"), "1.0 stable");
        EXPECT_EQ(result.epoch, 1'778'320'065); // of a date in GMT
    }
    SolveRequest wish = request({stage({"gadget"})});
    wish.archives.push_back(wish.archives[0]);
    wish.archives[1].id.suite = "flat/";
    EXPECT_EQ(version_of(run(wish), "gadget"), "4.0 flat/");
}

TEST_F(SolveTest, TakesAnExpiredArchiveOnlyWhereItIsAllowed) {
    archive_.expire("Sat, 16 May 2020 09:47:45 UTC");
    archive_.publish();
    SolveRequest wish = request({stage({"web"})});
    EXPECT_THAT(failure(wish).details(), Contains(HasSubstr("is expired")));
    wish.archives[0].allow_expired = true;
    EXPECT_EQ(version_of(run(wish), "web"), "1.0 stable");
}

TEST_F(SolveTest, TakesSuitesOfAnyName) {
    archive_.add("Debian_12", {"tool", "3.0", {}});
    archive_.add("12", {"gadget", "4.0", {}});
    archive_.publish();
    SolveRequest wish = request({stage({"tool", "gadget"})});
    for (const char* suite : {"Debian_12", "12"}) {
        wish.archives.push_back(wish.archives[0]);
        wish.archives.back().id.suite = suite;
    }
    EXPECT_EQ(version_of(run(wish), "tool"), "3.0 Debian_12");
    EXPECT_EQ(version_of(run(wish), "gadget"), "4.0 12");
}

TEST_F(SolveTest, NamesAllUnknownPackages) {
    archive_.publish();
    const Error one = failure(request({stage({"webb"})}));
    EXPECT_EQ(
        one.message(),
        "package 'webb' not found in stable; did you mean 'web'?; required by stage 'packages' "
        "(web.yaml:3:5)");
    EXPECT_EQ(one.exit_code(), ExitCode::invalid_recipe);
    const Error two = failure(request({stage({"webb", "--purge"})}));
    EXPECT_EQ(two.message(), "2 packages do not exist");
    EXPECT_EQ(two.details().size(), 2U);
}

TEST_F(SolveTest, QuotesAptOnConflicts) {
    archive_.add("stable", {"rival", "1.0", {{"Conflicts", "web"}}});
    archive_.publish();
    const Error error = failure(request({stage({"web", "rival"})}));
    EXPECT_EQ(error.message(), "apt could not resolve the dependencies");
    EXPECT_THAT(error.details(), Contains(HasSubstr("rival : Conflicts: web")));
    EXPECT_THAT(
        error.context(), ElementsAre("resolving dependencies of stage 'packages' (web.yaml:3:5)"));
    // An earlier stage's package is not taken away either.
    EXPECT_EQ(
        failure(request({stage({"web"}), stage({"rival"})})).message(),
        "apt could not resolve the dependencies");
}

TEST_F(SolveTest, RefusesAnotherKeyAndLaterForgeries) {
    archive_.publish();
    const ToyArchive other(dir_.path() / "other");
    SolveRequest wish = request({stage({"web"})});
    wish.archives[0].keyring = other.keyring();
    const Error error = failure(wish);
    EXPECT_EQ(error.message(), "an archive is not signed by any key in its keyring");
    EXPECT_THAT(error.details(), Contains(HasSubstr("NO_PUBKEY")));
    EXPECT_EQ(error.exit_code(), ExitCode::failed);

    // apt itself would only warn here and go on with the lists of the last time.
    static_cast<void>(run(request({stage({"web"})})));
    const fs::path release = archive_.root() / "dists/stable/InRelease";
    std::string text = read_text_file(release);
    text.replace(text.find("Origin: Toy"), 11, "Origin: Bad");
    write_file_atomically(release, text);
    EXPECT_EQ(
        failure(request({stage({"web"})})).message(),
        "an archive is not signed by any key in its keyring");
}

TEST_F(SolveTest, RefusesAChangedIndexAndAMissingArchive) {
    archive_.publish();
    const fs::path index = archive_.root() / "dists/stable/main/binary-amd64/Packages";
    write_file_atomically(index, read_text_file(index) + "\nPackage: evil\nVersion: 1\n");
    EXPECT_EQ(
        failure(request({stage({"web"})})).message(), "apt could not download the package lists");
    SolveRequest wish = request({stage({"web"})});
    wish.archives[0].base += "/nowhere";
    EXPECT_EQ(failure(wish).message(), "apt could not download the package lists");
    wish.archives[0].keyring = "/nowhere/key.gpg";
    EXPECT_EQ(
        failure(wish).message(), "keyring '/nowhere/key.gpg' of archive 'toy' does not exist");
}

TEST_F(SolveTest, KeepsWhatIsNotUpdated) {
    archive_.publish();
    const SolveResult old = run(request({stage({"web"})}));
    archive_.add("stable", {"web", "1.1", {{"Depends", "lib"}}});
    archive_.add("stable", {"lib", "1.1", {}});
    archive_.publish("Sun, 10 May 2026 09:47:45 UTC");
    EXPECT_EQ(version_of(run(request({stage({"web"})})), "lib"), "1.1 stable");

    SolveRequest wish = request({stage({"web"})});
    for (const LockedPackage& package : old.packages) {
        if (package.package != "web") {
            wish.keep.push_back(package);
        }
    }
    const SolveResult result = run(wish);
    EXPECT_EQ(version_of(result, "web"), "1.1 stable");
    EXPECT_EQ(version_of(result, "lib"), "1.0 stable");

    archive_.remove("stable", "lib");
    archive_.add("stable", {"lib", "1.1", {}});
    archive_.publish("Mon, 11 May 2026 09:47:45 UTC");
    const Error error = failure(wish);
    EXPECT_EQ(error.message(), "1 other package cannot keep the locked version");
    EXPECT_THAT(error.details(), ElementsAre("lib: locked 1.0, now 1.1"));
    EXPECT_THAT(error.hint(), HasSubstr("add the packages to --update"));
}

class SolveSources : public SolveTest {
  protected:
    SolveSources() {
        archive_.add_source("stable", "libtry-perl", "0.30-1", "old");
        archive_.add_source("stable", "libtry-perl", "0.31-2", "try");
        archive_.add_source("stable", "libdbd-perl", "1:4.050-5", "dbd");
        archive_.add_source("testing", "libtry-perl", "0.40-1", "newer");
        archive_.add_source("testing", "libdbd-perl", "1:4.053-1", "dbd 4.053");
        archive_.add_source("testing", "perl", "5.40.1-6", "perl");
        archive_.publish();
    }

    SolveRequest wanting(std::vector<SolveSource> sources) {
        SolveRequest out = request({stage({"web"})});
        out.source_archives = {out.archives[0], out.archives[0]};
        out.source_archives[1].id.suite = "testing";
        out.sources = std::move(sources);
        return out;
    }

    static SolveSource
    source(std::string package, std::string suite = "", std::string version = "") {
        return {
            "debian", std::move(package), std::move(suite), std::move(version), "core.yaml:9:5"};
    }
};

TEST_F(SolveSources, TakeTheNewestOfTheFirstSuiteThatFits) {
    const SolveResult result = run(wanting(
        {source("libtry-perl"),
         source("perl"),
         source("libdbd-perl", "testing"),
         source("libdbd-perl", "", "4.053")}));
    ASSERT_EQ(result.sources.size(), 4U);
    const LockedSource& first = result.sources[0].front();
    EXPECT_EQ(first.kind, "debian");
    EXPECT_EQ(first.name, "libtry-perl");
    EXPECT_EQ(first.version, "0.31");
    EXPECT_EQ(first.location, "pool/libtry-perl_0.31.orig.tar.gz");
    EXPECT_EQ(first.archive, "toy");
    EXPECT_EQ(first.suite, "stable");
    EXPECT_EQ(first.size, 3U);
    EXPECT_EQ(first.sha256, sha256("try"));
    EXPECT_EQ(result.sources[1].front().suite, "testing");
    EXPECT_EQ(result.sources[2].front().version, "4.053");
    EXPECT_EQ(result.sources[3].front().sha256, sha256("dbd 4.053"));
    // Source archives give no packages.
    EXPECT_EQ(version_of(result, "web"), "1.0 stable");
}

TEST_F(SolveSources, OfferOtherSuitesAndAPackageWhereAMirrorMayLackTheTarball) {
    archive_.add("stable", {.name = "libtry-perl", .version = "0.31-2"});
    archive_.add(
        "stable",
        {.name = "libdbd-perl", .version = "1:4.050-5", .fields = {{"Architecture", "amd64"}}});
    archive_.publish();
    const SolveResult result = run(
        wanting({source("libtry-perl"), source("libdbd-perl"), source("libtry-perl", "testing")}));
    const auto describe = [](const std::vector<LockedSource>& releases) {
        std::vector<std::string> out;
        for (const LockedSource& each : releases) {
            out.push_back(each.kind + " " + each.version + " " + each.suite);
        }
        return out;
    };
    EXPECT_THAT(
        describe(result.sources[0]),
        ElementsAre(
            "debian 0.31 stable",
            "debian 0.30 stable",
            "debian 0.40 testing",
            "package 0.31-2 stable"));
    EXPECT_THAT(
        describe(result.sources[1]), ElementsAre("debian 4.050 stable", "debian 4.053 testing"));
    EXPECT_THAT(describe(result.sources[2]), ElementsAre("debian 0.40 testing"));
    const LockedSource& package = result.sources[0].back();
    EXPECT_EQ(package.name, "libtry-perl");
    EXPECT_EQ(package.location, "pool/libtry-perl_0.31-2.deb");
    EXPECT_FALSE(package.sha256.is_none());
}

TEST_F(SolveSources, NameEveryFaultAtOnce) {
    const Error error =
        failure(wanting({source("libtri-perl"), source("libdbd-perl", "", "4.051")}));
    EXPECT_EQ(error.message(), "2 source packages cannot be locked");
    EXPECT_EQ(error.exit_code(), ExitCode::invalid_recipe);
    EXPECT_THAT(
        error.details(),
        ElementsAre(
            "core.yaml:9:5: source package 'libtri-perl' not found in any archive; did you mean "
            "'libtry-perl'?",
            "core.yaml:9:5: source package 'libdbd-perl' 4.051 not found; available: 4.050 "
            "(stable), 4.053 (testing)"));
}

} // namespace
} // namespace kiln
