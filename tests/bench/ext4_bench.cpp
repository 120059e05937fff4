// SPDX-License-Identifier: MIT
//
// ext4_bench TREE WORK: writes TREE as ext4 into WORK, by kiln and by mke2fs -d, and checks both.
#include "base/error.hpp"
#include "base/io/digest.hpp"
#include "base/io/file.hpp"
#include "bench/clock.hpp"
#include "disk/ext4/ext4.hpp"
#include "support/scan_tree.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace {

using namespace kiln;

bench::Times write_with_kiln(const FileTree& tree, const fs::path& image, std::uint64_t& size) {
    Ext4Options options;
    options.uuid = uuid_from(sha256("bench"));
    options.hash_seed = uuid_from(sha256("bench hash"));
    options.label = "bench";
    options.epoch = 1700000000;
    options.free_bytes = 64 << 20;
    const UniqueFd fd = open_file(image, O_RDWR | O_CREAT | O_TRUNC);
    return bench::measure([&] {
        size = ext4_size(tree, options);
        if (::ftruncate(fd.get(), static_cast<off_t>(size)) != 0) {
            throw SystemError("cannot resize");
        }
        write_ext4(tree, options, {fd.get(), 0, size, image}, [](std::uint64_t) {});
    });
}

void run_checked(const std::string& program, const std::vector<std::string>& args) {
    int status = 0;
    const std::string output = test::run_tool(program, args, status);
    if (status != 0) {
        throw Error(fmt::format("{} failed ({}):\n{}", program, status, output));
    }
}

void run_bench(const fs::path& root, const fs::path& work) {
    FileTree tree;
    const bench::Times scan = bench::measure([&] { tree = test::scan_tree(root); });
    fmt::print(
        "{} paths, {:.0f} MB, scanned in {:.2f} s\n",
        tree.entries().size(),
        static_cast<double>(tree.content_bytes()) / 1e6,
        scan.wall);
    std::uint64_t size = 0;
    const fs::path ours = work / "kiln.ext4";
    const fs::path theirs = work / "mke2fs.ext4";
    for (int round = 0; round < 3; ++round) {
        const bench::Times ours_time = write_with_kiln(tree, ours, size);
        fs::remove(theirs);
        const bench::Times peer_time = bench::measure([&] {
            run_checked(
                "mke2fs",
                {"-q", "-t", "ext4", "-d", root, theirs, fmt::format("{}k", size / 1024)});
        });
        fmt::print(
            "kiln {:.2f} s (CPU {:.2f})   mke2fs -d {:.2f} s (CPU {:.2f})   {:.1f}x   ({} MiB)\n",
            ours_time.wall,
            ours_time.cpu,
            peer_time.wall,
            peer_time.cpu,
            peer_time.wall / ours_time.wall,
            size >> 20);
    }
    run_checked("e2fsck", {"-fn", ours});
    run_checked("e2fsck", {"-fn", theirs});
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        fmt::print(stderr, "usage: ext4_bench TREE WORK\n");
        return 2;
    }
    try {
        run_bench(argv[1], argv[2]);
    } catch (const kiln::Error& error) {
        fmt::print(stderr, "error: {}\n", error.message());
        return 1;
    }
    return 0;
}
