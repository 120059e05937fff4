// SPDX-License-Identifier: MIT
#include "archive/archive_reader.hpp"
#include "archive/tar_writer.hpp"
#include "base/error.hpp"
#include "base/io/file.hpp"
#include "base/process/process.hpp"
#include "support/sample_trees.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

using testing::HasSubstr;

std::string write_tar(const FileTree& tree) {
    MemorySink sink;
    TarWriter writer(sink);
    for (const auto& [path, entry] : tree.entries()) {
        writer.add(path, entry);
    }
    writer.finish();
    return std::string(sink.text());
}

std::string message_of(const std::function<void()>& body) {
    try {
        body();
    } catch (const Error& error) {
        EXPECT_EQ(error.exit_code(), ExitCode::failed);
        return error.message();
    }
    return "no error";
}

TEST(TarWriter, WritesTheSameBytesForever) {
    EXPECT_EQ(
        sha256(write_tar(test::full_tree())).hex(),
        "71c38614ee4a33dd19c8b6c8293eae3597b28b80006d7add4b02d5efa57126f5");
}

TEST(TarWriter, IsReadBackUnchanged) {
    const FileTree tree = test::full_tree();
    const std::string tar = write_tar(tree);
    MemorySource source(as_byte_span(tar));
    ArchiveReader reader(source, "test.tar");
    FileTree again;
    while (auto member = reader.next()) {
        DigestSink digest;
        copy(reader.content(), digest);
        if (!member->entry.hardlink_to.empty()) {
            member->entry = test::hardlink(again, member->entry.hardlink_to);
        } else if (member->entry.type == FileType::regular) {
            member->entry.content = digest.digest();
        }
        again.put(member->path, member->entry);
    }
    EXPECT_EQ(again.digest(), tree.digest());
}

TEST(TarWriter, IsReadByPythonWithEveryField) {
    const TempDir dir(temporary_root(), "tar-writer-test");
    write_file_atomically(dir.path() / "a.tar", write_tar(test::full_tree()));
    const char* script = R"(
import sys, tarfile
t = tarfile.open(sys.argv[1], errors="surrogateescape")
m = {x.name: x for x in t}
def check(ok, what):
    if not ok: sys.exit("wrong: " + what)
deep = "usr/" + "d" * 90
check(m["."].isdir(), "root")
check(m["usr/bin/perl5"].islnk() and m["usr/bin/perl5"].linkname == "usr/bin/perl", "link")
check(m["usr/bin/perl"].size == 3 << 20, "size")
check(m["usr/bin/sudo"].mode == 0o4755, "mode")
check(t.extractfile(m[deep + "/" + "s" * 60]).read() == b"prefix and name", "prefix")
check(t.extractfile(m[deep + "/" + "l" * 200]).read() == b"pax path", "path")
check("usr/F\u0151tan\u00fa.crt" in m, "UTF-8")
check("usr/latin1-\udce9" in m, "bytes")
check(m["usr/big"].uid == 3000000 and m["usr/big"].gid == 4000000, "ids")
check(m["usr/big"].mtime == -1, "mtime")
check(m["usr/long"].linkname == "t" * 150, "linkpath")
check(m["dev/vda"].isblk() and m["dev/vda"].devmajor == 254, "block device")
check(m["dev/null"].ischr() and m["dev/null"].devminor == 3, "character device")
check(m["dev/initctl"].isfifo(), "fifo")
check(m["usr/bin/ping"].pax_headers["SCHILY.xattr.user.note"] == "two\nlines = fine", "xattr")
check(all(x.uname == "" and x.gname == "" for x in t), "names of owners")
check(all("atime" not in x.pax_headers and "ctime" not in x.pax_headers for x in t), "times")
)";
    SystemProcessRunner runner;
    const ProcessResult result = runner.run(Command{
        "python3", {"-c", script, (dir.path() / "a.tar").string()}, {{"PATH", "/usr/bin:/bin"}}});
    EXPECT_EQ(result.exit_status, 0) << result.output;
}

TEST(TarWriter, IsReadByGnuTarWithoutAWarning) {
    const TempDir dir(temporary_root(), "tar-writer-test");
    FileTree tree = test::full_tree();
    tree.erase_tree("usr/latin1-\xe9"); // its hdrcharset record is POSIX, but unknown to GNU tar
    write_file_atomically(dir.path() / "a.tar", write_tar(tree));
    SystemProcessRunner runner;
    const ProcessResult result = runner.run(Command{
        "tar",
        {"--numeric-owner", "-tvf", (dir.path() / "a.tar").string()},
        {{"PATH", "/usr/bin:/bin"}, {"TZ", "UTC"}, {"LC_ALL", "C.UTF-8"}}});
    EXPECT_EQ(result.exit_status, 0);
    EXPECT_THAT(result.output, testing::Not(HasSubstr("tar: ")));
    EXPECT_THAT(result.output, HasSubstr("-rwsr-xr-x 0/0"));
    EXPECT_THAT(result.output, HasSubstr("2026-04-01 12:00 usr/bin/sudo\n"));
    EXPECT_THAT(result.output, HasSubstr("usr/bin/perl5 link to usr/bin/perl\n"));
    EXPECT_THAT(
        result.output, HasSubstr("brw------- 0/0           254,0 2026-04-01 12:00 dev/vda\n"));
}

TEST(TarWriter, StatesSizesBeyond8GiBInAPaxRecord) {
    MemorySink sink;
    TarWriter writer(sink);
    Entry entry = test::file("x");
    entry.size = std::uint64_t{9} << 30U;
    EXPECT_THROW(writer.add("big", entry), Error);
    EXPECT_THAT(std::string(sink.text()), HasSubstr("19 size=9663676416\n"));
}

TEST(TarWriter, RefusesContentThatIsNotWhatTheTreeSays) {
    NullSink sink;
    TarWriter writer(sink);
    Entry entry = test::file("right");
    entry.data = std::make_shared<const std::string>("wrong");
    EXPECT_EQ(message_of([&] { writer.add("etc/x", entry); }), "checksum mismatch for '/etc/x'");
    entry = test::file("short");
    entry.size = 9;
    EXPECT_EQ(message_of([&] { writer.add("etc/x", entry); }), "checksum mismatch for '/etc/x'");
}

TEST(TarWriter, RefusesWhatTarCannotHold) {
    NullSink sink;
    TarWriter writer(sink);
    EXPECT_EQ(
        message_of([&] { writer.add("run/s", test::device(FileType::socket, 0, 0)); }),
        "a tar archive cannot store sockets");
    Entry entry = test::file("x");
    entry.xattrs["user.a=b"] = "c";
    EXPECT_EQ(
        message_of([&] { writer.add("x", entry); }),
        "a tar archive cannot store the extended attribute 'user.a=b'");
}

} // namespace
} // namespace kiln
