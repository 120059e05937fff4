// SPDX-License-Identifier: MIT
//
// The same packages installed by dpkg into one root and by kiln's packages stage into another: the
// trees and dpkg's databases must be the same. Packages are made on the spot, without scripts, so
// that nothing has to run inside of the roots. Needs root, since dpkg sets owners.
#pragma once

#include "base/text.hpp"
#include "debian/deb822.hpp"
#include "stages/packages/installer.hpp"
#include "support/expect_error.hpp"
#include "support/make_deb.hpp"
#include "support/raw_tar.hpp"
#include "support/scan_tree.hpp"
#include "support/stage_fixture.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <set>

namespace kiln::test {

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
        return make_deb(fixture_.dir.path(), toy);
    }

    fs::path raw_deb(const std::string& name, const test::RawTar& data, ToyDeb toy = {}) {
        toy.control = control(name, toy.control);
        return make_raw_deb(fixture_.dir.path(), toy, data.bytes());
    }

    /// What kiln says of the installation.
    std::string install_ours(const std::vector<fs::path>& debs) {
        DpkgOnRoot dpkg(fixture_.root);
        StageContext context{
            .tree = ours_,
            .settings = fixture_.settings,
            .sandbox = dpkg,
            .console = fixture_.console,
            .job = fixture_.job,
            .kept_times = fixture_.times,
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
        EXPECT_EQ(differences(lines_of(fixture_.root), lines_of(dir_theirs_)), "");
        for (const std::string& name : ours_.names("var/lib/dpkg/info")) {
            const std::string path = "var/lib/dpkg/info/" + name;
            EXPECT_EQ(ours_.read_text(path), theirs_.read_text(path)) << name;
        }
        EXPECT_EQ(differences(stanzas_of(fixture_.root), stanzas_of(dir_theirs_)), "");
        const char* triggers = "var/lib/dpkg/triggers/File";
        EXPECT_EQ(
            differences(
                sorted_lines(fixture_.root / triggers), sorted_lines(dir_theirs_ / triggers)),
            "");
    }

    test::StageFixture fixture_;
    fs::path dir_theirs_ = fixture_.dir.path() / "theirs";
    const TreeRoot& ours_ = fixture_.tree;
    TreeRoot theirs_{(fs::create_directories(dir_theirs_), dir_theirs_)};
};

} // namespace kiln::test
