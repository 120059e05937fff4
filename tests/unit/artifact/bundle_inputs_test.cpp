// SPDX-License-Identifier: MIT
#include "artifact/perl/bundle_inputs.hpp"
#include "base/error.hpp"
#include "support/fake_http_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace kiln {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

LockedSource release(const std::string& version, const std::string& suite) {
    LockedSource out;
    out.kind = "debian";
    out.name = "libtry-perl";
    out.version = version;
    out.location = "pool/try_" + version + ".tar.gz";
    out.archive = "debian";
    out.suite = suite;
    out.sha256 = sha256("try " + version);
    return out;
}

class FetchFirstOfEach : public testing::Test {
  protected:
    FetchFirstOfEach() {
        bundle_.name = "core";
        bundle_.source_archives.push_back({"debian", {"stable", "testing"}, {"main"}, {}, {}});
    }

    void serve(const std::string& version) { serve(version, "try " + version); }

    void serve(const std::string& version, const std::string& content) {
        http_.answer("http://mirror/debian/pool/try_" + version + ".tar.gz", {.body = content});
    }

    std::vector<LockedSource> fetch(const std::vector<std::vector<LockedSource>>& releases) {
        return fetch_first_of_each(
            bundle_, releases, "20260101T000000Z", {console_, processes_, http_, mirrors_, pool_});
    }

    [[nodiscard]] std::string said() const { return said_.str(); }

    PerlBundle bundle_;
    Mirrors mirrors_{MirrorSettings{{"http://mirror/debian"}, {}, {}, {}}};

  private:
    TempDir dir_{temporary_root(), "kiln-test"};
    std::ostringstream said_;
    Console console_{said_, {}};
    SystemProcessRunner processes_;
    test::FakeHttpClient http_;
    Pool pool_{dir_.path()};
};

TEST_F(FetchFirstOfEach, TakesThePreferredOneInSilence) {
    serve("1.0");
    serve("2.0");
    const auto got = fetch({{release("1.0", "stable"), release("2.0", "testing")}});
    ASSERT_EQ(got.size(), 1U);
    EXPECT_EQ(got[0].version, "1.0");
    EXPECT_THAT(said(), testing::Not(HasSubstr("using")));
}

TEST_F(FetchFirstOfEach, AsksTheArchivesOwnUrlWhenNobodyKnowsAnother) {
    mirrors_ = Mirrors(MirrorSettings());
    bundle_.source_archives[0].url = "http://mirror/debian";
    serve("1.0");
    EXPECT_EQ(fetch({{release("1.0", "stable")}}).size(), 1U);
}

TEST_F(FetchFirstOfEach, SaysWhenAnotherTakesItsPlace) {
    serve("2.0");
    const auto got = fetch({{release("1.0", "stable"), release("2.0", "testing")}});
    ASSERT_EQ(got.size(), 1U);
    EXPECT_EQ(got[0].version, "2.0");
    EXPECT_THAT(
        said(),
        HasSubstr(
            "libtry-perl: tarball 1.0 of stable not found on any mirror; using 2.0 of testing "
            "instead"));
}

TEST_F(FetchFirstOfEach, NamesAllThatCanBeHadNowhere) {
    serve("1.0");
    try {
        static_cast<void>(fetch(
            {{release("1.0", "stable")},
             {release("3.0", "stable")},
             {release("4.0", "stable"), release("5.0", "testing")}}));
        FAIL() << "was fetched";
    } catch (const Error& error) {
        EXPECT_EQ(
            error.message(), "2 of 3 sources of bundle 'core' are not available from any mirror");
        EXPECT_THAT(
            error.details(),
            ElementsAre(
                "libtry-perl: pool/try_3.0.tar.gz not found on any mirror",
                "libtry-perl: pool/try_4.0.tar.gz not found on any mirror"));
    }
}

TEST_F(FetchFirstOfEach, SaysThatAMirrorHasAnotherFileOfThatName) {
    serve("3.0", "something else");
    try {
        static_cast<void>(fetch({{release("3.0", "stable")}, {release("4.0", "stable")}}));
        FAIL() << "was fetched";
    } catch (const Error& error) {
        EXPECT_THAT(
            error.details(),
            ElementsAre(
                "libtry-perl: wrong content for pool/try_3.0.tar.gz: got " +
                    sha256("something else").to_string() + " instead of " +
                    sha256("try 3.0").to_string(),
                "libtry-perl: pool/try_4.0.tar.gz not found on any mirror"));
    }
}

} // namespace
} // namespace kiln
