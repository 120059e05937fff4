// SPDX-License-Identifier: MIT
//
// Rules of dpkg, each held against dpkg itself.
#include "unit/stages/dpkg_differential.hpp"

namespace kiln {
namespace {

using test::DpkgDifferential;

TEST_F(DpkgDifferential, PlainPackagesWithConffilesAndTriggers) {
    install(
        {deb("one",
             {.control = "Depends: two\n",
              .scripts = {{"conffiles", "/etc/one.conf\n"}},
              .files = {{"etc/one.conf", "a\n"}, {"usr/bin/one", "1"}}}),
         deb("two",
             {.scripts = {{"triggers", "interest-noawait /usr/share/things\n"}},
              .files = {{"usr/share/two/x", "2"}}}),
         deb("three", {.files = {{"usr/share/things/x", "3"}}})});
    expect_same();
}

TEST_F(DpkgDifferential, OverridesOfOwnerAndMode) {
    prepare([](const TreeRoot& tree) {
        tree.write_file(
            "var/lib/dpkg/statoverride",
            "root adm 4750 /usr/bin/at\nwww-data adm 2770 /usr/lib/dir\n#33 #4 600 /etc/a.conf\n"
            "daemon daemon 777 /usr/bin/link\nroot adm 0640 /usr/lib/first\n",
            {});
    });
    test::RawTar data;
    data.directory("./").directory("./etc/").directory("./usr/").directory("./usr/bin/");
    data.add({.name = "./usr/bin/at", .mode = 06755, .uid = 1, .gid = 1});
    data.file("./etc/a.conf").symlink("./usr/bin/link", "at").directory("./usr/lib/");
    data.directory("./usr/lib/dir/").file("./usr/lib/first");
    data.hard_link("./usr/lib/second", "./usr/lib/first");
    install({raw_deb("at", data, {.scripts = {{"conffiles", "/etc/a.conf\n"}}})});
    expect_same();
    const auto info = ours_.look("usr/bin/at");
    ASSERT_TRUE(info);
    EXPECT_EQ(info->st_mode & 07777U, 04750U);
    EXPECT_EQ(info->st_gid, 4U);
}

TEST_F(DpkgDifferential, AnOverrideForAnUnknownUserIsRefused) {
    prepare([](const TreeRoot& tree) {
        tree.write_file("var/lib/dpkg/statoverride", "nobody-here adm 4750 /usr/bin/at\n", {});
    });
    EXPECT_EQ(
        refused({deb("at", {.files = {{"usr/bin/at", "x"}}})}),
        "invalid line in '/var/lib/dpkg/statoverride': 'nobody-here adm 4750 /usr/bin/at': user "
        "'nobody-here' does not exist in the tree");
}

TEST_F(DpkgDifferential, PathsThatTheAdministratorExcludes) {
    prepare([](const TreeRoot& tree) {
        tree.write_file(
            "etc/dpkg/dpkg.cfg.d/docs",
            "# no documentation\npath-exclude=/usr/share/doc/*\n"
            "path-include  \"/usr/share/doc/*/copyright\"\npath-exclude /usr/share/man/*\n"
            "path-exclude=/etc/gone.conf\n",
            {});
    });
    test::RawTar data;
    for (const char* folder :
         {"./",
          "./etc/",
          "./usr/",
          "./usr/share/",
          "./usr/share/doc/",
          "./usr/share/doc/a/",
          "./usr/share/doc/a/more/",
          "./usr/share/man/",
          "./usr/share/man/man1/"}) {
        data.directory(folder);
    }
    data.file("./etc/gone.conf")
        .file("./usr/share/doc/a/README")
        .file("./usr/share/doc/a/copyright");
    data.file("./usr/share/doc/a/more/x").symlink("./usr/share/doc/a/link", "copyright");
    data.file("./usr/share/man/man1/a.1").symlink("./usr/share/man/man1/b.1", "a.1");
    install({raw_deb("a", data, {.scripts = {{"conffiles", "/etc/gone.conf\n"}}})});
    expect_same();
    EXPECT_TRUE(ours_.exists("usr/share/doc/a/copyright"));
    EXPECT_FALSE(ours_.exists("usr/share/doc/a/README"));
}

TEST_F(DpkgDifferential, AHardLinkToAnExcludedFileIsRefused) {
    prepare([](const TreeRoot& tree) {
        tree.write_file("etc/dpkg/dpkg.cfg.d/docs", "path-exclude=/usr/doc/*\n", {});
    });
    test::RawTar data;
    data.directory("./").directory("./usr/").directory("./usr/doc/").file("./usr/doc/x");
    data.hard_link("./usr/x", "./usr/doc/x");
    EXPECT_EQ(
        refused({raw_deb("a", data)}),
        "'/usr/x' is a hard link to 'usr/doc/x', which is not an earlier file in the package");
}

TEST_F(DpkgDifferential, NamesOfOwnersWinOverNumbers) {
    test::RawTar data;
    data.directory("./").directory("./srv/");
    data.add({.name = "./srv/file", .uid = 998, .gid = 997, .user = "www-data", .group = "adm"});
    data.add({.name = "./srv/unknown", .uid = 998, .gid = 997, .user = "web", .group = "web"});
    data.add(
        {.name = "./srv/dir/",
         .type = '5',

         .mode = 0750,
         .uid = 998,
         .user = "www-data",
         .group = "web"});
    install({raw_deb("a", data)});
    expect_same();
    EXPECT_EQ(ours_.look("srv/file")->st_uid, 33U);
    EXPECT_EQ(ours_.look("srv/file")->st_gid, 4U);
    EXPECT_EQ(ours_.look("srv/unknown")->st_uid, 998U);
}

TEST_F(DpkgDifferential, ReplacesInEitherOrder) {
    const fs::path replacing =
        deb("zz-new", {.control = "Replaces: aa-old\n", .files = {{"usr/bin/x", "new"}}});
    const fs::path replaced =
        deb("aa-old", {.files = {{"usr/bin/x", "old"}, {"usr/bin/y", "old"}}});
    install({replacing, replaced});
    expect_same();
    EXPECT_EQ(ours_.read_text("usr/bin/x"), "new");
}

TEST_F(DpkgDifferential, ReplacesOfAPackageOfAnEarlierStage) {
    install({deb("zz-new", {.control = "Replaces: aa-old\n", .files = {{"usr/bin/x", "new"}}})});
    install({deb("aa-old", {.files = {{"usr/bin/x", "old"}}})});
    expect_same();
    EXPECT_EQ(ours_.read_text("usr/bin/x"), "new");
}

TEST_F(DpkgDifferential, ReplacesTakesOverFromAnEarlierStage) {
    install({deb("aa-old", {.files = {{"usr/bin/x", "old"}, {"usr/bin/y", "old"}}})});
    install({deb("zz-new", {.control = "Replaces: aa-old\n", .files = {{"usr/bin/x", "new"}}})});
    expect_same();
    EXPECT_EQ(ours_.read_text("usr/bin/x"), "new");
}

TEST_F(DpkgDifferential, ReplacesOfCertainVersions) {
    const fs::path old = deb("vr-b", {.files = {{"usr/bin/x", "b"}}}); // version 1
    install({old});
    EXPECT_EQ(
        refused(
            {deb("vr-a", {.control = "Replaces: vr-b (<< 1)\n", .files = {{"usr/bin/x", "a"}}})}),
        "trying to overwrite '/usr/bin/x', which is also in package 'vr-b'");
}

TEST_F(DpkgDifferential, ReplacesOfTheVersionThatIsThere) {
    install(
        {deb("vr-b", {.files = {{"usr/bin/x", "b"}, {"usr/bin/y", "b"}}}),
         deb("vr-a", {.control = "Replaces: vr-b (<= 1)\n", .files = {{"usr/bin/x", "a"}}})});
    expect_same();
}

TEST_F(DpkgDifferential, AnAdministratorMayLetPackagesOverwrite) {
    prepare([](const TreeRoot& tree) {
        tree.write_file("etc/dpkg/dpkg.cfg.d/force", "force-overwrite\n", {});
    });
    install(
        {deb("a", {.files = {{"usr/bin/x", "a"}, {"usr/bin/y", "a"}}}),
         deb("b", {.files = {{"usr/bin/x", "b"}}})});
    expect_same();
}

TEST_F(DpkgDifferential, Diversions) {
    prepare([](const TreeRoot& tree) {
        tree.write_file(
            "var/lib/dpkg/diversions",
            "/usr/bin/x\n/usr/bin/x.real\ndiverter\n/usr/bin/l\n/usr/bin/l.dist\n:\n",
            {});
    });
    install(
        {deb("diverted", {.files = {{"usr/bin/x", "theirs"}, {"usr/bin/l", "l"}}}),
         deb("diverter", {.files = {{"usr/bin/x", "mine"}}})});
    expect_same();
    EXPECT_EQ(ours_.read_text("usr/bin/x"), "mine");
    EXPECT_EQ(
        refused({deb("third", {.files = {{"usr/bin/x", "third"}}})}),
        "trying to overwrite '/usr/bin/x', which is also in package 'diverted'");
}

TEST_F(DpkgDifferential, NamedPipes) {
    test::RawTar data;
    data.directory("./").directory("./run/");
    data.add({.name = "./run/pipe", .type = '6', .mode = 0620, .gid = 4, .group = "adm"});
    install({raw_deb("pipe", data)});
    expect_same();
    const auto info = ours_.look("run/pipe");
    ASSERT_TRUE(info);
    EXPECT_TRUE(S_ISFIFO(info->st_mode));
}

TEST_F(DpkgDifferential, AFileWithoutAnEntryForItsFolderIsRefused) {
    test::RawTar data;
    data.directory("./").file("./opt/app/file");
    EXPECT_EQ(
        refused({raw_deb("nf", data)}),
        "parent directory of '/opt/app/file' is missing: '/opt/app' is not in the package or the "
        "tree");
}

TEST_F(DpkgDifferential, FoldersAndLinksInEachOthersPlace) {
    prepare([](const TreeRoot& tree) {
        tree.make_directories("opt/was-folder");
        tree.write_file("opt/was-folder/mine", "x", {});
        tree.write_file("opt/was-file", "x", {});
        tree.make_directories("opt/kept");
        tree.write_file("opt/kept/mine", "x", {});
        tree.make_link("opt/same", "kept", {});
        tree.make_link("opt/dangling", "nowhere", {});
        tree.make_link("opt/linked", "kept", {});
    });
    test::RawTar data;
    data.directory("./").directory("./opt/").file("./opt/was-folder");
    data.directory("./opt/was-file/").symlink("./opt/kept", "elsewhere");
    data.symlink("./opt/same", "./kept").directory("./opt/dangling/").directory("./opt/linked/");
    data.file("./opt/linked/new");
    install({raw_deb("swap", data)});
    expect_same();
}

TEST_F(DpkgDifferential, AFolderInPlaceOfAnotherPackagesFileIsRefused) {
    install({deb("file", {.files = {{"opt/x", "x"}}})});
    EXPECT_EQ(
        refused({deb("folder", {.files = {{"opt/x/y", "x"}}})}),
        "trying to overwrite '/opt/x', which is also in package 'file'");
}

TEST_F(DpkgDifferential, APackageThatWasRemovedOwnsNothing) {
    prepare([](const TreeRoot& tree) {
        tree.write_file(
            "var/lib/dpkg/status",
            "Package: gone\nStatus: deinstall ok config-files\nMaintainer: M <m@example.org>\n"
            "Architecture: all\nVersion: 1\n"
            "Conffiles:\n /etc/x.conf 9dd4e461268c8034f5c8564e155c67a6\nDescription: toy\n\n",
            {});
        tree.write_file("var/lib/dpkg/info/gone.list", "/etc/x.conf\n", {});
    });
    install({deb("new", {.files = {{"etc/x.conf", "new"}}})});
    expect_same();
}

} // namespace
} // namespace kiln
