// SPDX-License-Identifier: MIT
#include "archive/archive_unpack.hpp"
#include "archive/tar_writer.hpp"
#include "base/error.hpp"
#include "support/expect_error.hpp"
#include "support/raw_tar.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace kiln {
namespace {

using namespace test;
using testing::HasSubstr;

Entry file(const std::string& text, std::uint32_t mode = 0644) {
    Entry out;
    out.mode = mode;
    out.mtime = 1'600'000'000;
    out.size = text.size();
    out.data = std::make_shared<const std::string>(text);
    return out;
}

Entry of_type(FileType type, const std::string& target = "") {
    Entry out;
    out.type = type;
    out.mode = 0700;
    out.mtime = 1'500'000'000;
    out.target = target;
    return out;
}

/// Unpacks into a folder beside another that nothing may touch.
class UnpackArchive : public testing::Test {
  protected:
    UnpackArchive() {
        fs::create_directory(folder());
        fs::create_directory(victim());
        write_file(victim() / "file", "precious");
    }

    ~UnpackArchive() override {
        EXPECT_EQ(read_text_file(victim() / "file"), "precious");
        EXPECT_EQ(std::distance(fs::directory_iterator(victim()), fs::directory_iterator()), 1);
        EXPECT_EQ(fs::hard_link_count(victim() / "file"), 1U);
        EXPECT_EQ(std::distance(fs::directory_iterator(dir_.path()), fs::directory_iterator()), 2);
    }

    [[nodiscard]] fs::path folder() const { return dir_.path() / "folder"; }

    [[nodiscard]] fs::path victim() const { return dir_.path() / "victim"; }

    void unpack_bytes(const std::string& bytes, const ArchiveLimits& limits = {}) {
        MemorySource source(as_byte_span(bytes));
        unpack_archive(source, "x.tar", folder(), limits);
    }

    void unpack(const std::vector<std::pair<std::string, Entry>>& members) {
        MemorySink tar;
        TarWriter writer(tar);
        for (const auto& [path, entry] : members) {
            writer.add(path, entry);
        }
        writer.finish();
        unpack_bytes(std::string(tar.text()));
    }

    std::string refusal(const RawTar& tar, const ArchiveLimits& limits = {}) {
        return message_of([&] { unpack_bytes(tar.bytes(), limits); });
    }

    struct stat status(const std::string& path) {
        struct stat out{};
        EXPECT_EQ(::lstat((folder() / path).c_str(), &out), 0) << path;
        return out;
    }

    TempDir dir_{temporary_root(), "kiln-test"};
};

TEST_F(UnpackArchive, KeepsTimesLinksAndWhetherFilesCanBeExecuted) {
    Entry same;
    same.hardlink_to = "a/run";
    unpack(
        {{"a", of_type(FileType::directory)},
         {"a/data", file("data", 0400)},
         {"a/run", file("run", 0711)},
         {"a/same", same},
         {"a/link", of_type(FileType::symlink, "/etc/passwd")}});
    EXPECT_EQ(read_text_file(folder() / "a/data"), "data");
    EXPECT_EQ(status("a/data").st_mode & 07777U, 0644U);
    EXPECT_EQ(status("a/run").st_mode & 07777U, 0755U);
    EXPECT_EQ(status("a/run").st_ino, status("a/same").st_ino);
    EXPECT_EQ(status("a").st_mode & 07777U, 0755U);
    EXPECT_EQ(fs::read_symlink(folder() / "a/link"), "/etc/passwd");
    EXPECT_EQ(status("a/data").st_mtime, 1'600'000'000);
    EXPECT_EQ(status("a/link").st_mtime, 1'500'000'000);
    EXPECT_EQ(status("a").st_mtime, 1'500'000'000);
}

TEST_F(UnpackArchive, MakesFoldersThatHaveNoMember) {
    unpack_bytes(RawTar().file("a/b/c", "deep").directory("a/b").directory("a").bytes());
    EXPECT_EQ(read_text_file(folder() / "a/b/c"), "deep");
    EXPECT_EQ(status("a/b").st_mode & 07777U, 0755U);
    EXPECT_EQ(status("a").st_mtime, 1'599'938'816);
}

TEST_F(UnpackArchive, WritesNothingBehindASymbolicLink) {
    EXPECT_EQ(
        refusal(RawTar().symlink("a", victim()).file("a/file")),
        "cannot unpack 'a/file' from 'x.tar': 'a' is not a directory");
    EXPECT_EQ(
        refusal(RawTar().symlink("b", victim()).file("b/deep/file")),
        "cannot unpack 'b/deep/file' from 'x.tar': 'b/deep' passes through a symbolic link");
    EXPECT_EQ(
        refusal(RawTar().symlink("c", "../victim").directory("c")),
        "cannot unpack 'c' from 'x.tar': the archive has more than one member with this name");
    EXPECT_EQ(
        refusal(RawTar().symlink("d", victim()).directory("d/new")),
        "cannot unpack 'd/new' from 'x.tar': 'd' is not a directory");
    EXPECT_EQ(
        refusal(RawTar().symlink("e", victim()).symlink("e/link", "x")),
        "cannot unpack 'e/link' from 'x.tar': 'e' is not a directory");
}

TEST_F(UnpackArchive, WritesNothingBehindAHardLinkToASymbolicLink) {
    EXPECT_EQ(
        refusal(RawTar().symlink("a", victim()).hard_link("b", "a").file("b/file")),
        "cannot unpack 'b' from 'x.tar': it is a hard link to 'a', which is not a regular file");
    EXPECT_FALSE(fs::exists(fs::symlink_status(folder() / "b")));
}

TEST_F(UnpackArchive, LinksNothingOfTheHost) {
    EXPECT_EQ(
        refusal(RawTar().symlink("a", victim()).hard_link("b", "a/file")),
        "cannot unpack 'b' from 'x.tar': 'a' is not a directory");
    EXPECT_EQ(
        refusal(RawTar().symlink("c", victim() / "file").hard_link("d", "c")),
        "cannot unpack 'd' from 'x.tar': it is a hard link to 'c', which is not a regular file");
    EXPECT_EQ(
        refusal(RawTar().hard_link("e", "../victim/file")),
        "archive member has an invalid name '../victim/file'");
    EXPECT_EQ(
        refusal(RawTar().hard_link("f", victim() / "file")),
        "archive member has an invalid name '" + (victim() / "file").string() + "'");
    EXPECT_EQ(
        refusal(RawTar().hard_link("g", "nothing")),
        "cannot unpack 'g' from 'x.tar': it is a hard link to 'nothing', which is not a regular "
        "file");
    EXPECT_EQ(
        refusal(RawTar().directory("h").hard_link("i", "h")),
        "cannot unpack 'i' from 'x.tar': it is a hard link to 'h', which is not a regular file");
}

TEST_F(UnpackArchive, RefusesNamesThatLeadOut) {
    for (const std::string& name :
         {std::string("../victim/file"),
          std::string("a/../../victim/file"),
          std::string(".."),
          (victim() / "file").string()}) {
        EXPECT_EQ(
            refusal(RawTar().file(name)), "archive member has an invalid name '" + name + "'");
    }
}

TEST_F(UnpackArchive, RefusesNamesThatOccurTwice) {
    const std::string twice =
        "cannot unpack 'a' from 'x.tar': the archive has more than one member with this name";
    EXPECT_EQ(refusal(RawTar().file("a", "1").file("a", "2")), twice);
    EXPECT_EQ(read_text_file(folder() / "a"), "1");
    EXPECT_EQ(refusal(RawTar().directory("a")), twice);
    EXPECT_EQ(refusal(RawTar().symlink("a", victim() / "file")), twice);
    EXPECT_EQ(refusal(RawTar().file("b").hard_link("a", "b")), twice);
    EXPECT_EQ(
        refusal(RawTar().file("a/b")), "cannot unpack 'a/b' from 'x.tar': 'a' is not a directory");
    EXPECT_EQ(
        refusal(RawTar().symlink("l", victim() / "file").file("l", "evil")),
        "cannot unpack 'l' from 'x.tar': the archive has more than one member with this name");
}

TEST_F(UnpackArchive, FollowsNoLinkThatWasThereBefore) {
    fs::create_directory_symlink(victim(), folder() / "old");
    EXPECT_EQ(
        refusal(RawTar().file("old/file", "evil")),
        "cannot unpack 'old/file' from 'x.tar': 'old' is not a directory");
}

TEST_F(UnpackArchive, RefusesDevicesAndPipes) {
    for (const char type : {'3', '4', '6'}) {
        EXPECT_EQ(
            refusal(RawTar().add({"dev", type, "", ""})),
            "cannot unpack 'dev' from 'x.tar': not a file, directory or link");
    }
    EXPECT_EQ(
        refusal(RawTar().file(".")),
        "cannot unpack '' from 'x.tar': the root of an archive must be a directory");
}

TEST_F(UnpackArchive, RefusesNamesThatNoFileSystemHolds) {
    const std::string name(300, 'n');
    EXPECT_THAT(
        refusal(RawTar().pax({{"path", name}}).file("x")),
        HasSubstr("archive member has a name of 300 bytes: 'nnn"));
    std::string deep;
    while (deep.size() < 100'000) {
        deep += "dddddddd/";
    }
    EXPECT_THAT(
        refusal(RawTar().pax({{"path", deep + "x"}}).file("x")),
        HasSubstr("archive member has a path of 100009 bytes: 'dddddddd/"));
    std::string levels;
    for (int i = 0; i < 300; ++i) {
        levels += "d/";
    }
    EXPECT_THAT(
        refusal(RawTar().pax({{"path", levels + "x"}}).file("x")),
        HasSubstr("archive member has more than 256 directories"));
    EXPECT_EQ(std::distance(fs::directory_iterator(folder()), fs::directory_iterator()), 0);
}

TEST_F(UnpackArchive, ShowsNamesWithoutTheirControlCharacters) {
    EXPECT_EQ(
        refusal(RawTar().add({"\x1b[2J\n", '3', "", ""})),
        "cannot unpack '\\x1b[2J\\x0a' from 'x.tar': not a file, directory or link");
}

TEST_F(UnpackArchive, CountsFoldersThatHaveNoMember) {
    ArchiveLimits limits;
    limits.members = 10;
    EXPECT_EQ(
        refusal(RawTar().file("a/b/c/d/e/f/g/h/i/j/k/l"), limits),
        "archive 'x.tar' has more than 10 members");
}

TEST_F(UnpackArchive, StopsWhereTheContentHasNoMeasure) {
    ArchiveLimits limits;
    limits.free_bytes = 1 << 20;
    limits.ratio = 100;
    const std::string zeros(1 << 20, '\0');
    RawTar tar;
    tar.add({"zeros", '0', "", "", "00400000000"}); // 64 MiB
    const std::string head = tar.bytes().substr(0, 512);
    EXPECT_THAT(
        message_of([&] { unpack_bytes(gzip_repeated(head, zeros, 65), limits); }),
        HasSubstr("archive 'x.tar' expands "));
    EXPECT_LT(fs::file_size(folder() / "zeros"), std::uintmax_t{8} << 20U);
}

} // namespace
} // namespace kiln
