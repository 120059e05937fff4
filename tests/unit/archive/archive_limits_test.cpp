// SPDX-License-Identifier: MIT
//
// Archives whose few bytes represent much: reading them is bounded, and says why it ends.
#include "archive/archive_reader.hpp"
#include "oci/oci_layer_reader.hpp"
#include "support/expect_error.hpp"
#include "support/raw_tar.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

using namespace test;
using testing::HasSubstr;
using testing::StartsWith;

/// Reads everything; returns the number of members.
std::size_t read_all(std::string_view bytes, const ArchiveLimits& limits = {}) {
    MemorySource source(as_byte_span(bytes));
    ArchiveBudget budget(limits);
    ArchiveReader reader(source, "x", ArchiveFilters::detect, &budget);
    std::size_t count = 0;
    while (reader.next()) {
        NullSink sink;
        copy(reader.content(), sink);
        ++count;
    }
    return count;
}

std::string refusal(std::string_view bytes, const ArchiveLimits& limits = {}) {
    return message_of([&] { static_cast<void>(read_all(bytes, limits)); });
}

TEST(ArchiveLimits, RefuseASparseMemberOfFourExbibytes) {
    const std::string tar = RawTar().sparse("huge", std::uint64_t{4} << 60U).bytes();
    EXPECT_EQ(
        refusal(tar), "archive 'x' has a member 'huge' of 4194304.0 TiB, the limit is 64.0 GiB");
    EXPECT_THAT(
        refusal(RawTar().sparse("most", UINT64_MAX >> 1U).bytes()), HasSubstr("the limit is"));
}

TEST(ArchiveLimits, RefuseHolesWithoutMeasure) {
    ArchiveLimits limits;
    limits.free_bytes = 1 << 20;
    EXPECT_THAT(
        refusal(RawTar().sparse("hole", std::uint64_t{8} << 30U).bytes(), limits),
        StartsWith("archive 'x' expands "));
    EXPECT_EQ(read_all(RawTar().sparse("hole", 1 << 20).bytes(), limits), 1U);
}

/// The usual limits, but for what is free: gigabytes take a test too long.
ArchiveLimits usual_from(std::uint64_t free_bytes) {
    ArchiveLimits limits;
    limits.free_bytes = free_bytes;
    return limits;
}

TEST(ArchiveLimits, RefuseZerosWithoutMeasure) {
    const std::string zeros(1 << 20, '\0');
    const std::string head =
        RawTar().add({"zeros", '0', "", "", "00400000000"}).bytes().substr(0, 512); // 64 MiB
    const std::string packed = gzip_repeated(head, zeros, 65);
    EXPECT_LT(packed.size(), std::size_t{100'000});
    EXPECT_THAT(refusal(packed, usual_from(32 << 20)), StartsWith("archive 'x' expands "));
    EXPECT_EQ(read_all(packed, usual_from(128 << 20)), 1U);
}

TEST(ArchiveLimits, RefuseCompressionOfCompression) {
    const std::string zeros(1 << 20, '\0');
    const std::string twice = gzip(gzip_repeated("", zeros, 64));
    EXPECT_LT(twice.size(), std::size_t{5'000});
    MemorySource source(as_byte_span(twice));
    DecompressSource plain(source, "x", usual_from(32 << 20));
    NullSink sink;
    EXPECT_THAT(message_of([&] { copy(plain, sink); }), StartsWith("archive 'x' expands "));
}

TEST(ArchiveLimits, RefuseTooManyMembersAndNames) {
    RawTar tar;
    for (int i = 0; i < 20; ++i) {
        tar.file("f" + std::to_string(i));
    }
    ArchiveLimits limits;
    limits.members = 19;
    EXPECT_EQ(refusal(tar.bytes(), limits), "archive 'x' has more than 19 members");
    limits.members = 20;
    EXPECT_EQ(read_all(tar.bytes(), limits), 20U);
    limits.metadata_bytes = 49;
    EXPECT_EQ(
        refusal(tar.bytes(), limits),
        "archive 'x' has more than 49 B of file names and attributes");
}

TEST(ArchiveLimits, RefuseMoreThanTheTotal) {
    ArchiveLimits limits;
    limits.total_bytes = 999;
    const std::string tar =
        RawTar().file("a", std::string(500, 'a')).file("b", std::string(500, 'b')).bytes();
    EXPECT_EQ(refusal(tar, limits), "archive 'x' contains more than 999 B");
}

TEST(ArchiveLimits, RefuseHeadersThatFillTheMemory) {
    // libarchive keeps the map of a sparse file in memory, and it may have any length.
    std::string map = "9000000\n";
    for (int i = 0; i < 400'000; ++i) {
        map += "1234567890123456789\n0\n";
    }
    RawTar tar;
    tar.pax(
        {{"GNU.sparse.major", "1"},
         {"GNU.sparse.minor", "0"},
         {"GNU.sparse.name", "x"},
         {"GNU.sparse.realsize", "100"}});
    tar.file("x", map);
    ArchiveLimits limits;
    limits.header_bytes = 1 << 20;
    EXPECT_EQ(
        refusal(tar.bytes(), limits),
        "archive 'x' has a member whose header is larger than 1.0 MiB");
    // Names in pax headers have libarchive's own limit.
    EXPECT_EQ(
        refusal(RawTar().pax({{"comment", std::string(2 << 20, 'c')}}).file("f").bytes()),
        "archive 'x' is not an archive that kiln can read, or is damaged");
}

TEST(ArchiveLimits, RefuseAttributesThatLinuxCannotHold) {
    std::vector<std::pair<std::string, std::string>> many;
    for (int i = 0; i < 65; ++i) {
        many.emplace_back("SCHILY.xattr.user.a" + std::to_string(i), "v");
    }
    const std::string message = "member 'f' has extended attributes larger than Linux allows";
    EXPECT_EQ(refusal(RawTar().pax(many).file("f").bytes()), message);
    EXPECT_EQ(
        refusal(RawTar()
                    .pax({{"SCHILY.xattr.user.big", std::string((64 << 10) + 1, 'v')}})
                    .file("f")
                    .bytes()),
        message);
}

TEST(ArchiveLimits, RefuseLinksToNowhereAndToTooMuch) {
    EXPECT_EQ(
        refusal(RawTar().pax({{"linkpath", std::string(5000, 'l')}}).symlink("s", "x").bytes()),
        "symbolic link 's' has a target of 5000 bytes");
    EXPECT_EQ(
        refusal(RawTar().symlink("s", "").bytes()), "symbolic link 's' has a target of 0 bytes");
}

TEST(ArchiveLimits, BoundDirectoriesThatALayerImplies) {
    RawTar tar;
    for (int i = 0; i < 10; ++i) {
        std::string path = std::to_string(i);
        for (int depth = 0; depth < 100; ++depth) {
            path += "/d";
        }
        tar.pax({{"path", path}}).file("x");
    }
    ArchiveLimits limits;
    limits.members = 500;
    ArchiveBudget budget(limits);
    const std::string bytes = tar.bytes();
    MemorySource source(as_byte_span(bytes));
    EXPECT_EQ(
        message_of(
            [&] { static_cast<void>(read_layer(source, "layer", FileTree(), {}, &budget)); }),
        "archive 'layer' has more than 500 members");
}

TEST(ArchiveLimits, RefuseTimesThatNobodyMeans) {
    for (const char* time : {"-9223372036854775808", "9223372036854775807", "2000000000000"}) {
        const std::string tar = RawTar().pax({{"mtime", time}}).file("f").bytes();
        EXPECT_THAT(refusal(tar), HasSubstr("member 'f' has an invalid modification time "))
            << time;
    }
    // Go's time.Time{}, which some builders of images write.
    EXPECT_EQ(read_all(RawTar().pax({{"mtime", "-62135596800"}}).file("f").bytes(), {}), 1U);
}

} // namespace
} // namespace kiln
