// SPDX-License-Identifier: MIT
//
// The same packages installed by dpkg into one root and by kiln's packages stage into another: the
// trees and dpkg's databases must be the same. Packages are made on the spot, without scripts, so
// that nothing has to run inside of the roots. Needs root, since dpkg sets owners.
#include "base/text.hpp"
#include "formats/deb822.hpp"
#include "stages/packages/installer.hpp"
#include "support/expect_error.hpp"
#include "support/make_deb.hpp"
#include "support/raw_tar.hpp"
#include "support/scan_tree.hpp"
#include "support/stage_world.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <set>

namespace kiln {
namespace {

/// The host's dpkg at work on a root, in place of the tree's own.
class DpkgOnRoot final : public ProcessRunner {
  public:
    explicit DpkgOnRoot(fs::path root) : root_(std::move(root)) {}

    ProcessResult run(const Command& command) override {
        Command outside = command;
        outside.args.insert(outside.args.begin(), "--root=" + root_.string());
        // Settings of the tree: dpkg reads those of its own root, and those of the home.
        const TempDir home(temporary_root(), "kiln-test");
        std::string settings;
        for (const auto& entry : fs::directory_iterator(root_ / "etc/dpkg/dpkg.cfg.d")) {
            settings += read_text_file(entry.path());
        }
        write_file_atomically(home.path() / ".dpkg.cfg", settings);
        outside.env = clean_environment();
        outside.env["HOME"] = home.path().string();
        return SystemProcessRunner().run(outside);
    }

  private:
    fs::path root_;
};

class DpkgDifferential : public testing::Test {
  protected:
    void SetUp() override {
        KILN_NEEDS_TOOL("dpkg");
        if (::geteuid() != 0) {
            GTEST_SKIP() << "dpkg sets owners, which needs root";
        }
        prepare([](const TreeRoot& tree) {
            tree.make_directories("etc/dpkg/dpkg.cfg.d");
            tree.make_directories("usr/sbin");
            tree.make_directories("var/log");
            tree.make_directories("tmp");
            tree.write_file("etc/hosts", "127.0.0.1 localhost\n", {});
            tree.write_file(
                "etc/passwd",
                "root:x:0:0::/root:/bin/sh\nwww-data:x:33:33::/:/bin/sh\ndaemon:x:1:1::/:/bin/sh\n",
                {});
            tree.write_file("etc/group", "root:x:0:\nadm:x:4:\nwww-data:x:33:\ndaemon:x:1:\n", {});
            for (const char* name : {"info", "updates", "triggers", "parts", "alternatives"}) {
                tree.make_directories(std::string("var/lib/dpkg/") + name);
            }
            for (const char* name : {"status", "available", "triggers/File", "triggers/Unincorp"}) {
                tree.write_file(std::string("var/lib/dpkg/") + name, "", {});
            }
            tree.write_file("var/lib/dpkg/info/format", "1\n", {});
        });
    }

    void prepare(const std::function<void(const TreeRoot&)>& change) {
        change(ours_);
        change(theirs_);
    }

    static std::string control(const std::string& name, const std::string& more) {
        return "Package: " + name +
               "\nVersion: 1\nArchitecture: all\nMaintainer: M <m@example.org>\n" +
               "Description: toy\n" + more;
    }

    fs::path deb(const std::string& name, ToyDeb toy) {
        toy.control = control(name, toy.control);
        return make_deb(world_.dir.path(), toy);
    }

    fs::path raw_deb(const std::string& name, const test::RawTar& data, ToyDeb toy = {}) {
        toy.control = control(name, toy.control);
        return make_raw_deb(world_.dir.path(), toy, data.bytes());
    }

    /// What kiln says of the installation.
    std::string install_ours(const std::vector<fs::path>& debs) {
        DpkgOnRoot dpkg(world_.root);
        StageContext context{
            .tree = ours_,
            .settings = world_.settings,
            .sandbox = dpkg,
            .console = world_.console,
            .job = world_.job,
            .kept_times = world_.times,
            .jobs = 2};
        std::vector<PackageFile> packages;
        for (const fs::path& path : debs) {
            packages.push_back(read_package(path));
        }
        return test::message_of([&] { install_packages(std::move(packages), context); });
    }

    /// What dpkg says of it; "no error" when it succeeds.
    std::string install_theirs(const std::vector<fs::path>& debs) {
        Command unpack{"dpkg", {"--unpack"}};
        for (const fs::path& path : debs) {
            unpack.args.push_back(path.string());
        }
        DpkgOnRoot dpkg(dir_theirs_);
        for (const Command& command : {unpack, Command{"dpkg", {"--configure", "-a"}}}) {
            const ProcessResult result = dpkg.run(command);
            if (!result.ok()) {
                return result.output;
            }
        }
        return "no error";
    }

    void install(const std::vector<fs::path>& debs) {
        EXPECT_EQ(install_theirs(debs), "no error");
        EXPECT_EQ(install_ours(debs), "no error");
    }

    /// Both refuse; returns kiln's words.
    std::string refused(const std::vector<fs::path>& debs) {
        EXPECT_NE(install_theirs(debs), "no error");
        return install_ours(debs);
    }

    static std::vector<std::string> sorted_lines(const fs::path& path) {
        auto lines = split_lines(read_text_file(path));
        std::sort(lines.begin(), lines.end());
        return lines;
    }

    /// A line for each path: all that packages decide about it.
    static std::vector<std::string> lines_of(const fs::path& root) {
        static const std::set<std::string, std::less<>> kElsewhere{
            "var/lib/dpkg/status", "var/lib/dpkg/triggers/File"};
        std::vector<std::string> out;
        const FileTree tree = test::scan_tree(root, test::Contents::digested);
        for (const auto& [path, entry] : tree.entries()) {
            const bool is_lock = path.ends_with("/lock") || path.ends_with("/Lock") ||
                                 path.ends_with("-frontend") || path.ends_with("-old") ||
                                 path.ends_with("dpkg.log");
            if (is_lock || kElsewhere.contains(path)) {
                continue;
            }
            out.push_back(fmt::format(
                "/{} {} {:o} {}:{} {} {} {} {}",
                path,
                type_letter(entry.type),
                entry.mode,
                entry.uid,
                entry.gid,
                entry.target,
                entry.hardlink_to,
                entry.type == FileType::directory || path.starts_with("var/lib/dpkg/") ||
                        path.starts_with("etc/")
                    ? 0
                    : entry.mtime,
                entry.type == FileType::regular ? entry.content.hex() : ""));
        }
        return out;
    }

    static std::vector<std::string> stanzas_of(const fs::path& root) {
        std::vector<std::string> out;
        const std::string text = read_text_file(root / "var/lib/dpkg/status");
        for (const Deb822Paragraph& paragraph : parse_deb822(text, "status")) {
            auto lines = split_lines(paragraph.to_string());
            std::sort(lines.begin(), lines.end());
            out.push_back(join(lines, "\n"));
        }
        return out;
    }

    /// Lines of either that the other does not have.
    static std::string
    differences(const std::vector<std::string>& ours, const std::vector<std::string>& theirs) {
        std::string out;
        for (const std::string& line : ours) {
            out += std::count(theirs.begin(), theirs.end(), line) == 0 ? "kiln " + line + "\n" : "";
        }
        for (const std::string& line : theirs) {
            out += std::count(ours.begin(), ours.end(), line) == 0 ? "dpkg " + line + "\n" : "";
        }
        return out;
    }

    void expect_same() {
        EXPECT_EQ(differences(lines_of(world_.root), lines_of(dir_theirs_)), "");
        for (const std::string& name : ours_.names("var/lib/dpkg/info")) {
            const std::string path = "var/lib/dpkg/info/" + name;
            EXPECT_EQ(ours_.read_text(path), theirs_.read_text(path)) << name;
        }
        EXPECT_EQ(differences(stanzas_of(world_.root), stanzas_of(dir_theirs_)), "");
        const char* triggers = "var/lib/dpkg/triggers/File";
        EXPECT_EQ(
            differences(sorted_lines(world_.root / triggers), sorted_lines(dir_theirs_ / triggers)),
            "");
    }

    test::StageWorld world_;
    fs::path dir_theirs_ = world_.dir.path() / "theirs";
    const TreeRoot& ours_ = world_.tree;
    TreeRoot theirs_{(fs::create_directories(dir_theirs_), dir_theirs_)};
};

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
        "'/var/lib/dpkg/statoverride' of the tree has 'nobody-here adm 4750 /usr/bin/at': the tree "
        "has no user 'nobody-here'");
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
        "'/usr/x' is a hard link to 'usr/doc/x', which the package does not hold before it");
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
        "it would overwrite '/usr/bin/x', which is in package 'vr-b'");
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
        "it would overwrite '/usr/bin/x', which is in package 'diverted'");
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
        "'/opt/app/file' has no folder: neither the package before it nor the tree has '/opt/app'");
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
        "it would overwrite '/opt/x', which is in package 'file'");
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
