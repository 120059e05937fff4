// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "tree/file_tree.hpp"

#include <gtest/gtest.h>

namespace kiln {
namespace {

Entry file(std::string content) {
    Entry entry;
    entry.size = content.size();
    entry.content = sha256(content);
    entry.data = std::make_shared<const std::string>(std::move(content));
    return entry;
}

Entry directory() {
    Entry entry;
    entry.type = FileType::directory;
    entry.mode = 0755;
    return entry;
}

Entry whiteout() {
    Entry entry;
    entry.type = FileType::whiteout;
    return entry;
}

std::string manifest(const FileTree& tree) {
    MemorySink sink;
    write_manifest(tree, sink);
    return std::string(sink.text());
}

TEST(FileTree, RoundTripsThroughItsManifest) {
    FileTree tree;
    tree.put("", directory());
    tree.put("a b%\n\xc3\xa9", file("x"));
    Entry link;
    link.type = FileType::symlink;
    link.mode = 0777;
    link.target = "../else where";
    tree.put("link", link);
    Entry capable = file("ping");
    capable.xattrs["security.capability"] = std::string("\0\1\2", 3);
    tree.put("ping", capable);
    Entry device;
    device.type = FileType::char_device;
    device.device_major = 1;
    device.device_minor = 3;
    tree.put("null", device);
    const FileTree again = parse_manifest(manifest(tree), {});
    EXPECT_EQ(manifest(again), manifest(tree));
    EXPECT_EQ(again.digest(), tree.digest());
    EXPECT_NE(again.find("a b%\n\xc3\xa9"), nullptr);
}

TEST(FileTree, DigestIgnoresWhereContentLies) {
    FileTree a;
    FileTree b;
    Entry entry = file("x");
    a.put("f", entry);
    entry.data = nullptr;
    entry.source = "/somewhere";
    entry.stage = 7;
    b.put("f", entry);
    EXPECT_EQ(a.digest(), b.digest());
}

TEST(FileTree, AppliesWhiteoutsAndOpaqueDirectories) {
    FileTree tree;
    tree.put("", directory());
    tree.put("d", directory());
    tree.put("d/old", file("1"));
    tree.put("d.conf", file("2"));
    tree.put("gone", directory());
    tree.put("gone/x", file("3"));
    FileTree delta;
    Entry opaque = directory();
    opaque.opaque = true;
    delta.put("d", opaque);
    delta.put("d/new", file("4"));
    delta.put("gone", whiteout());
    tree.apply(delta, 2);
    EXPECT_EQ(tree.find("d/old"), nullptr);
    EXPECT_NE(tree.find("d/new"), nullptr);
    EXPECT_EQ(tree.find("d/new")->stage, 2U);
    EXPECT_NE(tree.find("d.conf"), nullptr);
    EXPECT_EQ(tree.find("gone"), nullptr);
    EXPECT_EQ(tree.find("gone/x"), nullptr);
    EXPECT_FALSE(tree.find("d")->opaque);
}

TEST(FileTree, KeepsContentOfHardLinksWhoseFirstNameGoes) {
    FileTree tree;
    tree.put("a", file("shared"));
    Entry link = *tree.find("a");
    link.hardlink_to = "a";
    tree.put("b", link);
    tree.put("c", link);
    FileTree delta;
    delta.put("a", file("changed"));
    tree.apply(delta, 1);
    EXPECT_EQ(tree.find("b")->hardlink_to, "");
    EXPECT_EQ(tree.find("b")->content, sha256("shared"));
    EXPECT_EQ(tree.find("c")->hardlink_to, "b");
}

TEST(FileTree, RefusesAMalformedManifest) {
    EXPECT_THROW(static_cast<void>(parse_manifest("x 1 2\n", {})), Error);
    EXPECT_THROW(static_cast<void>(parse_manifest("f 0644 0 0 0 0 zz /a\n", {})), Error);
}

} // namespace
} // namespace kiln
