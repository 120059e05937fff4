// SPDX-License-Identifier: MIT
#include "archive/archive_reader.hpp"
#include "base/error.hpp"
#include "base/io/file.hpp"
#include "base/process/process.hpp"
#include "base/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

using testing::HasSubstr;

/// A directory with one file of each kind that an ordinary user can make, packed by GNU tar.
class ArchiveReaderTest : public testing::Test {
  protected:
    std::string pack(const std::vector<std::string>& options) {
        std::vector<std::string> args = options;
        args.insert(
            args.end(),
            {"-C", (dir_.path() / "tree").string(), "-cf", (dir_.path() / "a.tar").string(), "."});
        const ProcessResult result = runner_.run(Command{"tar", args, {{"PATH", "/usr/bin:/bin"}}});
        EXPECT_TRUE(result.ok()) << result.output;
        return read_text_file(dir_.path() / "a.tar");
    }

    void SetUp() override {
        const fs::path tree = dir_.path() / "tree";
        fs::create_directories(tree / "usr" / std::string(120, 'd'));
        write_file_atomically(tree / "usr/file", "hello", 0640);
        write_file_atomically(
            tree / "usr/F\xc5\x91"
                   "tan\xc3\xba.crt",
            "x");
        write_file_atomically(tree / "usr" / std::string(120, 'd') / std::string(200, 'f'), "long");
        fs::create_symlink("../file", tree / "usr/link");
        fs::create_hard_link(tree / "usr/file", tree / "usr/second");
    }

    SystemProcessRunner runner_;
    TempDir dir_{temporary_root(), "archive-reader-test"};
};

struct Read {
    FileTree tree;
    std::map<std::string, std::string> contents;
};

Read read_all(std::string_view bytes) {
    MemorySource source(as_byte_span(bytes));
    ArchiveReader reader(source, "test.tar");
    Read out;
    while (auto member = reader.next()) {
        MemorySink sink;
        copy(reader.content(), sink);
        out.contents[member->path] = sink.text();
        out.tree.put(member->path, member->entry);
    }
    return out;
}

const std::vector<std::string> kOwner = {
    "--sort=name", "--owner=12:12", "--group=34:34", "--mtime=@1000000000"};

std::vector<std::string> with(std::vector<std::string> more) {
    more.insert(more.end(), kOwner.begin(), kOwner.end());
    return more;
}

void expect_the_tree(const Read& got) {
    EXPECT_EQ(got.tree.find("")->type, FileType::directory);
    const Entry& file = *got.tree.find("usr/file");
    EXPECT_EQ(file.mode, 0640U);
    EXPECT_EQ(file.uid, 12U);
    EXPECT_EQ(file.gid, 34U);
    EXPECT_EQ(file.mtime, 1000000000);
    EXPECT_EQ(file.size, 5U);
    EXPECT_EQ(got.contents.at("usr/file"), "hello");
    EXPECT_EQ(got.tree.find("usr/link")->target, "../file");
    EXPECT_EQ(got.tree.find("usr/second")->hardlink_to, "usr/file");
    EXPECT_EQ(
        got.contents.at("usr/F\xc5\x91"
                        "tan\xc3\xba.crt"),
        "x");
    EXPECT_EQ(
        got.contents.at("usr/" + std::string(120, 'd') + "/" + std::string(200, 'f')), "long");
}

TEST_F(ArchiveReaderTest, ReadsTheFormatsAndCompressionsThatGnuTarWrites) {
    for (const char* format : {"--format=gnu", "--format=pax"}) {
        for (const char* filter : {"--gzip", "--xz", "--zstd", "--bzip2", ""}) {
            std::vector<std::string> options = with({format});
            if (*filter != '\0') {
                options.emplace_back(filter);
            }
            SCOPED_TRACE(join(options, " "));
            expect_the_tree(read_all(pack(options)));
        }
    }
}

TEST_F(ArchiveReaderTest, FillsHolesWithZeros) {
    const fs::path path = dir_.path() / "tree/usr/sparse";
    write_file_atomically(path, std::string(4096, 'a'));
    fs::resize_file(path, 3 << 20);
    const Read got = read_all(pack(with({"--sparse", "--hole-detection=raw", "--format=gnu"})));
    EXPECT_EQ(
        got.contents.at("usr/sparse"),
        std::string(4096, 'a') + std::string((3 << 20) - 4096, '\0'));
}

TEST_F(ArchiveReaderTest, SkipsContentThatIsNotRead) {
    const std::string bytes = pack(with({"--format=gnu"}));
    MemorySource source(as_byte_span(bytes));
    ArchiveReader reader(source, "test.tar");
    std::size_t count = 0;
    while (reader.next()) {
        ++count;
    }
    EXPECT_EQ(count, 8U);
}

TEST_F(ArchiveReaderTest, NamesTheArchiveThatIsDamaged) {
    const auto refusal = [](std::string_view bytes) {
        try {
            static_cast<void>(read_all(bytes));
        } catch (const Error& error) {
            EXPECT_EQ(error.exit_code(), ExitCode::failed);
            return error.message();
        }
        return std::string("none");
    };
    const std::string tar = pack(with({"--format=gnu"}));
    const std::string gzip = pack(with({"--gzip"}));
    EXPECT_EQ(
        refusal(std::string_view(tar).substr(0, tar.size() / 2)),
        "archive 'test.tar' is damaged or truncated");
    const std::string unknown =
        "archive 'test.tar' is not an archive that kiln can read, or is damaged";
    EXPECT_EQ(refusal(std::string_view(gzip).substr(0, gzip.size() / 2)), unknown);
    EXPECT_EQ(refusal("this is no archive at all"), unknown);
}

TEST_F(ArchiveReaderTest, LetsTheSourcesOwnFailureThrough) {
    class Broken final : public Source {
      public:
        std::size_t read(std::span<std::byte>) override { throw Error("the disk is on fire"); }
    };

    Broken source;
    try {
        ArchiveReader reader(source, "test.tar");
        static_cast<void>(reader.next());
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.message(), "the disk is on fire");
    }
}

TEST_F(ArchiveReaderTest, DecompressesAnyStreamAndPassesPlainOnes) {
    const std::string plain = pack(with({}));
    for (const char* filter : {"--gzip", "--xz", "--zstd"}) {
        const std::string packed = pack(with({filter}));
        MemorySource source(as_byte_span(packed));
        DecompressSource decompressed(source, "x");
        MemorySink sink;
        copy(decompressed, sink);
        EXPECT_EQ(sha256(sink.text()), sha256(plain)) << filter;
    }
    for (const std::string& text : {plain, std::string("short"), std::string()}) {
        MemorySource source(as_byte_span(text));
        DecompressSource same(source, "x");
        MemorySink sink;
        copy(same, sink);
        EXPECT_EQ(sink.text(), text);
    }
}

TEST(MemberPath, IsNormalised) {
    EXPECT_EQ(normalize_member_path("./usr//bin/"), "usr/bin");
    EXPECT_EQ(normalize_member_path("./"), "");
    EXPECT_EQ(normalize_member_path("."), "");
    EXPECT_EQ(normalize_member_path("a..b/...c"), "a..b/...c");
}

TEST(MemberPath, RefusesAbsoluteAndUpwardNames) {
    for (const char* raw : {"", "/etc/passwd", "../x", "a/../../b", "a/.."}) {
        try {
            static_cast<void>(normalize_member_path(raw));
            FAIL() << raw;
        } catch (const Error& error) {
            EXPECT_EQ(
                error.message(), "archive member has an invalid name '" + std::string(raw) + "'");
        }
    }
}

} // namespace
} // namespace kiln
