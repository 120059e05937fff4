// SPDX-License-Identifier: MIT
#include "archive/archive_reader.hpp"
#include "archive/tar_writer.hpp"
#include "base/error.hpp"
#include "oci/oci_layer.hpp"
#include "oci/oci_layer_reader.hpp"
#include "support/sample_trees.hpp"

#include <gtest/gtest.h>

namespace kiln {
namespace {

using namespace test;

std::string layer_tar(const FileTree& plan) {
    MemorySink sink;
    write_layer(plan, sink);
    return std::string(sink.text());
}

std::vector<std::string> member_names(const FileTree& plan) {
    const std::string tar = layer_tar(plan);
    MemorySource source(as_byte_span(tar));
    ArchiveReader reader(source, "layer");
    std::vector<std::string> names;
    while (const auto member = reader.next()) {
        names.push_back(member->path);
    }
    return names;
}

/// Reads the tar of a layer back and applies it.
FileTree applied(const FileTree& plan, FileTree below) {
    const std::string tar = layer_tar(plan);
    MemorySource source(as_byte_span(tar));
    below.apply(read_layer(source, "layer", below, {}), 1);
    order_links(below);
    return below;
}

std::string message_of(const FileTree& delta, const FileTree& below) {
    try {
        static_cast<void>(plan_layer(delta, &below));
    } catch (const Error& error) {
        return error.message();
    }
    return "no error";
}

TEST(OciLayer, NamesParentsAndPutsWhiteoutsBeforeTheirSiblings) {
    const FileTree below = plain_tree();
    const std::vector<std::string> expected = {
        "etc",
        "etc/.wh.old",
        "etc/!first",
        "etc/hostname",
        "usr",
        "usr/bin",
        "usr/bin/new",
        "usr/bin/new2",
        "usr/bin/perl",
        "var",
        "var/spool",
        "var/spool/.wh.a.d",
        "var/spool/a",
        "var/spool/a/.wh.x",
        "var/spool/a/y"};
    EXPECT_EQ(member_names(plan_layer(change(), &below)), expected);
}

TEST(OciLayer, GivesTheTreeThatTheChangeGives) {
    const FileTree below = full_tree();
    FileTree expected = below;
    expected.apply(change(), 1);
    EXPECT_EQ(applied(plan_layer(change(), &below), below).digest(), expected.digest());
}

TEST(OciLayer, TurnsAnOpaqueRootIntoWhiteouts) {
    const FileTree below = plain_tree();
    FileTree delta;
    delta.put("", opaque(directory()));
    delta.put("etc", directory());
    const std::vector<std::string> expected = {
        "", ".wh.usr", ".wh.var", "etc", "etc/.wh.hostname", "etc/.wh.old", "etc/.wh.shadow"};
    EXPECT_EQ(member_names(plan_layer(delta, &below)), expected);
    FileTree tree = below;
    tree.apply(delta, 1);
    EXPECT_EQ(applied(plan_layer(delta, &below), below).digest(), tree.digest());
}

TEST(OciLayer, LeavesOutWhiteoutsThatRemoveNothing) {
    const FileTree below = plain_tree();
    FileTree delta;
    delta.put("etc/never", whiteout());
    delta.put("usr", file("now a file"));
    delta.put("usr/bin", whiteout());
    EXPECT_EQ(member_names(plan_layer(delta, &below)), std::vector<std::string>{"usr"});
    delta.erase_tree("usr");
    EXPECT_TRUE(plan_layer(delta, nullptr).entries().empty());
}

TEST(OciLayer, CarriesContentForLinksIntoOtherLayers) {
    const FileTree below = plain_tree();
    FileTree delta;
    delta.put("usr/bin/p6", hardlink(below, "usr/bin/perl"));
    delta.put("usr/bin/p7", hardlink(below, "usr/bin/perl"));
    const FileTree plan = plan_layer(delta, &below);
    EXPECT_EQ(plan.find("usr/bin/p6")->hardlink_to, "");
    EXPECT_EQ(plan.find("usr/bin/p6")->content, below.find("usr/bin/perl")->content);
    EXPECT_EQ(plan.find("usr/bin/p7")->hardlink_to, "usr/bin/p6");
    EXPECT_EQ(plan.find("usr/bin/perl"), nullptr);
}

TEST(OciLayer, RefusesNamesThatMeanRemoval) {
    FileTree delta;
    delta.put("etc", directory());
    delta.put("etc/.wh.x", file("x"));
    EXPECT_EQ(message_of(delta, {}), "'/etc/.wh.x' cannot be stored in an OCI layer");
}

TEST(OciLayer, RefusesPathsWithoutAParentAndLinksToNothing) {
    FileTree delta;
    delta.put("a/b", file("x"));
    EXPECT_EQ(message_of(delta, {}), "the parent of '/a/b' is not a directory");
    FileTree links;
    Entry link = file("x");
    link.hardlink_to = "gone";
    links.put("b", link);
    EXPECT_EQ(message_of(links, {}), "'/b' is a hard link to '/gone', which does not exist");
}

TEST(OciLayerReader, UnderstandsOpaqueMarkersAndReplacedDirectories) {
    FileTree below = plain_tree();
    FileTree layer; // as a tar holds it: markers are files
    layer.put("etc/.wh..wh..opq", file(""));
    layer.put("etc/fresh", file("f"));
    layer.put("usr/.wh.bin", file(""));
    layer.put("usr/bin", directory(0700));
    layer.put("var/.wh..wh.plnk", file(""));
    layer.put("opt/made/x", file("its parents are nowhere"));
    MemorySink sink;
    {
        TarWriter writer(sink);
        for (const auto& [path, entry] : layer.entries()) {
            writer.add(path, entry);
        }
        writer.finish();
    }
    MemorySource source(sink.data());
    below.apply(read_layer(source, "layer", below, {}), 1);
    EXPECT_EQ(below.find("etc/hostname"), nullptr);
    EXPECT_NE(below.find("etc/fresh"), nullptr);
    EXPECT_EQ(below.find("usr/bin/perl"), nullptr);
    EXPECT_EQ(below.find("usr/bin")->mode, 0700U);
    EXPECT_EQ(below.find("opt/made")->mode, 0755U);
    EXPECT_EQ(below.find("var/.wh..wh.plnk"), nullptr);
}

TEST(OciLayerReader, RefusesMembersBelowAFile) {
    FileTree below = plain_tree();
    FileTree layer;
    layer.put("usr/lib/x", file("usr/lib is a symbolic link"));
    MemorySink sink;
    TarWriter writer(sink);
    writer.add("usr/lib/x", *layer.find("usr/lib/x"));
    writer.finish();
    MemorySource source(sink.data());
    try {
        static_cast<void>(read_layer(source, "layer", below, {}));
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.message(), "'/usr/lib' has members, but is not a directory");
    }
}

TEST(OciLayerReader, OrdersLinksByTheFirstName) {
    FileTree tree;
    tree.put("b", file("x"));
    tree.put("a", hardlink(tree, "b"));
    tree.put("c", hardlink(tree, "b"));
    order_links(tree);
    EXPECT_EQ(tree.find("a")->hardlink_to, "");
    EXPECT_EQ(tree.find("b")->hardlink_to, "a");
    EXPECT_EQ(tree.find("c")->hardlink_to, "a");
}

} // namespace
} // namespace kiln
