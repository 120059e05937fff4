// SPDX-License-Identifier: MIT
#include "support/sample_trees.hpp"
#include "tree/tree_compare.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <ostream>

namespace kiln {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::StartsWith;

TEST(TreeCompare, FindsNothingBetweenEqualTrees) {
    const TreeComparison result = compare_trees(full_tree(), full_tree());
    EXPECT_TRUE(result.equal());
    EXPECT_THAT(result.lines, ElementsAre());
}

struct Change {
    std::string line;
    std::function<void(FileTree&)> apply;
};

void PrintTo(const Change& change, std::ostream* out) {
    *out << change.line;
}

class TreeCompareEach : public testing::TestWithParam<Change> {};

TEST_P(TreeCompareEach, ReportsTheDifference) {
    FileTree changed = full_tree();
    GetParam().apply(changed);
    const TreeComparison result = compare_trees(full_tree(), changed);
    EXPECT_EQ(result.count, 1U);
    EXPECT_THAT(result.lines, ElementsAre(StartsWith(GetParam().line)));
}

Entry& at(FileTree& tree, const char* path) {
    return tree.entries().at(path);
}

INSTANTIATE_TEST_SUITE_P(
    Properties,
    TreeCompareEach,
    testing::Values(
        Change{"/etc/old: file is missing", [](FileTree& tree) { tree.erase_tree("etc/old"); }},
        Change{"/etc/new: unexpected file", [](FileTree& tree) { tree.put("etc/new", file("")); }},
        Change{
            "/usr/lib: symbolic link expected, directory found",
            [](FileTree& tree) { tree.put("usr/lib", directory()); }},
        Change{
            "/usr/bin/sudo: mode 4755 expected, 0755 found",
            [](FileTree& tree) { at(tree, "usr/bin/sudo").mode = 0755; }},
        Change{
            "/etc/shadow: owner 0:42 expected, 0:0 found",
            [](FileTree& tree) { at(tree, "etc/shadow").gid = 0; }},
        Change{
            "/etc: mtime 1775044800 expected, 5 found",
            [](FileTree& tree) { at(tree, "etc").mtime = 5; }},
        Change{
            "/etc/hostname: size 6 expected, 7 found; content ",
            [](FileTree& tree) { tree.put("etc/hostname", file("pause!\n")); }},
        Change{
            "/usr/lib: target 'usr/lib64' expected, 'lib' found",
            [](FileTree& tree) { at(tree, "usr/lib").target = "lib"; }},
        Change{
            "/dev/null: device 1:3 expected, 1:5 found",
            [](FileTree& tree) { at(tree, "dev/null").device_minor = 5; }},
        Change{
            "/usr/bin/ping: attribute 'security.capability' is missing",
            [](FileTree& tree) { at(tree, "usr/bin/ping").xattrs.erase("security.capability"); }},
        Change{
            "/usr/bin/ping: attribute 'user.note' differs",
            [](FileTree& tree) { at(tree, "usr/bin/ping").xattrs["user.note"] = "x"; }},
        Change{
            "/etc/old: unexpected attribute 'user.x'",
            [](FileTree& tree) { at(tree, "etc/old").xattrs["user.x"] = "x"; }},
        Change{
            "/usr/bin/perl5: hard link to 'usr/bin/perl' expected, none found",
            [](FileTree& tree) { at(tree, "usr/bin/perl5").hardlink_to = ""; }}));

TEST(TreeCompare, ListsTheFirstAndCountsAll) {
    FileTree many;
    for (int i = 0; i < 30; ++i) {
        many.put("f" + std::to_string(i), file(""));
    }
    const TreeComparison result = compare_trees(FileTree(), many, 2);
    EXPECT_EQ(result.count, 30U);
    EXPECT_THAT(result.lines, ElementsAre("/f0: unexpected file", "/f1: unexpected file"));
}

TEST(TreeCompare, PassesOverTheEmptyDirectoryOfExt4) {
    FileTree disk = plain_tree();
    disk.put("lost+found", directory(0700));
    EXPECT_TRUE(compare_trees(plain_tree(), disk).equal());
    disk.put("lost+found/#12", file("an orphan"));
    EXPECT_THAT(
        compare_trees(plain_tree(), disk).lines,
        ElementsAre("/lost+found: unexpected directory", "/lost+found/#12: unexpected file"));
}

} // namespace
} // namespace kiln
