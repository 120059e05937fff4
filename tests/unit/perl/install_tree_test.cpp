// SPDX-License-Identifier: MIT
#include "archive/tar_writer.hpp"
#include "base/error.hpp"
#include "perl/install_tree.hpp"
#include "support/make_deb.hpp"
#include "tree/tree_scan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const PerlLayout kPerl{"/opt/perl", "5.40.1"};

class InstallTree : public testing::Test {
  protected:
    void put(const std::string& path, unsigned mode = 0444) {
        fs::create_directories((root() / path).parent_path());
        write_file(root() / path, "x", mode);
    }

    [[nodiscard]] std::vector<std::string> files() const {
        std::vector<std::string> out;
        for (const auto& entry : fs::recursive_directory_iterator(root())) {
            out.push_back(fs::relative(entry.path(), root()).string());
        }
        std::sort(out.begin(), out.end());
        return out;
    }

    [[nodiscard]] const fs::path& root() const { return dir_.path(); }

    [[nodiscard]] unsigned mode(const std::string& path) const {
        return static_cast<unsigned>(fs::status(root() / path).permissions());
    }

  private:
    TempDir dir_{temporary_root(), "kiln-test"};
};

TEST_F(InstallTree, IsCleanedOfWhatAnImageDoesNotNeed) {
    put("lib/Foo.pm");
    put("lib/Foo.pod");
    put("lib/pods/perldiag.pod");
    put("lib/pods/perlfunc.pod");
    put("lib/auto/Foo/.packlist");
    put("lib/auto/Foo/Foo.bs");
    put("lib/auto/Foo/Foo.so", 0555);
    put("lib/perllocal.pod");
    put("lib/CORE/libperl.a");
    put("bin/foo", 0555);
    clean_installed_tree(root());
    EXPECT_THAT(
        files(),
        ElementsAre(
            "bin",
            "bin/foo",
            "lib",
            "lib/Foo.pm",
            "lib/auto",
            "lib/auto/Foo",
            "lib/auto/Foo/Foo.so",
            "lib/pods",
            "lib/pods/perldiag.pod"));
    EXPECT_EQ(mode("lib/Foo.pm"), 0644U);
    EXPECT_EQ(mode("bin/foo"), 0755U);
    EXPECT_EQ(mode("lib"), 0755U);
}

TEST_F(InstallTree, TellsWhatLiesOutsideOfThePrefix) {
    put("opt/perl/bin/perl");
    put("opt/perl5/bin/perl");
    put("zipdetails.0");
    fs::create_directories(root() / "srv/empty");
    fs::create_directory_symlink("/opt/perl", root() / "opt/link");
    EXPECT_THAT(
        files_outside_prefix(scan_tree(root(), {}), "/opt/perl"),
        ElementsAre("/opt/link", "/opt/perl5/bin/perl", "/zipdetails.0"));
    EXPECT_THAT(files_outside_prefix(scan_tree(root() / "opt/perl", {}), "/bin"), ElementsAre());
}

TEST_F(InstallTree, GetsAPackagesModulesAndPrograms) {
    const fs::path deb = make_deb(
        root(),
        {.control = "Package: libfoo-perl\nVersion: 1\nArchitecture: all\n",
         .files = {
             {"usr/share/perl5/Foo/Bar.pm", "package Foo::Bar;\n"},
             {"usr/bin/foo", "#!/usr/bin/perl -w\nprint 1;\n"},
             {"usr/bin/other", "#!/bin/sh\n"},
             {"usr/share/doc/libfoo-perl/copyright", "free\n"}}});
    const fs::path out = root() / "out";
    fs::create_directory(out);
    install_perl_package(deb, kPerl, out);
    EXPECT_EQ(
        read_text_file(out / "opt/perl/lib/site_perl/5.40.1/Foo/Bar.pm"), "package Foo::Bar;\n");
    EXPECT_EQ(read_text_file(out / "opt/perl/bin/foo"), "#!/opt/perl/bin/perl -w\nprint 1;\n");
    EXPECT_EQ(read_text_file(out / "opt/perl/bin/other"), "#!/bin/sh\n");
    EXPECT_FALSE(fs::exists(out / "usr"));
    EXPECT_EQ(mode("out/opt/perl/bin/foo"), 0755U);
}

TEST_F(InstallTree, NeedsOneTopFolder) {
    const fs::path tar = root() / "x.tar";
    const auto write = [&](const std::vector<std::string>& names) {
        AtomicFile file(tar);
        TarWriter writer(file);
        for (const std::string& name : names) {
            Entry entry;
            entry.data = std::make_shared<const std::string>();
            writer.add(name, entry);
        }
        writer.finish();
        file.commit();
    };
    fs::create_directory(root() / "one");
    fs::create_directory(root() / "two");
    write({"Foo-1/Makefile.PL", "Foo-1/lib/Foo.pm"});
    EXPECT_EQ(unpack_tarball(tar, "x.tar", root() / "one"), "Foo-1");
    write({"Foo-1/Makefile.PL", "Bar-1/x"});
    try {
        static_cast<void>(unpack_tarball(tar, "x.tar", root() / "two"));
        FAIL() << "was unpacked";
    } catch (const Error& error) {
        EXPECT_THAT(
            error.message(), HasSubstr("'x.tar' does not have a single top-level directory"));
    }
}

TEST(PerlPhases, MakeNoManualPagesAndUseEveryJob) {
    const auto phases = perl_phases(kPerl, 3);
    ASSERT_EQ(phases.size(), 5U);
    EXPECT_EQ(phases[1].name, "configure");
    EXPECT_EQ(phases[1].command.env.at("MAKEFLAGS"), "--jobs=3");
    EXPECT_THAT(phases[2].command.args, ElementsAre("--jobs=3"));
    EXPECT_EQ(phases[3].name, "install");
    EXPECT_THAT(
        phases[3].command.args,
        ElementsAre("--jobs=3", "install.perl", "DESTDIR=/run/kiln/build/out"));
}

TEST(DistributionPhases, SeeTheirLibrariesAndNothingElse) {
    const auto phases =
        distribution_phases(BuildTool::makefile, kPerl, {"/run/kiln/needs/0/lib", "/run/x"});
    ASSERT_EQ(phases.size(), 4U);
    EXPECT_EQ(phases[0].makes, "Makefile");
    for (const BuildPhase& phase : phases) {
        EXPECT_EQ(phase.command.env.at("PERL5LIB"), "/run/kiln/needs/0/lib:/run/x");
        EXPECT_TRUE(phase.command.env.at("PATH").starts_with("/opt/perl/bin:"));
    }
    EXPECT_THAT(phases[2].command.args, ElementsAre("pure_install", "DESTDIR=/run/kiln/build/out"));
    EXPECT_EQ(distribution_phases(BuildTool::build_script, kPerl, {})[0].makes, "Build");
    EXPECT_TRUE(distribution_phases(BuildTool::none, kPerl, {}).empty());
}

} // namespace
} // namespace kiln
