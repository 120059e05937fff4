// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "base/io/file.hpp"
#include "base/text.hpp"
#include "disk/ext4/ext4.hpp"
#include "support/build_tree.hpp"
#include "support/scan_tree.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace kiln {
namespace {

using namespace kiln::test;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::uint64_t kMiB = 1 << 20;

Ext4Options options_for_test() {
    Ext4Options options;
    options.uuid = uuid_from(sha256("uuid"));
    options.hash_seed = uuid_from(sha256("hash seed"));
    options.label = "root";
    options.epoch = kTestTime;
    options.free_bytes = kMiB;
    return options;
}

/// An image in a directory that goes away with it.
class Image {
  public:
    explicit Image(const FileTree& tree, const Ext4Options& options = options_for_test())
        : Image(tree, options, ext4_size(tree, options)) {}

    Image(const FileTree& tree, const Ext4Options& options, std::uint64_t size) : size_(size) {
        const UniqueFd fd = open_file(path(), O_RDWR | O_CREAT | O_TRUNC);
        EXPECT_EQ(::ftruncate(fd.get(), static_cast<off_t>(size)), 0);
        std::uint64_t done = 0;
        write_ext4(tree, options, {fd.get(), 0, size, path()}, [&](std::uint64_t bytes) {
            done += bytes;
        });
        EXPECT_EQ(done, tree.content_bytes());
    }

    [[nodiscard]] fs::path path() const { return dir_.path() / "image"; }

    [[nodiscard]] std::uint64_t size() const { return size_; }

    [[nodiscard]] Digest digest() const { return sha256_file(path()); }

    void expect_clean() const {
        int status = 0;
        const std::string output = run_tool("e2fsck", {"-fn", path()}, status);
        EXPECT_EQ(status, 0) << output;
    }

    [[nodiscard]] std::string debugfs(const std::string& request) const {
        int status = 0;
        return run_tool("debugfs", {"-R", request, path()}, status);
    }

    [[nodiscard]] std::string content(const std::string& file) const {
        const fs::path out = dir_.path() / "content";
        fs::remove(out);
        static_cast<void>(debugfs(fmt::format("dump /{} {}", file, out.string())));
        return read_text_file(out);
    }

    [[nodiscard]] std::string dumpe2fs() const {
        int status = 0;
        return run_tool("dumpe2fs", {path()}, status);
    }

    [[nodiscard]] std::string blocks_of(const std::string& file) const {
        return debugfs("blocks /" + file);
    }

  private:
    TempDir dir_{temporary_root(), "kiln-ext4-test-"};
    std::uint64_t size_;
};

std::string failure(const std::function<void()>& body) {
    try {
        body();
    } catch (const Error& error) {
        EXPECT_EQ(error.exit_code(), ExitCode::failed);
        return error.message();
    }
    return "no failure";
}

class Ext4 : public ::testing::Test {
  protected:
    void SetUp() override { KILN_NEEDS_TOOL("debugfs"); }
};

TEST_F(Ext4, IsCleanForEveryKindOfEntry) {
    const FileTree tree = sample_tree();
    const Image image(tree);
    image.expect_clean();
    for (const auto& [path, entry] : tree.entries()) {
        if (entry.type == FileType::regular) {
            EXPECT_EQ(image.content(path), *entry.data) << path;
        }
    }
    EXPECT_THAT(image.debugfs("stat /etc/fast"), HasSubstr("Fast link dest: \"hostname\""));
    EXPECT_THAT(image.debugfs("stat /etc/slow"), HasSubstr("Size: 200"));
    EXPECT_THAT(image.debugfs("stat /usr/console"), HasSubstr("05:01"));
    EXPECT_THAT(image.debugfs("stat /usr/disk"), HasSubstr("259:70000"));
    EXPECT_THAT(image.debugfs("stat /usr/fifo"), HasSubstr("Type: FIFO"));
    EXPECT_THAT(image.debugfs("stat /usr/socket"), HasSubstr("Type: socket"));
    EXPECT_THAT(image.debugfs("stat /tmp"), HasSubstr("Mode:  01777"));
    EXPECT_THAT(image.debugfs("stat /usr/bin/sudo"), HasSubstr("Mode:  04755"));
}

TEST_F(Ext4, StatesEveryTimeAndOwner) {
    FileTree tree = sample_tree();
    tree.entries().at("etc/hostname").mtime = 1'000'000'000;
    tree.entries().at("etc/empty").mtime = 3'000'000'000;
    tree.entries().at("boot").mtime = -1;
    const Image image(tree);
    image.expect_clean();
    const std::string stat = image.debugfs("stat /etc/hostname");
    for (const char* field : {" ctime", " atime", " mtime", "crtime"}) {
        EXPECT_THAT(stat, HasSubstr(fmt::format("{}: 0x3b9aca00:00000000", field)));
    }
    EXPECT_THAT(image.debugfs("stat /etc/empty"), HasSubstr("mtime: 0xb2d05e00:00000001"));
    EXPECT_THAT(image.debugfs("stat /boot"), HasSubstr("mtime: 0xffffffff:00000000"));
    EXPECT_THAT(image.debugfs("stat /usr/holes"), HasSubstr("User: 70000   Group: 70001"));
    const std::string super = image.dumpe2fs();
    EXPECT_THAT(super, HasSubstr("Filesystem created:       Tue Nov 14 22:13:20 2023"));
    EXPECT_THAT(super, HasSubstr("Last write time:          Tue Nov 14 22:13:20 2023"));
    EXPECT_THAT(super, HasSubstr("Last checked:             Tue Nov 14 22:13:20 2023"));
    EXPECT_THAT(super, HasSubstr("Last mount time:          n/a"));
    EXPECT_THAT(super, HasSubstr(format_uuid(options_for_test().uuid)));
    EXPECT_THAT(super, HasSubstr(format_uuid(options_for_test().hash_seed)));
    EXPECT_THAT(super, HasSubstr("Filesystem volume name:   root"));
    EXPECT_THAT(super, HasSubstr("unsigned_directory_hash"));
    EXPECT_THAT(super, HasSubstr("Filesystem state:         clean"));
}

TEST_F(Ext4, MakesHolesByContent) {
    const Image image(sample_tree());
    EXPECT_THAT(image.debugfs("stat /usr/holes"), HasSubstr("Blockcount: 8"));
    EXPECT_THAT(image.debugfs("stat /usr/holes"), HasSubstr("(9):"));
}

TEST_F(Ext4, SharesTheInodeOfHardLinks) {
    const Image image(sample_tree());
    EXPECT_THAT(image.debugfs("stat /usr/bin/ping4"), HasSubstr("Links: 2"));
    EXPECT_EQ(image.debugfs("stat /usr/bin/ping4"), image.debugfs("stat /usr/bin/ping"));
}

TEST_F(Ext4, KeepsExtendedAttributesInInodeAndBlock) {
    FileTree tree = sample_tree();
    Entry& hostname = tree.entries().at("etc/hostname");
    hostname.xattrs["user.large"] = std::string(3000, 'v');
    hostname.xattrs["user.empty"] = "";
    hostname.xattrs["trusted.small"] = "t";
    hostname.xattrs["security.selinux"] = "label";
    const Image image(tree);
    image.expect_clean();
    EXPECT_THAT(
        image.debugfs("ea_get -x /usr/bin/ping security.capability"),
        HasSubstr("01 00 00 02 00 20 00 00"));
    EXPECT_THAT(image.debugfs("stat /usr/bin/ping"), HasSubstr("File ACL: 0"));
    EXPECT_THAT(image.debugfs("stat /etc/hostname"), Not(HasSubstr("File ACL: 0")));
    const std::string list = image.debugfs("ea_list /etc/hostname");
    EXPECT_THAT(list, HasSubstr("user.large (3000)"));
    EXPECT_THAT(list, HasSubstr("user.empty (0)"));
    EXPECT_THAT(list, HasSubstr("trusted.small (1) = \"t\""));
    EXPECT_THAT(list, HasSubstr("security.selinux (5) = \"label\""));
}

TEST_F(Ext4, ConvertsAccessControlLists) {
    // user::rw-, user:1000:r--, group::r--, mask::r--, other::---
    const std::string acl(
        "\x02\0\0\0\x01\0\x06\0\xff\xff\xff\xff\x02\0\x04\0\xe8\x03\0\0\x04\0\x04\0\xff\xff\xff\xff"
        "\x10\0\x04\0\xff\xff\xff\xff\x20\0\0\0\xff\xff\xff\xff",
        44);
    FileTree tree = sample_tree();
    tree.entries().at("etc/hostname").xattrs["system.posix_acl_access"] = acl;
    const Image image(tree);
    image.expect_clean();
    EXPECT_THAT(
        image.debugfs("ea_get -x -V /etc/hostname system.posix_acl_access"),
        HasSubstr("02 00 00 00"));
}

TEST_F(Ext4, IndexesLargeDirectories) {
    FileTree tree = sample_tree();
    tree.put("many", make_directory());
    tree.put("more", make_directory());
    for (int i = 0; i < 500; ++i) {
        tree.put(fmt::format("many/name-{}", i), make_file(""));
    }
    for (int i = 0; i < 12'000; ++i) {
        tree.put(fmt::format("more/{}-{}", i, std::string(190, 'n')), make_symlink("x"));
    }
    const Image image(tree);
    image.expect_clean();
    EXPECT_THAT(image.debugfs("stat /many"), HasSubstr("Flags: 0x81000"));
    EXPECT_THAT(image.debugfs("htree_dump /many"), HasSubstr("Indirect levels: 0"));
    EXPECT_THAT(image.debugfs("htree_dump /more"), HasSubstr("Indirect levels: 1"));
    EXPECT_THAT(image.debugfs("htree_dump /many"), HasSubstr("Hash Version: 1"));
    EXPECT_THAT(image.debugfs("stat /etc"), HasSubstr("Flags: 0x80000"));
}

TEST_F(Ext4, CountsManySubdirectoriesAsOne) {
    FileTree tree;
    tree.put("", make_directory());
    for (int i = 0; i < 65'010; ++i) {
        tree.put(fmt::format("d{:05}", i), make_directory());
    }
    const Image image(tree);
    EXPECT_THAT(image.debugfs("stat /"), HasSubstr("Links: 1 "));
}

TEST_F(Ext4, WritesDeepExtentTrees) {
    std::string pattern;
    for (int i = 0; i < 1500; ++i) {
        pattern += std::string(4096, '\0') + std::string(4096, static_cast<char>('a' + i % 26));
    }
    FileTree tree = sample_tree();
    tree.put("comb", make_file(pattern));
    const Image image(tree);
    image.expect_clean();
    EXPECT_EQ(image.content("comb"), pattern);
    EXPECT_THAT(image.debugfs("dump_extents /comb"), HasSubstr(" 0/ 2"));
    EXPECT_THAT(image.debugfs("stat /comb"), HasSubstr("Size: 12288000"));
}

TEST_F(Ext4, WritesFilesOver4GiB) {
    const TempDir dir(temporary_root(), "kiln-ext4-large-");
    const fs::path source = dir.path() / "large";
    std::ofstream(source) << "start";
    constexpr std::uint64_t kSize = (5ULL << 30) + 10;
    fs::resize_file(source, kSize);
    {
        const UniqueFd fd = open_file(source, O_WRONLY);
        write_all_at(fd.get(), as_byte_span("far"), kSize - 3, source);
    }
    FileTree tree = sample_tree();
    Entry large = make_entry(FileType::regular, 0644);
    large.size = kSize;
    large.source = source;
    tree.put("large", large);
    const Image image(tree, options_for_test(), 64 * kMiB);
    image.expect_clean();
    EXPECT_THAT(image.debugfs("stat /large"), HasSubstr("Size: 5368709130"));
    EXPECT_THAT(image.debugfs("stat /large"), HasSubstr("(0):"));
    EXPECT_THAT(image.debugfs("stat /large"), HasSubstr("(1310720):"));
}

TEST_F(Ext4, FillsSeveralGroupsAndKeepsRoomToGrow) {
    FileTree tree = sample_tree();
    for (int i = 0; i < 20; ++i) {
        tree.put(fmt::format("data{}", i), make_file(noise(10 * kMiB, static_cast<unsigned>(i))));
    }
    const Image image(tree);
    image.expect_clean();
    EXPECT_GT(image.size(), 128 * kMiB);
    EXPECT_EQ(sha256(image.content("data19")), tree.find("data19")->content);
    const std::string super = image.dumpe2fs();
    EXPECT_THAT(super, HasSubstr("Reserved GDT blocks:      511"));
    EXPECT_THAT(super, HasSubstr("ITABLE_ZEROED"));
    EXPECT_THAT(
        super,
        HasSubstr("has_journal ext_attr resize_inode dir_index filetype extent 64bit flex_bg "
                  "sparse_super large_file huge_file dir_nlink extra_isize metadata_csum"));
}

TEST_F(Ext4, GrowsOffline) {
    const Image image(sample_tree());
    int status = 0;
    const std::string output = run_tool("resize2fs", {"-f", image.path(), "700M"}, status);
    EXPECT_EQ(status, 0) << output;
    image.expect_clean();
}

TEST_F(Ext4, LeavesTheRoomAskedFor) {
    const FileTree tree = sample_tree();
    Ext4Options options = options_for_test();
    for (const std::uint64_t free_mib : {0U, 10U, 100U, 130U, 500U, 5000U}) {
        options.free_bytes = free_mib * kMiB;
        const Image image(tree, options);
        EXPECT_EQ(image.size() % kMiB, 0U);
        const std::string text = image.dumpe2fs();
        const std::string field = "Free blocks:              ";
        const auto at = text.find(field) + field.size();
        EXPECT_GE(std::stoull(text.substr(at)) * 4096, options.free_bytes);
        image.expect_clean();
    }
}

TEST_F(Ext4, KeepsEarlierStagesInPlace) {
    FileTree tree = sample_tree();
    tree.put("etc/config", make_file("one line"));
    tree.entries().at("etc/config").stage = 3;
    tree.entries().at("boot").stage = 1;
    tree.entries().at("boot/vmlinuz").stage = 1;
    const Ext4Options options = options_for_test();
    const Image before(tree, options, 64 * kMiB);
    Entry changed = make_file("one line and one more" + noise(100'000));
    changed.stage = 3;
    tree.put("etc/config", changed);
    Entry added = make_file("added");
    added.stage = 3;
    tree.put("etc/added", added);
    const Image after(tree, options, 64 * kMiB);
    after.expect_clean();
    for (const char* path : {"boot/vmlinuz", "usr/bin/ping", "usr/bin", "usr/holes", "boot"}) {
        EXPECT_EQ(
            before.debugfs(fmt::format("stat /{}", path)),
            after.debugfs(fmt::format("stat /{}", path)));
    }
}

TEST_F(Ext4, MovesContentByWholeClustersOfAQcow2) {
    constexpr std::uint64_t kClusterBlocks = 16;
    FileTree tree = sample_tree();
    const Ext4Options options = options_for_test();
    const auto first_block = [](const Image& image, const char* path) {
        // debugfs greets first.
        const auto lines = split_lines(image.debugfs(fmt::format("blocks /{}", path)));
        return std::stoull(lines.at(1));
    };
    const Image before(tree, options, 64 * kMiB);
    tree.entries().erase("etc/hostname");
    tree.put("etc/longer", make_file(noise(300'000)));
    const Image after(tree, options, 64 * kMiB);
    after.expect_clean();
    const std::uint64_t was = first_block(before, "usr/bin/ping");
    const std::uint64_t is = first_block(after, "usr/bin/ping");
    EXPECT_NE(was, is);
    EXPECT_EQ(was % kClusterBlocks, is % kClusterBlocks);
}

TEST_F(Ext4, UsesTheTreesOwnLostAndFound) {
    FileTree tree = sample_tree();
    Entry own = make_directory(0711);
    tree.put("lost+found", own);
    tree.put("lost+found/kept", make_file("x"));
    const Image image(tree);
    image.expect_clean();
    EXPECT_THAT(image.debugfs("stat /lost+found"), HasSubstr("Mode:  0711"));
    EXPECT_EQ(image.content("lost+found/kept"), "x");
}

TEST_F(Ext4, IsTheSameEachTime) {
    const Image first(sample_tree());
    ::setenv("E2FSPROGS_FAKE_TIME", "1", 1);
    const Image second(sample_tree());
    ::unsetenv("E2FSPROGS_FAKE_TIME");
    EXPECT_EQ(first.digest(), second.digest());
    EXPECT_EQ(
        first.digest().hex(), "2a65f40e23fb618fd285a9473556d51ef4009c3a614e23db779c673ec6baa311");
}

TEST(Ext4Errors, RefusesWhatCannotBeWritten) {
    const auto write = [](const std::string& path, const Entry& entry) {
        return failure([&] {
            FileTree tree = sample_tree();
            tree.put(path, entry);
            const Image image(tree);
        });
    };
    EXPECT_EQ(
        write("etc/gone", make_entry(FileType::whiteout, 0)),
        "'/etc/gone' is a whiteout, which cannot be stored on a disk");
    EXPECT_EQ(write("no/parent", make_file("")), "'/no/parent' has no parent in the tree");
    EXPECT_EQ(
        write("etc/link", make_hardlink(make_file(""), "etc/none")),
        "'/etc/link' has no link target in the tree");
    EXPECT_EQ(
        write(std::string(256, 'n'), make_file("")),
        "the name of '/" + std::string(256, 'n') + "' is longer than 255 bytes");
    EXPECT_EQ(
        write("l", make_symlink(std::string(4096, 't'))),
        "the target of the symlink '/l' is too long");
    EXPECT_EQ(write("lost+found", make_file("")), "'/lost+found' is not a directory");
    Entry entry = make_file("x");
    entry.xattrs["odd.name"] = "v";
    EXPECT_EQ(
        write("etc/x", entry), "ext4 cannot store the extended attribute 'odd.name' of '/etc/x'");
    entry = make_file("x");
    entry.xattrs["user.huge"] = std::string(5000, 'v');
    EXPECT_EQ(write("etc/x", entry), "the extended attributes of '/etc/x' do not fit into a block");
    entry = make_file("x");
    entry.size = 2;
    EXPECT_EQ(write("etc/x", entry), "'/etc/x' has 1 bytes, expected 2");
    entry = make_file("x");
    entry.mtime = 1LL << 40;
    EXPECT_EQ(write("etc/x", entry), "ext4 cannot store the time 1099511627776");
}

TEST(Ext4Errors, RefusesATargetThatIsTooSmall) {
    FileTree tree = sample_tree();
    tree.put("large", make_file(noise(20 * kMiB)));
    EXPECT_EQ(
        failure([&] { const Image image(tree, options_for_test(), 16 * kMiB); }),
        "the file system of 16.0 MiB is full");
    EXPECT_THAT(
        failure([&] { const Image image(tree, options_for_test(), kMiB); }),
        HasSubstr("a file system of 1.0 MiB is too small: its metadata needs"));
    Ext4Options options = options_for_test();
    options.label = "seventeen letters";
    EXPECT_EQ(
        failure([&] { const Image image(sample_tree(), options); }),
        "the label 'seventeen letters' is longer than 16 bytes");
}

} // namespace
} // namespace kiln
