// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "base/io/file.hpp"
#include "perl/package.hpp"
#include "support/make_deb.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

class PerlPackages : public testing::Test {
  protected:
    PerlPackage read(const std::string& architecture, std::map<std::string, std::string> files) {
        return read_perl_package(make_deb(
            dir_.path(),
            {.control = "Package: libfoo-bar-perl\nVersion: 1.5-2\nArchitecture: " + architecture +
                        "\nDepends: perl:any, libbaz-perl (>= 2) | perl (>= 5.40)\n",
             .files = std::move(files)}));
    }

  private:
    TempDir dir_{temporary_root(), "kiln-test"};
};

TEST_F(PerlPackages, TellTheirModulesAndWhatTheyDependOn) {
    const PerlPackage package = read(
        "all",
        {{"usr/share/perl5/Foo/Bar.pm", "package Foo::Bar;\nour $VERSION = '1.5';\n"},
         {"usr/share/doc/libfoo-bar-perl/examples/X.pm", "package X;\n"},
         {"usr/bin/foobar", "#!/usr/bin/perl\n"}});
    EXPECT_EQ(package.distribution.name, "libfoo-bar-perl");
    EXPECT_EQ(package.distribution.version, "1.5-2");
    EXPECT_EQ(package.distribution.tool, BuildTool::none);
    EXPECT_THAT(package.distribution.modules, ElementsAre(Pair("Foo::Bar", "1.5")));
    EXPECT_THAT(
        package.depends, ElementsAre(Alternatives{"perl"}, Alternatives{"libbaz-perl", "perl"}));
}

TEST_F(PerlPackages, AreRefusedWhenTheyAreCompiledForAnotherPerl) {
    EXPECT_THROW(static_cast<void>(read("amd64", {})), Error);
}

TEST(PackagePlace, KnowsModulesAndPrograms) {
    EXPECT_EQ(place_of_package_file("usr/share/perl5/A/B.pm").path, "A/B.pm");
    EXPECT_EQ(place_of_package_file("usr/share/perl5/A/B.pm").kind, PackagePlace::Kind::module);
    EXPECT_EQ(place_of_package_file("usr/bin/starman").kind, PackagePlace::Kind::program);
    EXPECT_EQ(place_of_package_file("usr/share/man/man1/x.gz").kind, PackagePlace::Kind::none);
}

class MembersFor : public testing::Test {
  protected:
    static std::vector<std::string>
    find(const std::vector<Alternatives>& depends, std::vector<std::string>& faults) {
        BundleMember named; // by its Debian name
        named.name = "io-stringy";
        named.distribution.name = "IO-stringy";
        BundleMember other;
        other.name = "Foo-Bar-1.tar.gz";
        other.distribution.name = "Foo-Bar";
        return members_for(depends, "starman", {named, other}, {{"File::Temp", ""}}, faults);
    }
};

TEST_F(MembersFor, MatchesDistributionsByTheirDebianNames) {
    std::vector<std::string> faults;
    EXPECT_THAT(
        find({{"libio-stringy-perl"}, {"libother-perl", "libfoo-bar-perl"}}, faults),
        ElementsAre("io-stringy", "Foo-Bar-1.tar.gz"));
    EXPECT_THAT(faults, IsEmpty());
}

TEST_F(MembersFor, NeedsNoMemberForPerlItself) {
    std::vector<std::string> faults;
    EXPECT_THAT(
        find({{"perl"}, {"libfile-temp-perl"}, {"libnew-perl", "perl"}, {"mime-support"}}, faults),
        IsEmpty());
    EXPECT_THAT(faults, IsEmpty());
}

TEST_F(MembersFor, NamesLibrariesThatTheBundleLacks) {
    std::vector<std::string> faults;
    EXPECT_THAT(find({{"libgone-perl"}}, faults), IsEmpty());
    EXPECT_THAT(
        faults,
        ElementsAre("starman requires libgone-perl, which no distribution in the bundle provides"));
}

} // namespace
} // namespace kiln
