// SPDX-License-Identifier: MIT
//
// ext4_bench TREE WORK: writes TREE as ext4 into WORK, by kiln and by mke2fs -d, and checks both.
#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "formats/ext4.hpp"
#include "support/scan_tree.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>

namespace {

using namespace kiln;

double seconds(const std::function<void()>& body) {
    const auto start = std::chrono::steady_clock::now();
    body();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double write_with_kiln(const FileTree& tree, const fs::path& image, std::uint64_t& size) {
    Ext4Options options;
    options.uuid = uuid_from(sha256("bench"));
    options.hash_seed = uuid_from(sha256("bench hash"));
    options.label = "bench";
    options.epoch = 1700000000;
    options.free_bytes = 64 << 20;
    const UniqueFd fd = open_file(image, O_RDWR | O_CREAT | O_TRUNC);
    return seconds([&] {
        size = ext4_size(tree, options);
        if (::ftruncate(fd.get(), static_cast<off_t>(size)) != 0) {
            throw SystemError("cannot resize");
        }
        write_ext4(tree, options, {fd.get(), 0, size, image}, [](std::uint64_t) {});
    });
}

void run_checked(const std::string& program, const std::vector<std::string>& args) {
    int status = 0;
    const std::string output = testing::run_tool(program, args, status);
    if (status != 0) {
        throw Error(fmt::format("{} failed ({}):\n{}", program, status, output));
    }
}

void bench(const fs::path& root, const fs::path& work) {
    FileTree tree;
    const double scan = seconds([&] { tree = testing::scan_tree(root); });
    fmt::print(
        "{} paths, {:.0f} MB, scanned in {:.2f} s\n",
        tree.entries().size(),
        static_cast<double>(tree.content_bytes()) / 1e6,
        scan);
    std::uint64_t size = 0;
    const fs::path ours = work / "kiln.ext4";
    const fs::path theirs = work / "mke2fs.ext4";
    for (int round = 0; round < 3; ++round) {
        const double kiln_time = write_with_kiln(tree, ours, size);
        fs::remove(theirs);
        const double peer_time = seconds([&] {
            run_checked(
                "mke2fs",
                {"-q", "-t", "ext4", "-d", root, theirs, fmt::format("{}k", size / 1024)});
        });
        fmt::print(
            "kiln {:.2f} s   mke2fs -d {:.2f} s   ratio {:.1f}   ({} MiB)\n",
            kiln_time,
            peer_time,
            peer_time / kiln_time,
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
        bench(argv[1], argv[2]);
    } catch (const kiln::Error& error) {
        fmt::print(stderr, "error: {}\n", error.message());
        return 1;
    }
    return 0;
}
