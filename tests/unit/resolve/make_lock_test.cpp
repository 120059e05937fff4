// SPDX-License-Identifier: MIT
//
// From a recipe to its lock with a stand-in for apt: what is asked of it, and what becomes of its
// answers and failures.
#include "base/io/paths.hpp"
#include "base/text.hpp"
#include "resolve/make_lock.hpp"
#include "stages/stage.hpp"
#include "support/expect_error.hpp"
#include "support/fake_apt.hpp"
#include "support/fake_http_client.hpp"

#include <fmt/ranges.h>
#include <gmock/gmock.h>

#include <cstdlib>
#include <sstream>

namespace kiln {
namespace {

using test::FakeApt;
using test::message_of;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kRecipe = R"(kiln: 1
name: web
archives:
  - {archive: debian, suites: [stable, updates], keyring: keys.gpg}
pins:
  - {packages: [kernel, nginx], suite: updates, priority: 600}
stages:
  - {stage: packages, name: base, install: [less]}
  - {stage: packages, name: server, install: [nginx], recommends: true}
vm:
  stages: [{stage: packages, name: boot, install: [kernel, less]}]
oci:
  stages: [{stage: packages, name: init, install: [tini]}]
)";

class MakeLock : public testing::Test {
  protected:
    void SetUp() override {
        ::setenv("KILN_CACHE", (dir_.path() / "cache").c_str(), 1);
        write_file_atomically(dir_.path() / "keys.gpg", "keys");
        apt_.archives[0] = {
            {"libc6", "2.36", "", "Essential: yes\n"},
            {"less", "590", "libc6"},
            {"nginx", "1.22", "libc6, libssl3"},
            {"libssl3", "3.0"},
            {"tini", "0.19"}};
        apt_.archives[1] = {{"kernel", "6.1"}, {"libssl3", "3.1"}};
    }

    void TearDown() override { ::unsetenv("KILN_CACHE"); }

    [[nodiscard]] Recipe recipe(std::string_view text = kRecipe) const {
        write_file_atomically(dir_.path() / "web.yaml", text);
        Diagnostics diags;
        auto out = load_recipe(dir_.path() / "web.yaml", {{}, stage_shapes()}, diags);
        EXPECT_EQ(diags.render_all(), "");
        return out.value_or(Recipe());
    }

    Lockfile lock(const LockRequest& request = {}, bool offline = false) {
        InputContext in{console_, apt_, http_, mirrors_, pool_};
        in.offline = offline;
        return make_lock(recipe(), request, in);
    }

    /// Of the stages, as "BRANCH/STAGE: PACKAGES".
    static std::vector<std::string> stages_of(const Lockfile& lock) {
        std::vector<std::string> out;
        for (const LockedStage& stage : lock.stages) {
            out.push_back(
                fmt::format("{}/{}: {}", stage.branch, stage.stage, join(stage.packages, " ")));
        }
        return out;
    }

    /// What a failure says in all: "MESSAGE|DETAIL|DETAIL; HINT".
    template <typename Body> static std::string all_of(const Body& body) {
        try {
            body();
        } catch (const Error& error) {
            std::string out = error.message();
            for (const std::string& detail : error.details()) {
                out += "|" + detail;
            }
            return out + "; " + error.hint();
        }
        return "no error";
    }

    [[nodiscard]] std::string apt_file(const std::string& name) const {
        const fs::path conf = apt_.commands.at(0).env.at("APT_CONFIG");
        return read_text_file(conf.parent_path() / name);
    }

    TempDir dir_{temporary_root(), "kiln-test"};
    FakeApt apt_;

  private:
    std::ostringstream said_;
    Console console_{said_, {}};
    test::FakeHttpClient http_;
    Mirrors mirrors_{MirrorSettings{{"http://mirror.example/debian"}, {}, {}, {}}};
    Pool pool_{dir_.path() / "pool"};
};

TEST_F(MakeLock, HasTheStagesOfEachBranchOnTopOfTheCommonOnes) {
    const Lockfile made = lock();
    EXPECT_THAT(
        stages_of(made),
        ElementsAre(
            "common/base: libc6 less",
            "common/server: libssl3 nginx",
            "vm/boot: kernel",
            "oci/init: tini"));
    EXPECT_EQ(made.recipe, "web");
    EXPECT_EQ(made.architecture, "amd64");
    const LockedPackage* tls = made.find("libssl3");
    ASSERT_NE(tls, nullptr);
    EXPECT_EQ(tls->version, "3.1");
    EXPECT_EQ(tls->suite, "updates") << "the archive whose list has that version";
    EXPECT_EQ(tls->path, "pool/libssl3_3.1.deb");
    EXPECT_EQ(tls->sha256, sha256("libssl33.1"));
    EXPECT_EQ(tls->size, 7U);
    ASSERT_NE(made.find("libc6"), nullptr);
    EXPECT_TRUE(made.find("libc6")->essential);
    EXPECT_FALSE(tls->essential);
}

TEST_F(MakeLock, TakesItsDatesFromTheArchives) {
    const Lockfile made = lock();
    EXPECT_EQ(made.epoch, 1'778'320'065);
    EXPECT_EQ(made.snapshot, "20260509T214745Z") << "twelve hours later";
    EXPECT_THAT(made.keyrings, ElementsAre("keys.gpg"));
    ASSERT_EQ(made.releases.size(), 2U);
    EXPECT_EQ(made.releases[1].suite, "updates");
    EXPECT_EQ(made, lock()) << "and nothing from the clock";
    apt_.release_date = "yesterday";
    EXPECT_THAT(message_of([&] { lock(); }), HasSubstr("' has no valid date"));
}

TEST_F(MakeLock, AsksAptInADirectoryThatHasTheRecipesArchivesAndPins) {
    lock();
    const std::string sources = apt_file("etc/sources.list.d/kiln.sources");
    EXPECT_THAT(sources, HasSubstr("URIs: http://mirror.example/debian/\nSuites: stable\n"));
    EXPECT_THAT(sources, HasSubstr("Suites: updates\nComponents: main\n"));
    EXPECT_THAT(sources, HasSubstr("Signed-By: " + (dir_.path() / "keys.gpg").string()));
    const std::string pins = apt_file("etc/preferences");
    EXPECT_THAT(pins, HasSubstr("Package: kernel\nPin: release n=updates\nPin-Priority: 600\n"));
    EXPECT_THAT(pins, HasSubstr("Package: nginx\nPin: release a=updates\nPin-Priority: 600\n"));
    std::vector<std::string> recommends;
    for (const Command& command : apt_.commands) {
        if (command.args.front() == "-s") {
            recommends.push_back(command.args.at(3));
        }
    }
    EXPECT_THAT(
        recommends,
        ElementsAre(
            "APT::Install-Recommends=false",
            "APT::Install-Recommends=true",
            "APT::Install-Recommends=false",
            "APT::Install-Recommends=false"));
}

TEST_F(MakeLock, NamesAllPackagesThatDoNotExist) {
    apt_.archives[0].pop_back();
    apt_.archives[1].erase(apt_.archives[1].begin());
    const std::string file = (dir_.path() / "web.yaml").string();
    EXPECT_EQ(message_of([&] { lock(); }, ExitCode::invalid_recipe), "2 packages do not exist");
    EXPECT_THAT(
        all_of([&] { lock(); }),
        HasSubstr(fmt::format(
            "package 'kernel' not found in stable, updates; required by stage 'boot' ({}", file)));
}

TEST_F(MakeLock, QuotesAptWhereTheListsCannotBeHad) {
    apt_.update_failure = "Get:1 http://mirror.example\nE: Failed to fetch http://mirror.example\n";
    EXPECT_EQ(
        all_of([&] { lock(); }),
        "apt could not download the package lists|E: Failed to fetch http://mirror.example; check "
        "the mirror (--mirror, KILN_MIRROR or the host's apt sources)");
    apt_.update_failure = "W: GPG error: NO_PUBKEY 0123\n";
    EXPECT_THAT(
        all_of([&] { lock(); }),
        HasSubstr("an archive is not signed by any key in its keyring|W: GPG error"));
}

TEST_F(MakeLock, QuotesAptWhereDependenciesConflict) {
    apt_.install_failure = "nginx : Depends: libssl4\nE: Unable to correct problems\n";
    EXPECT_EQ(
        all_of([&] { lock(); }),
        "apt could not resolve the dependencies|nginx : Depends: libssl4|E: Unable to correct "
        "problems; ");
}

TEST_F(MakeLock, PinsWhatIsNotToBeUpdated) {
    LockRequest request;
    request.before = lock();
    request.update = {"nginx"};
    apt_.commands.clear();
    EXPECT_EQ(lock(request), *request.before);
    const std::string pins = apt_file("etc/preferences");
    EXPECT_THAT(pins, HasSubstr("Package: libssl3\nPin: version 3.1\nPin-Priority: 30000\n"));
    EXPECT_THAT(pins, testing::Not(HasSubstr("Package: nginx\nPin: version")));
    EXPECT_THAT(pins, HasSubstr("Package: nginx\nPin: release n=updates\n"));
    EXPECT_THAT(pins, testing::Not(HasSubstr("Package: kernel\nPin: release"))) << "it is kept";
}

TEST_F(MakeLock, SaysWhichVersionsCannotBeKept) {
    LockRequest request;
    request.before = lock();
    request.update = {"nginx"};
    apt_.archives[1][1].version = "3.2"; // 3.1 is gone
    EXPECT_EQ(
        all_of([&] { lock(request); }),
        "1 other package cannot keep the locked version|libssl3: locked 3.1, now 3.2; these "
        "versions are no longer in the archives: add the packages to --update, or update all with "
        "'kiln lock web'");
    apt_.install_failure = "E: Version '3.1' was not found\n";
    EXPECT_THAT(
        all_of([&] { lock(request); }),
        HasSubstr("locked versions are no longer in the archives: libssl3 3.1; update them too"));
}

TEST_F(MakeLock, IsNotMadeOffline) {
    EXPECT_EQ(message_of([&] { lock({}, true); }), "a lock cannot be made with --offline");
    EXPECT_THAT(apt_.commands, IsEmpty());
}

TEST_F(MakeLock, NeedsTheKeyringThatTheRecipeNames) {
    fs::remove(dir_.path() / "keys.gpg");
    EXPECT_EQ(
        message_of([&] { lock(); }),
        fmt::format(
            "keyring '{}' of archive 'debian' does not exist",
            (dir_.path() / "keys.gpg").string()));
    EXPECT_THAT(apt_.commands, IsEmpty());
}

} // namespace
} // namespace kiln
