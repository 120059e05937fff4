// SPDX-License-Identifier: MIT
#include "base/text.hpp"
#include "stages/packages/configure.hpp"
#include "stages/packages/dpkg_database.hpp"
#include "stages/packages/unpacker.hpp"
#include "support/expect_error.hpp"
#include "support/make_deb.hpp"
#include "support/raw_tar.hpp"
#include "support/stage_fixture.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <sstream>

namespace kiln {
namespace {

class Packages : public testing::Test {
  protected:
    void SetUp() override {
        fs::create_directories(root_ / "usr/lib");
        fs::create_symlink("usr/lib", root_ / "lib");
        database_.create();
    }

    PackageFile package(std::string name, ToyDeb toy) {
        toy.control = "Package: " + name + "\nVersion: 1\nArchitecture: all\n" + toy.control;
        return read_package(make_deb(dir_.path(), toy));
    }

    std::vector<UnpackedPackage> unpack(const std::vector<const PackageFile*>& packages) {
        auto unpacked = unpacker_.unpack(packages, [](std::size_t) {});
        database_.record_unpacked(unpacked);
        return unpacked;
    }

    [[nodiscard]] std::string admin(const char* name) const {
        return read_text_file(root_ / "var/lib/dpkg" / name);
    }

    test::StageFixture fixture_;
    TempDir& dir_ = fixture_.dir;
    const fs::path& root_ = fixture_.root;
    const TreeRoot& tree_ = fixture_.tree;
    KeptTimes& times_ = fixture_.times;
    test::FakeProcessRunner& processes_ = fixture_.processes;
    StageContext& context_ = fixture_.context;
    DpkgDatabase database_{tree_};
    Unpacker unpacker_{context_, database_};
};

TEST_F(Packages, ParsesRelationsWithoutVersions) {
    EXPECT_EQ(
        parse_relations("a (>= 1) | b, c:any , d [amd64]"),
        (std::vector<Alternatives>{{"a", "b"}, {"c"}, {"d"}}));
}

TEST_F(Packages, ReadsTheVersionsThatARelationMeans) {
    const auto relations = parse_versioned_relations(
        "any, below (<< 1.0), upto (<=1.0),\n same ( = 1.0 ) , from (>= 1.0~), above (>> 1.0), "
        "old (< 1.0), foreign:any (>= 2), odd (1.0), open (>= ");
    ASSERT_EQ(relations.size(), 10U);
    const auto includes = [&](std::size_t i, const char* version) {
        return relations.at(i).include(relations.at(i).name, version);
    };
    EXPECT_TRUE(includes(0, "9"));
    EXPECT_FALSE(relations[0].include("other", "9"));
    EXPECT_TRUE(includes(1, "1.0~rc1"));
    EXPECT_FALSE(includes(1, "1.0"));
    EXPECT_TRUE(includes(2, "1.0"));
    EXPECT_FALSE(includes(2, "1.0-1"));
    EXPECT_TRUE(includes(3, "1.0"));
    EXPECT_FALSE(includes(3, "1:1.0"));
    EXPECT_TRUE(includes(4, "1.0~"));
    EXPECT_TRUE(includes(5, "1.1"));
    EXPECT_FALSE(includes(5, "1.0"));
    EXPECT_TRUE(includes(6, "1.0"));
    EXPECT_EQ(relations[7].name, "foreign");
    EXPECT_FALSE(includes(7, "1.9"));
}

TEST_F(Packages, FollowsDependenciesThroughProvides) {
    const std::vector<PackageFile> set{
        package("a", {.control = "Depends: virtual\n"}),
        package("b", {.control = "Provides: virtual\nPre-Depends: c\n"}),
        package("c", {}),
        package("d", {})};
    EXPECT_EQ(DependencyIndex(set).closure({0}), (std::set<std::size_t>{0, 1, 2}));
}

TEST_F(Packages, RefusesAPackageThatTheLockCallsOtherwise) {
    const PackageFile toy = package("another", {});
    const LockedDeb right{"another", "1", "all", toy.path, {}};
    EXPECT_EQ(read_locked_package(right).name, "another");
    const std::string tail = ", but the package file is 'another 1 all'";
    const auto refused = [&](const LockedDeb& wrong, const std::string& says) {
        EXPECT_EQ(
            test::thrown([&] { static_cast<void>(read_locked_package(wrong)); }),
            "3: the lock has '" + says + "'" + tail);
    };
    refused({"evil-name", "1", "all", toy.path, {}}, "evil-name 1 all");
    refused({"another", "9", "all", toy.path, {}}, "another 9 all");
    refused({"another", "1", "amd64", toy.path, {}}, "another 1 amd64");
}

TEST_F(Packages, KeepsALinkToAFolderThatEachBootMakes) {
    tree_.make_directories("var");
    tree_.make_link("var/lock", "/run/lock", {});
    test::RawTar data;
    data.directory("./").directory("./var/").directory("./var/lock/");
    const ToyDeb toy{
        .control = "Package: toy\nVersion: 1\nArchitecture: all\nMaintainer: x <x@x>\n"
                   "Description: x\n"};
    const PackageFile package = read_package(make_raw_deb(dir_.path(), toy, data.bytes()));
    const auto unpacked = unpack({&package});
    EXPECT_EQ(tree_.link_target("var/lock"), "/run/lock");
    EXPECT_EQ(unpacked[0].paths.back(), "/var/lock");
}

TEST_F(Packages, UnpacksThroughTheMergedUsrLinksAndKeepsTimes) {
    const PackageFile toy = package("toy", {.files = {{"lib/toy/file", "x"}}});
    const auto unpacked = unpack({&toy});
    EXPECT_TRUE(fs::is_symlink(root_ / "lib"));
    EXPECT_EQ(read_text_file(root_ / "usr/lib/toy/file"), "x");
    EXPECT_TRUE(times_.contains("usr/lib/toy/file"));
    EXPECT_EQ(unpacked.at(0).paths.front(), "/.");
    EXPECT_EQ(unpacked.at(0).paths.back(), "/lib/toy/file");
}

TEST_F(Packages, UsesWhatWasStagedAhead) {
    const PackageFile early = package("early", {.files = {{"usr/lib/early", "e"}}});
    const PackageFile late = package("late", {.files = {{"usr/lib/late", "l"}}});
    StagedPackages staged_data;
    staged_data.packages["early"] = stage_package(early, tree_, kStagingFolder);
    // Only what was staged is there to be used.
    fs::remove(early.path);
    context_.staged_data = &staged_data;
    {
        Unpacker unpacker(context_, database_);
        const auto unpacked = unpacker.unpack({&early, &late}, [](std::size_t) {});
        EXPECT_EQ(unpacked.size(), 2U);
    }
    EXPECT_EQ(read_text_file(root_ / "usr/lib/early"), "e");
    EXPECT_EQ(read_text_file(root_ / "usr/lib/late"), "l");
    EXPECT_FALSE(fs::exists(root_ / kStagingFolder));
}

TEST_F(Packages, LeavesConffilesForDpkgToPlace) {
    const PackageFile toy = package(
        "toy", {.scripts = {{"conffiles", "/etc/toy.conf\n"}}, .files = {{"etc/toy.conf", "a\n"}}});
    unpack({&toy});
    EXPECT_FALSE(fs::exists(root_ / "etc/toy.conf"));
    EXPECT_TRUE(fs::exists(root_ / "etc/toy.conf.dpkg-new"));
    EXPECT_NE(admin("status").find("Conffiles:\n /etc/toy.conf newconffile\n"), std::string::npos);
    EXPECT_NE(
        admin("status").find("Package: toy\nStatus: install ok unpacked\n"), std::string::npos);
}

TEST_F(Packages, RefusesToOverwriteAnotherPackagesFile) {
    const PackageFile one = package("one", {.files = {{"usr/bin/x", "1"}}});
    const PackageFile two = package("two", {.files = {{"usr/bin/x", "2"}}});
    try {
        unpack({&one, &two});
        FAIL() << "no exception";
    } catch (const Error& error) {
        EXPECT_EQ(
            error.message(), "trying to overwrite '/usr/bin/x', which is also in package 'one'");
        ASSERT_FALSE(error.context().empty());
        EXPECT_EQ(error.context()[0], "unpacking package 'two'");
    }
}

TEST_F(Packages, LetsAReplacingPackageTakeAFileOver) {
    const PackageFile one = package("one", {.files = {{"usr/bin/x", "1"}}});
    const PackageFile two =
        package("two", {.control = "Replaces: one\n", .files = {{"usr/bin/x", "2"}}});
    unpack({&one, &two});
    EXPECT_EQ(read_text_file(root_ / "usr/bin/x"), "2");
    EXPECT_EQ(admin("info/one.list").find("/usr/bin/x"), std::string::npos);
    EXPECT_NE(admin("info/two.list").find("/usr/bin/x"), std::string::npos);
}

TEST_F(Packages, HonoursDiversions) {
    write_file_atomically(
        root_ / "var/lib/dpkg/diversions", "/usr/bin/x\n/usr/bin/x.real\nother\n");
    database_.reload_diversions();
    const PackageFile toy = package("toy", {.files = {{"usr/bin/x", "1"}}});
    unpack({&toy});
    EXPECT_TRUE(fs::exists(root_ / "usr/bin/x.real"));
    EXPECT_FALSE(fs::exists(root_ / "usr/bin/x"));
}

TEST_F(Packages, ActivatesFileTriggersOfEarlierPackages) {
    const PackageFile watcher =
        package("watcher", {.scripts = {{"triggers", "interest-noawait /usr/share/things\n"}}});
    unpack({&watcher});
    EXPECT_EQ(admin("triggers/File"), "/usr/share/things watcher/noawait\n");
    const PackageFile thing = package("thing", {.files = {{"usr/share/things/a", "1"}}});
    const PackageFile other = package("other", {.files = {{"usr/share/thingsbox", "1"}}});
    unpack({&other});
    EXPECT_EQ(admin("triggers/Unincorp"), "");
    unpack({&thing});
    EXPECT_EQ(admin("triggers/Unincorp"), "/usr/share/things -\n");
}

TEST(DescribeDpkgFailure, NamesPackageScriptAndCode) {
    EXPECT_EQ(
        describe_dpkg_failure(
            "Setting up toy (1) ...\n"
            "dpkg: error processing package toy (--configure):\n"
            " installed toy package post-installation script subprocess returned error exit "
            "status 7\n"),
        "package 'toy': postinst failed with exit code 7");
    EXPECT_EQ(describe_dpkg_failure("all well\n"), "");
}

} // namespace
} // namespace kiln
