// SPDX-License-Identifier: MIT
#include "archive/archive_reader.hpp"
#include "base/error.hpp"
#include "base/io/file.hpp"
#include "debian/deb.hpp"
#include "support/make_deb.hpp"
#include "support/raw_tar.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

class Deb : public testing::Test {
  protected:
    TempDir dir_{temporary_root(), "kiln-test"};

    fs::path toy() {
        return make_deb(
            dir_.path(),
            {.control =
                 "Package: toy\nVersion: 1.2-3\nArchitecture: all\nDescription: toy\n more\n",
             .scripts = {{"postinst", "#!/bin/sh\n"}},
             .files = {{"etc/toy.conf", "a=1\n"}, {"usr/bin/toy", "#!/bin/sh\n"}}});
    }

    /// A package by hand: ar members as they are.
    fs::path raw(const std::vector<std::pair<std::string, std::string>>& members) {
        std::string bytes = "!<arch>\n";
        for (const auto& [name, content] : members) {
            bytes += fmt::format(
                "{:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", name, 0, 0, 0, 100644, content.size());
            bytes += content + (content.size() % 2 == 1 ? "\n" : "");
        }
        const fs::path path = dir_.path() / "raw.deb";
        write_file_atomically(path, bytes);
        return path;
    }

    /// What is said of a package with this control archive.
    std::string fault(const test::RawTar& control) {
        const fs::path path = raw({{"debian-binary", "2.0\n"}, {"control.tar", control.bytes()}});
        const std::string begin = "'" + path.string() + "' is damaged: ";
        const std::string message = message_of(path);
        return message.starts_with(begin) ? message.substr(begin.size()) : message;
    }

    static std::string message_of(const fs::path& path) {
        try {
            static_cast<void>(read_deb_control(path));
        } catch (const Error& error) {
            EXPECT_EQ(error.exit_code(), ExitCode::failed);
            return error.message();
        }
        return "no error";
    }
};

TEST_F(Deb, ReadsControlFieldsAndScripts) {
    const DebControl control = read_deb_control(toy());
    EXPECT_EQ(control.field("package"), "toy");
    EXPECT_EQ(control.field("Description"), "toy\n more");
    EXPECT_EQ(control.field("Essential"), "");
    EXPECT_EQ(control.files.at("postinst"), "#!/bin/sh\n");
}

TEST_F(Deb, GivesTheFilesOfTheDataArchive) {
    std::vector<std::string> paths;
    read_deb_data(toy(), [&](ArchiveReader& reader) {
        while (const auto member = reader.next()) {
            paths.push_back(member->path);
        }
    });
    EXPECT_NE(std::find(paths.begin(), paths.end(), "usr/bin/toy"), paths.end());
}

TEST_F(Deb, RefusesATruncatedPackage) {
    const fs::path path = toy();
    fs::resize_file(path, fs::file_size(path) - 40);
    EXPECT_EQ(
        message_of(path),
        "'" + path.string() + "' is damaged: truncated: 'data.tar.xz' is incomplete");
}

TEST_F(Deb, RefusesOtherFiles) {
    const fs::path path = dir_.path() / "x.deb";
    write_file_atomically(path, "PK..");
    EXPECT_EQ(message_of(path), "'" + path.string() + "' is not a Debian package");
    write_file_atomically(path, "!<arch>\n");
    EXPECT_EQ(
        message_of(path), "'" + path.string() + "' is damaged: member 'control.tar' is missing");
}

TEST_F(Deb, HasPlainFilesInItsControlArchiveOnly) {
    using test::RawTar;
    const auto no_file = [](const std::string& name) {
        return "'" + name + "' in the control archive is not a regular file";
    };
    EXPECT_EQ(fault(RawTar().directory("./").file("./control", "Package: x\n")), "no error");
    EXPECT_EQ(fault(RawTar().file("a/b")), no_file("a/b"));
    EXPECT_EQ(fault(RawTar().file(".hidden")), no_file(".hidden"));
    EXPECT_EQ(fault(RawTar().file("post inst")), no_file("post inst"));
    EXPECT_EQ(fault(RawTar().file("a\x1b[2J")), no_file("a\\x1b[2J"));
    EXPECT_EQ(fault(RawTar().symlink("control", "/etc/passwd")), no_file("control"));
    EXPECT_EQ(fault(RawTar().file("x").hard_link("control", "x")), no_file("control"));
    EXPECT_EQ(fault(RawTar().directory("control")), no_file("control"));
    EXPECT_EQ(
        fault(RawTar().file("../control")), "archive member has an invalid name '../control'");
    EXPECT_EQ(
        fault(RawTar().file("control", "1").file("control", "2")),
        "duplicate member 'control' in the control archive");
}

TEST_F(Deb, HasABoundedControlArchive) {
    using test::RawTar;
    EXPECT_EQ(
        fault(RawTar().file("control", std::string((1 << 20) + 1, 'x'))),
        "'control' in the control archive has 1.0 MiB, the limit is 1.0 MiB");
    EXPECT_EQ(
        fault(RawTar().sparse("postinst", std::uint64_t{1} << 34U)),
        "'postinst' in the control archive has 16.0 GiB, the limit is 16.0 MiB");
    RawTar many;
    for (int i = 0; i < 257; ++i) {
        many.file("f" + std::to_string(i));
    }
    EXPECT_EQ(fault(many), "too many members in the control archive");
    std::vector<std::pair<std::string, std::string>> members(17, {"m", ""});
    members[0].first = "debian-binary";
    const fs::path path = raw(members);
    EXPECT_EQ(message_of(path), "'" + path.string() + "' is damaged: too many members");
}

TEST_F(Deb, IsARegularFile) {
    EXPECT_EQ(message_of("/dev/zero"), "'/dev/zero' is not a regular file");
}

} // namespace
} // namespace kiln
