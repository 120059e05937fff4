// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "base/file.hpp"
#include "formats/archive_reader.hpp"
#include "formats/deb.hpp"
#include "support/make_deb.hpp"

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

    static std::string message_of(const fs::path& path) {
        try {
            static_cast<void>(read_deb_control(path));
        } catch (const Error& error) {
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
        "'" + path.string() + "' is damaged: it is truncated: 'data.tar.xz' is not whole");
}

TEST_F(Deb, RefusesOtherFiles) {
    const fs::path path = dir_.path() / "x.deb";
    write_file_atomically(path, "PK..");
    EXPECT_EQ(message_of(path), "'" + path.string() + "' is not a Debian package");
    write_file_atomically(path, "!<arch>\n");
    EXPECT_EQ(
        message_of(path), "'" + path.string() + "' is damaged: it has no 'control.tar' member");
}

} // namespace
} // namespace kiln
