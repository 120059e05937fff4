// SPDX-License-Identifier: MIT
#include "base/io/paths.hpp"
#include "inputs/locked_inputs.hpp"
#include "inputs/source_overrides.hpp"
#include "support/expect_error.hpp"
#include "support/fake_http_client.hpp"
#include "support/fake_process_runner.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <sstream>

namespace kiln {
namespace {

using test::message_of;
using test::thrown;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kCommit = "1111111111111111111111111111111111111111";

/// A recipe whose lock, mirror and pool hold files with their own names as content.
class LockedInputsTest : public testing::Test {
  protected:
    LockedInputsTest() {
        const std::string ball = sha256("ball").hex();
        write(
            "web.yaml",
            fmt::format(
                R"(kiln: 1
name: web
archives:
  - {{archive: debian, suites: [bookworm]}}
  - {{archive: vendor, suites: [stable], keyring: vendor.gpg, url: "http://vendor/apt"}}
sources:
  app: {{git: "http://host/app", commit: {}}}
  ball: {{tarball: "http://host/ball.tar", sha256: {}}}
  folder: {{directory: folder}}
stages:
  - {{stage: packages, name: base, install: [nginx, agent]}}
  - {{stage: source, name: ball, source: ball, to: /srv/ball}}
  - {{stage: source, name: app, source: app, to: /srv/app}}
  - {{stage: source, name: folder, source: folder, to: /srv/folder}}
oci: {{stages: [{{stage: packages, name: box, install: [tini]}}]}}
)",
                kCommit,
                ball));
        write("vendor.gpg", "");
        write("folder/file", "");
        Diagnostics diags;
        recipe_ =
            load_recipe(dir_.path() / "web.yaml", {{}, stage_shapes()}, diags).value_or(Recipe());
        EXPECT_EQ(diags.render_all(), "");
        lock_.recipe = "web";
        lock_.snapshot = "20260101T000000Z";
        lock_.stages = {{"common", "base", {"nginx", "agent"}}, {"oci", "box", {"nginx", "tini"}}};
        lock_.packages = {
            package("agent", "vendor", "stable"),
            package("nginx", "debian", "bookworm"),
            package("tini", "debian", "bookworm")};
        lock_.sources = {
            {.kind = "git",
             .name = "app",
             .version = std::string(kCommit),
             .location = "",
             .sha256 = sha256("app")},
            {.kind = "tarball",
             .name = "ball",
             .version = "",
             .location = "",
             .sha256 = sha256("ball")}};
        serve("http://mirror/debian/pool/nginx.deb", "nginx");
        serve("http://mirror/debian/pool/tini.deb", "tini");
        serve("http://vendor/apt/pool/agent.deb", "agent");
        serve("http://host/ball.tar", "ball");
    }

    void write(const fs::path& name, std::string_view text) const {
        const fs::path path = dir_.path() / name;
        fs::create_directories(path.parent_path());
        write_file_atomically(path, text);
    }

    static LockedPackage
    package(const std::string& name, const std::string& archive, const std::string& suite) {
        LockedPackage out;
        out.package = name;
        out.version = "1.0";
        out.architecture = "amd64";
        out.archive = archive;
        out.suite = suite;
        out.path = fmt::format("pool/{}.deb", name);
        out.size = name.size();
        out.sha256 = sha256(name);
        return out;
    }

    void serve(const std::string& url, const std::string& body) {
        http_.answer(url, {.body = body});
    }

    void put_into_pool(const std::string& content) const {
        write("input", content);
        static_cast<void>(pool_.add(dir_.path() / "input"));
    }

    InputContext context() { return {console_, processes_, http_, mirrors_, pool_, offline_}; }

    /// What these stages need; returns the URLs that were asked for, sorted.
    std::vector<std::string> fetch(const std::vector<std::string>& stages) {
        const LockedInputs inputs(recipe_, lock_, pool_);
        std::vector<const StageSpec*> specs;
        for (const auto* list : {&recipe_.stages, &recipe_.oci_stages}) {
            for (const StageSpec& spec : *list) {
                if (std::ranges::find(stages, spec.name) != stages.end()) {
                    specs.push_back(&spec);
                }
            }
        }
        const std::size_t before = http_.seen().size();
        inputs.fetch(specs, context());
        std::vector<std::string> urls;
        for (const auto& seen : http_.seen()) {
            urls.push_back(seen.url);
        }
        urls.erase(urls.begin(), urls.begin() + static_cast<std::ptrdiff_t>(before));
        std::ranges::sort(urls);
        return urls;
    }

    Error failure(const std::vector<std::string>& stages) {
        try {
            static_cast<void>(fetch(stages));
        } catch (const Error& error) {
            return error;
        }
        ADD_FAILURE() << "no error";
        return Error("none");
    }

    std::string refusal() {
        return thrown([&] { const LockedInputs inputs(recipe_, lock_, pool_); });
    }

    TempDir dir_{temporary_root(), "kiln-test"};
    Recipe recipe_;
    Lockfile lock_;
    bool offline_ = false;
    Pool pool_{dir_.path() / "pool"};
    Mirrors mirrors_{MirrorSettings{{"debian=http://mirror/debian"}, {}, {}, "http://snapshot"}};

  private:
    std::ostringstream said_;
    Console console_{said_, {}};
    test::FakeProcessRunner processes_;

  protected:
    test::FakeHttpClient http_;
};

TEST_F(LockedInputsTest, AreFetchedForTheStagesThatNeedThem) {
    EXPECT_THAT(
        fetch({"base"}),
        ElementsAre("http://mirror/debian/pool/nginx.deb", "http://vendor/apt/pool/agent.deb"));
    EXPECT_THAT(fetch({"base", "box"}), ElementsAre("http://mirror/debian/pool/tini.deb"));
    EXPECT_THAT(fetch({"ball", "folder"}), ElementsAre("http://host/ball.tar"));
    EXPECT_THAT(fetch({"base", "box", "ball"}), IsEmpty()) << "the pool has all of it";
}

TEST_F(LockedInputsTest, AreWhereThePoolHasThem) {
    fetch({"base"});
    const LockedInputs inputs(recipe_, lock_, pool_);
    const auto debs = inputs.packages(recipe_.stages.at(0));
    ASSERT_EQ(debs.size(), 2U);
    EXPECT_EQ(debs[0].name, "nginx") << "the order of the lock's stage";
    EXPECT_EQ(debs[0].version, "1.0");
    EXPECT_EQ(read_text_file(debs[0].path), "nginx");
    EXPECT_EQ(read_text_file(debs[1].path), "agent");
}

TEST_F(LockedInputsTest, ThatWereDroppedComeFromTheSnapshot) {
    http_.answer("http://mirror/debian/pool/nginx.deb", {.status = 404});
    serve("http://snapshot/archive/debian/20260101T000000Z/pool/nginx.deb", "nginx");
    EXPECT_THAT(
        fetch({"base"}),
        testing::Contains("http://snapshot/archive/debian/20260101T000000Z/pool/nginx.deb"));
}

TEST_F(LockedInputsTest, ThatAreMissingAreAllNamed) {
    http_.answer("http://mirror/debian/pool/nginx.deb", {.status = 404});
    serve("http://mirror/debian/pool/tini.deb", "TINI");
    const Error error = failure({"base", "box", "ball"});
    EXPECT_EQ(error.message(), "2 of 4 inputs could not be downloaded");
    const std::string details = fmt::format("{}", fmt::join(error.details(), "\n"));
    EXPECT_THAT(details, HasSubstr("nginx 1.0"));
    EXPECT_THAT(details, HasSubstr("tini 1.0"));
    EXPECT_THAT(details, testing::Not(HasSubstr("agent")));
    EXPECT_THAT(error.hint(), HasSubstr("'kiln lock web' or 'kiln bake web --refresh'"));
}

TEST_F(LockedInputsTest, ThatAreDamagedAreFetchedAgain) {
    fetch({"base"});
    fs::permissions(pool_.path_of(sha256("nginx")), fs::perms(0644));
    write_file(pool_.path_of(sha256("nginx")), "NGINX");
    EXPECT_THAT(fetch({"base"}), ElementsAre("http://mirror/debian/pool/nginx.deb"));
    EXPECT_EQ(read_text_file(pool_.path_of(sha256("nginx"))), "nginx");
}

TEST_F(LockedInputsTest, AreNotFetchedOffline) {
    fetch({"base"});
    offline_ = true;
    EXPECT_THAT(fetch({"base"}), IsEmpty());
    EXPECT_EQ(
        failure({"base", "box"}).message(),
        "1 of 3 inputs are missing or damaged and cannot be downloaded with --offline");
}

TEST_F(LockedInputsTest, OfGitAreTakenFromThePool) {
    put_into_pool("app");
    EXPECT_THAT(fetch({"app"}), IsEmpty());
    const SourceInput app = LockedInputs(recipe_, lock_, pool_).source("app");
    EXPECT_EQ(app.digest, sha256("app"));
    EXPECT_EQ(app.revision, kCommit);
    EXPECT_TRUE(app.is_tarball);
}

TEST_F(LockedInputsTest, OfOtherKeysThanDebiansAreKnown) {
    EXPECT_THAT(LockedInputs(recipe_, lock_, pool_).private_packages(), ElementsAre("agent"));
}

TEST_F(LockedInputsTest, OfADirectoryAreReadWhereItIs) {
    const LockedInputs inputs(recipe_, lock_, pool_);
    const SourceInput folder = inputs.source("folder");
    EXPECT_EQ(folder.path, dir_.path() / "folder");
    EXPECT_FALSE(folder.is_tarball);
    EXPECT_EQ(folder.revision, "");
    write("folder/file", "changed");
    EXPECT_EQ(inputs.source("folder").digest, folder.digest) << "it is read once";
    EXPECT_NE(LockedInputs(recipe_, lock_, pool_).source("folder").digest, folder.digest);
}

TEST_F(LockedInputsTest, CanBeReplacedByADirectory) {
    apply_source_overrides(recipe_, {{"app", (dir_.path() / "folder").string()}});
    std::erase_if(lock_.sources, [](const LockedSource& source) { return source.name == "app"; });
    const SourceInput app = LockedInputs(recipe_, lock_, pool_).source("app");
    EXPECT_EQ(app.path, dir_.path() / "folder");
    EXPECT_THAT(fetch({"app"}), IsEmpty());
}

TEST_F(LockedInputsTest, ThatAreReplacedByAnotherCommitMustBeLocked) {
    const std::string other(40, '2');
    apply_source_overrides(recipe_, {{"app", "http://host/fork@" + other}});
    const auto source = [&] { return LockedInputs(recipe_, lock_, pool_).source("app"); };
    EXPECT_THAT(
        message_of([&] { static_cast<void>(source()); }, ExitCode::invalid_recipe),
        HasSubstr("source 'app' differs between the recipe and the lock"));
    lock_.sources[0].version = other;
    EXPECT_EQ(source().revision, other);
}

TEST_F(LockedInputsTest, CanBeReplacedByNothingElse) {
    const auto replace = [&](const char* name, const char* where) {
        return message_of(
            [&] { apply_source_overrides(recipe_, {{name, where}}); }, ExitCode::usage);
    };
    EXPECT_EQ(replace("other", "/"), "'--source other=/': the recipe has no source 'other'");
    EXPECT_THAT(replace("app", "/no/folder"), HasSubstr("neither a directory nor URL@COMMIT"));
    EXPECT_THAT(replace("app", "http://host/app@main"), HasSubstr("neither a directory nor"));
}

TEST_F(LockedInputsTest, MustFitTheRecipe) {
    EXPECT_EQ(refusal(), "no error");
    const Lockfile good = lock_;
    lock_.recipe = "shop";
    EXPECT_EQ(refusal(), "3: the lock is for recipe 'shop', not 'web'");
    lock_ = good;
    lock_.stages.pop_back();
    EXPECT_EQ(refusal(), "3: the lock has no packages stage 'box' (oci)");
    lock_ = good;
    lock_.packages.erase(lock_.packages.begin());
    lock_.stages[0].packages = {"nginx"};
    EXPECT_THAT(refusal(), HasSubstr("package 'agent' of stage 'base' is not in the lock"));
    EXPECT_EQ(
        thrown([&] { static_cast<void>(LockedInputs(recipe_, good, pool_).source("none")); }),
        "3: the recipe has no source 'none'");
}

} // namespace
} // namespace kiln
