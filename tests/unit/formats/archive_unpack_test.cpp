// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "formats/archive_unpack.hpp"
#include "formats/tar_writer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace kiln {
namespace {

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

class UnpackArchive : public testing::Test {
  protected:
    void unpack(const std::vector<std::pair<std::string, Entry>>& members) {
        MemorySink tar;
        TarWriter writer(tar);
        for (const auto& [path, entry] : members) {
            writer.add(path, entry);
        }
        writer.finish();
        MemorySource source(as_byte_span(tar.text()));
        unpack_archive(source, "x.tar", dir_.path());
    }

    std::string refusal(const std::vector<std::pair<std::string, Entry>>& members) {
        try {
            unpack(members);
        } catch (const Error& error) {
            return error.message();
        }
        return "unpacked";
    }

    struct stat status(const std::string& path) {
        struct stat out{};
        EXPECT_EQ(::lstat((dir_.path() / path).c_str(), &out), 0) << path;
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
    EXPECT_EQ(read_text_file(dir_.path() / "a/data"), "data");
    EXPECT_EQ(status("a/data").st_mode & 07777U, 0644U);
    EXPECT_EQ(status("a/run").st_mode & 07777U, 0755U);
    EXPECT_EQ(status("a/run").st_ino, status("a/same").st_ino);
    EXPECT_EQ(status("a").st_mode & 07777U, 0755U);
    EXPECT_EQ(fs::read_symlink(dir_.path() / "a/link"), "/etc/passwd");
    EXPECT_EQ(status("a/data").st_mtime, 1'600'000'000);
    EXPECT_EQ(status("a/link").st_mtime, 1'500'000'000);
    EXPECT_EQ(status("a").st_mtime, 1'500'000'000);
}

TEST_F(UnpackArchive, WritesNothingThroughLinks) {
    EXPECT_THAT(
        refusal({{"a", of_type(FileType::symlink, "/tmp")}, {"a/evil", file("x")}}),
        HasSubstr("'a/evil' of 'x.tar' lies behind a link"));
    Entry through;
    through.hardlink_to = "b/passwd";
    EXPECT_THAT(
        refusal({{"b", of_type(FileType::symlink, "/etc")}, {"c", through}}),
        HasSubstr("lies behind a link"));
    // A second member of the name of a link does not follow it either.
    EXPECT_NE(
        refusal({{"d", of_type(FileType::symlink, "/tmp/kiln-evil")}, {"d", file("x")}}),
        "unpacked");
    EXPECT_FALSE(fs::exists("/tmp/kiln-evil"));
}

TEST_F(UnpackArchive, RefusesDevices) {
    EXPECT_THAT(
        refusal({{"null", of_type(FileType::char_device)}}),
        HasSubstr("'null' of 'x.tar' is neither file, directory nor link"));
}

} // namespace
} // namespace kiln
