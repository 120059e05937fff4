// SPDX-License-Identifier: MIT
#include "archive/archive_reader.hpp"
#include "publish/digitalocean/prepared_disk.hpp"
#include "support/expect_error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace kiln {
namespace {

class PreparedDisk : public testing::Test {
  protected:
    SourceDisk disk(const std::string& name, ImageFormat format, const std::string& content) {
        const fs::path path = dir_.path() / name;
        write_file(path, content);
        return {path, format, sha256(content)};
    }

    UploadFile prepare(const SourceDisk& disk, const std::string& folder, unsigned jobs = 1) {
        fs::create_directories(dir_.path() / folder);
        return prepare_disk(disk, dir_.path() / folder, jobs, console_, processes_);
    }

    TempDir dir_{temporary_root(), "kiln-test"};
    std::ostringstream messages_;
    Console console_{messages_, {}};
    SystemProcessRunner processes_;
};

TEST_F(PreparedDisk, IsARawDiskWithGzipWhateverTheNumberOfThreads) {
    const std::string content = std::string(3'000'000, '\0') + "end";
    const SourceDisk raw = disk("shop.raw", ImageFormat::raw, content);
    const UploadFile one = prepare(raw, "a");
    EXPECT_EQ(one.name, "shop.img.gz");
    EXPECT_EQ(one.path, dir_.path() / "a/shop.img.gz");
    EXPECT_EQ(one.size, fs::file_size(one.path));
    EXPECT_EQ(one.digest, sha256_file(one.path.string()));
    EXPECT_EQ(std::distance(fs::directory_iterator(dir_.path() / "a"), {}), 1);
    FileSource file(one.path);
    DecompressSource source(file, "shop.img.gz");
    DigestSink digest;
    copy(source, digest);
    EXPECT_EQ(digest.size(), content.size());
    EXPECT_EQ(digest.digest(), raw.digest);
    EXPECT_EQ(prepare(raw, "b", 4).digest, one.digest);
}

TEST_F(PreparedDisk, IsAsItIsWhenItHasGzip) {
    const SourceDisk compressed = disk("shop.raw.gz", ImageFormat::raw_gz, "compressed");
    const UploadFile out = prepare(compressed, "a");
    EXPECT_EQ(out.name, "shop.img.gz");
    EXPECT_EQ(out.path, compressed.path);
    EXPECT_EQ(out.digest, compressed.digest);
    EXPECT_TRUE(fs::is_empty(dir_.path() / "a"));
}

TEST_F(PreparedDisk, IsNotMadeOfADiskThatHasChanged) {
    SourceDisk raw = disk("shop.raw", ImageFormat::raw, "one");
    write_file(raw.path, "two");
    EXPECT_THAT(
        test::message_of([&] { static_cast<void>(prepare(raw, "a")); }),
        testing::EndsWith("shop.raw' has changed since the publish began"));
    EXPECT_TRUE(fs::is_empty(dir_.path() / "a"));
    fs::remove(raw.path);
    EXPECT_THAT(
        test::message_of([&] { static_cast<void>(prepare(raw, "b")); }),
        testing::HasSubstr("No such file or directory"));
    EXPECT_TRUE(fs::is_empty(dir_.path() / "b"));
}

} // namespace
} // namespace kiln
