// SPDX-License-Identifier: MIT
#include "archive/tar_writer.hpp"
#include "base/error.hpp"
#include "support/sample_trees.hpp"
#include "tree/tree_compare.hpp"
#include "verify/read/tar_tree.hpp"

#include <gtest/gtest.h>

namespace kiln {
namespace {

using namespace test;

TEST(TarTree, ReadsBackOneOfEverything) {
    const FileTree tree = full_tree();
    MemorySink sink;
    TarWriter writer(sink);
    for (const auto& [path, entry] : tree.entries()) {
        writer.add(path, entry);
    }
    writer.finish();

    MemorySource source(sink.data());
    const FileTree back = read_tar_tree(source, "a test", keep_nothing);
    EXPECT_EQ(compare_trees(tree, back).lines, std::vector<std::string>());
    EXPECT_EQ(back.find("etc/hostname")->data, nullptr);
}

TEST(TarTree, KeepsTheContentsThatAreAskedFor) {
    const FileTree tree = plain_tree();
    MemorySink sink;
    TarWriter writer(sink);
    for (const auto& [path, entry] : tree.entries()) {
        writer.add(path, entry);
    }
    writer.finish();

    MemorySource source(sink.data());
    const FileTree back = read_tar_tree(source, "a test", [](std::string_view path, auto size) {
        return path == "etc/hostname" && size == 6;
    });
    EXPECT_EQ(*back.find("etc/hostname")->data, "pause\n");
    EXPECT_EQ(back.find("etc/shadow")->data, nullptr);
}

TEST(TarTree, PutsTheContentAtTheFirstOfLinkedPaths) {
    FileTree tree;
    tree.put("m", file("shared", 0600));
    Entry link;
    link.hardlink_to = "m";
    tree.put("a", link);
    tree.put("z", link);

    normalize_hardlinks(tree);
    EXPECT_EQ(tree.find("a")->hardlink_to, "");
    EXPECT_EQ(tree.find("a")->content, sha256("shared"));
    EXPECT_EQ(tree.find("a")->mode, 0600U);
    EXPECT_EQ(tree.find("m")->hardlink_to, "a");
    EXPECT_EQ(tree.find("z")->hardlink_to, "a");
}

TEST(TarTree, RefusesALinkToNothing) {
    FileTree tree;
    Entry link;
    link.hardlink_to = "gone";
    tree.put("a", link);
    try {
        normalize_hardlinks(tree);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.message(), "'a' is a hard link to 'gone', which has no content");
        EXPECT_EQ(error.exit_code(), ExitCode::failed);
    }
}

} // namespace
} // namespace kiln
