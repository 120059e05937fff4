// SPDX-License-Identifier: MIT
//
// qcow2_bench RAW WORK: makes a compressed qcow2 of the disk RAW in WORK with 1 and 2 threads and
// with a warm cluster cache, beside qemu-img convert -c; all are compared with RAW.
#include "base/error.hpp"
#include "base/io/digest.hpp"
#include "base/io/file.hpp"
#include "bench/clock.hpp"
#include "disk/qcow2/qcow2.hpp"
#include "support/scan_tree.hpp"

#include <fcntl.h>
#include <fmt/format.h>

namespace {

using namespace kiln;

void run_checked(const std::string& program, const std::vector<std::string>& args) {
    int status = 0;
    const std::string output = test::run_tool(program, args, status);
    if (status != 0) {
        throw Error(fmt::format("{} failed ({}):\n{}", program, status, output));
    }
}

void run_bench(const fs::path& raw, const fs::path& work) {
    const UniqueFd fd = open_file(raw, O_RDONLY);
    const fs::path theirs = work / "qemu-img.qcow2";
    const fs::path ours = work / "kiln.qcow2";
    const bench::Times peer = bench::measure([&] {
        run_checked("qemu-img", {"convert", "-c", "-f", "raw", "-O", "qcow2", raw, theirs});
    });
    const auto report = [&](std::string_view name, bench::Times time, const fs::path& image) {
        fmt::print(
            "{:28} {:6.2f} s ({:5.2f}x)   CPU {:6.2f} s ({:5.2f}x)   {:.1f} MB\n",
            name,
            time.wall,
            peer.wall / time.wall,
            time.cpu,
            peer.cpu / time.cpu,
            static_cast<double>(fs::file_size(image)) / 1e6);
    };
    report("qemu-img convert -c", peer, theirs);
    fs::remove_all(work / "cache");
    FileClusterCache cache(work / "cache", qcow2_encoder(), 1ULL << 32);
    const auto run = [&](std::string_view name, const Qcow2Options& options) {
        report(
            name,
            bench::measure([&] { write_qcow2(fd.get(), ours, options, [](std::uint64_t) {}); }),
            ours);
    };
    run("kiln, 1 thread", {1, true, nullptr});
    const Digest first = sha256_file(ours);
    run("kiln, 2 threads", {2, true, nullptr});
    run("kiln, 2 threads, cold cache", {2, true, &cache});
    run("kiln, 2 threads, warm cache", {2, true, &cache});
    if (sha256_file(ours) != first) {
        throw Error("the bytes differ between runs");
    }
    run_checked("qemu-img", {"check", ours});
    run_checked("qemu-img", {"compare", "-f", "raw", "-F", "qcow2", raw, ours});
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        fmt::print(stderr, "usage: qcow2_bench RAW WORK\n");
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
