// SPDX-License-Identifier: MIT
#include "disk/qcow2/qcow2_header.hpp"
#include "support/expect_error.hpp"
#include "support/raw_qcow2.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

using namespace test;
using testing::HasSubstr;

Qcow2Header parse(const std::string& bytes) {
    return parse_qcow2_header(as_byte_span(bytes), bytes.size(), "d.qcow2");
}

std::string refusal(const std::string& bytes) {
    return message_of([&] { static_cast<void>(parse(bytes)); });
}

std::string refusal(const RawQcow2& image) {
    return refusal(image.bytes());
}

TEST(Qcow2Header, IsRead) {
    const Qcow2Header header = parse(RawQcow2().set(60, 2, 4).bytes());
    EXPECT_EQ(header.version, 3U);
    EXPECT_EQ(header.cluster_bits, 16U);
    EXPECT_EQ(header.virtual_size, std::uint64_t{1} << 30U);
    EXPECT_EQ(header.snapshots, 2U);
    EXPECT_EQ(parse(RawQcow2().set(4, 2, 4).bytes()).version, 2U);
}

TEST(Qcow2Header, MayHaveHarmlessFeaturesAndExtensions) {
    RawQcow2 image;
    image.set(72, 0b11001, 8).set(100, 112, 4).set(104, 1, 1);
    image.extension(112, 0x6803f857, std::string(48, 'n')).extension(168, 0x23852875, "bitmaps!");
    image.extension(184, 0x12345678, "unknown");
    EXPECT_EQ(parse(image.bytes()).version, 3U);
}

TEST(Qcow2Header, RefusesOtherFilesOfTheHost) {
    EXPECT_EQ(
        refusal(RawQcow2().set(8, 0x200, 8).set(16, 11, 4).text(0x200, "/etc/shadow")),
        "'d.qcow2' refers to another file (backing file)");
    EXPECT_EQ(
        refusal(RawQcow2().set(4, 2, 4).set(8, 0x200, 8).set(16, 9, 4).text(0x200, "nbd://x/y")),
        "'d.qcow2' refers to another file (backing file)");
    EXPECT_EQ(
        refusal(RawQcow2().set(72, 1U << 2U, 8).extension(104, 0x44415441, "/etc/shadow")),
        "'d.qcow2' refers to another file (external data file)");
    // The name alone, without the feature.
    EXPECT_EQ(
        refusal(RawQcow2().extension(104, 0x44415441, "/etc/shadow")),
        "'d.qcow2' refers to another file (external data file)");
    EXPECT_EQ(
        refusal(RawQcow2().extension(104, 0xe2792aca, "raw")),
        "'d.qcow2' refers to another file (backing file format)");
    try {
        static_cast<void>(parse(RawQcow2().set(8, 0x200, 8).bytes()));
        FAIL();
    } catch (const Error& error) {
        EXPECT_THAT(error.hint(), HasSubstr("qemu-img convert"));
    }
}

TEST(Qcow2Header, RefusesEncryptionCorruptionAndTheUnknown) {
    EXPECT_EQ(refusal(RawQcow2().set(32, 1, 4)), "'d.qcow2' is encrypted");
    EXPECT_EQ(refusal(RawQcow2().set(32, 2, 4)), "'d.qcow2' is encrypted");
    EXPECT_EQ(refusal(RawQcow2().extension(104, 0x0537be77, "luks")), "'d.qcow2' is encrypted");
    EXPECT_THAT(refusal(RawQcow2().set(72, 2, 8)), HasSubstr("'d.qcow2' is marked as corrupt"));
    EXPECT_EQ(
        refusal(RawQcow2().set(72, std::uint64_t{1} << 63U, 8)),
        "'d.qcow2' uses unknown incompatible features (0x8000000000000000)");
    EXPECT_EQ(
        refusal(RawQcow2().set(100, 112, 4).set(104, 2, 1)),
        "'d.qcow2' uses an unknown compression type");
    EXPECT_EQ(
        refusal(RawQcow2().set(4, 1, 4)),
        "'d.qcow2' has the unsupported qcow2 version 1 (supported: 2 and 3)");
    EXPECT_EQ(
        refusal(RawQcow2().set(4, 4, 4)),
        "'d.qcow2' has the unsupported qcow2 version 4 (supported: 2 and 3)");
}

TEST(Qcow2Header, RefusesImpossibleGeometry) {
    for (const unsigned bits : {0U, 8U, 22U, 63U, 0xffffffffU}) {
        EXPECT_THAT(refusal(RawQcow2().set(20, bits, 4)), HasSubstr("is not a valid qcow2 image"));
    }
    EXPECT_EQ(
        refusal(RawQcow2().set(24, (std::uint64_t{64} << 40U) + 512, 8)),
        "'d.qcow2' has a virtual size of 64.0 TiB, the limit is 64.0 TiB");
    const std::string outside =
        "'d.qcow2' is not a valid qcow2 image: a table is outside of the file";
    EXPECT_EQ(refusal(RawQcow2().set(40, UINT64_MAX, 8)), outside);
    EXPECT_EQ(refusal(RawQcow2().set(48, std::uint64_t{1} << 40U, 8)), outside);
    EXPECT_EQ(refusal(RawQcow2().set(36, UINT32_MAX, 4)), outside);
    EXPECT_EQ(refusal(RawQcow2().set(60, 100'000, 4)), outside);
}

TEST(Qcow2Header, RefusesMalformedHeaders) {
    const std::string malformed = "'d.qcow2' is not a valid qcow2 image: the header is malformed";
    EXPECT_EQ(refusal(RawQcow2().set(100, 72, 4)), malformed);
    EXPECT_EQ(refusal(RawQcow2().set(100, 0xfffffff8, 4)), malformed);
    EXPECT_EQ(refusal(RawQcow2().set(100, 105, 4)), malformed);
    EXPECT_EQ(refusal(RawQcow2().set(96, 7, 4)), malformed);
    const std::string bounds =
        "'d.qcow2' is not a valid qcow2 image: a header extension is out of bounds";
    EXPECT_EQ(refusal(RawQcow2().set(104, 1, 4).set(108, UINT32_MAX, 4)), bounds);
    EXPECT_EQ(refusal(RawQcow2().set(104, 1, 4).set(108, 65536, 4)), bounds);
    const std::string whole = RawQcow2().bytes();
    EXPECT_EQ(refusal("QFI"), "'d.qcow2' is not a qcow2 image");
    EXPECT_EQ(
        refusal(whole.substr(0, 50)),
        "'d.qcow2' is not a valid qcow2 image: the header is truncated");
    EXPECT_THAT(refusal(whole.substr(0, 103)), HasSubstr("is not a valid qcow2 image"));
}

} // namespace
} // namespace kiln
