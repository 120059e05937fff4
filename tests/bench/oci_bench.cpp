// SPDX-License-Identifier: MIT
//
// oci_bench FILE: compresses FILE (a tar of an installed system, say) in memory with our sinks on
// one thread and on all, and with gzip and zstd, and prints the time of each.
#include "archive/archive_reader.hpp"
#include "archive/gzip.hpp"
#include "archive/zstd.hpp"
#include "base/error.hpp"
#include "base/io/file.hpp"
#include "base/parallel.hpp"
#include "base/process/process.hpp"

#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <functional>

namespace {

/// Processor time of this process and of the programs it ran, in seconds.
double processor_time() {
    double total = 0;
    for (const int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
        rusage usage{};
        ::getrusage(who, &usage);
        for (const timeval& time : {usage.ru_utime, usage.ru_stime}) {
            total += static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
        }
    }
    return total;
}

/// Processor time is beside the clock's, which says little on a busy machine.
void report(const char* what, std::size_t in, const std::function<std::size_t()>& body) {
    const auto start = std::chrono::steady_clock::now();
    const double processor_start = processor_time();
    const std::size_t out = body();
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
    std::printf(
        "%-28s %7.2f s %7.2f s cpu %8.1f MB/s %6.1f %%\n",
        what,
        time.count(),
        processor_time() - processor_start,
        static_cast<double>(in) / 1e6 / time.count(),
        100.0 * static_cast<double>(out) / static_cast<double>(in));
}

template <typename Compressor> std::size_t compress(std::string_view text, unsigned jobs) {
    kiln::MemorySink out;
    Compressor sink(out, jobs);
    sink.write_text(text);
    sink.finish();
    return out.data().size();
}

std::size_t run_tool(const char* program, std::vector<std::string> args) {
    kiln::SystemProcessRunner runner;
    kiln::Command command{program, std::move(args), {{"PATH", "/usr/bin:/bin"}}};
    command.separate_stderr = true;
    return runner.run(command).output.size();
}

void run_bench(const std::string& path) {
    const std::string text = kiln::read_text_file(path);
    const unsigned jobs = kiln::default_jobs();
    std::printf(
        "%s: %.1f MB, %u processors\n", path.c_str(), static_cast<double>(text.size()) / 1e6, jobs);
    const std::size_t size = text.size();
    report("gzip -6", size, [&] { return run_tool("gzip", {"-6", "-c", path}); });
    report("GzipSink, 1 thread", size, [&] { return compress<kiln::GzipSink>(text, 1); });
    report("GzipSink, all processors", size, [&] { return compress<kiln::GzipSink>(text, jobs); });
    report("zstd -3 -T1", size, [&] { return run_tool("zstd", {"-3", "-T1", "-q", "-c", path}); });
    report("ZstdSink, 1 thread", size, [&] { return compress<kiln::ZstdSink>(text, 1); });
    report("ZstdSink, all processors", size, [&] { return compress<kiln::ZstdSink>(text, jobs); });
    kiln::MemorySink packed;
    kiln::GzipSink sink(packed, jobs);
    sink.write_text(text);
    sink.finish();
    report("decompress gzip and digest", size, [&] {
        kiln::MemorySource source(packed.data());
        kiln::DecompressSource plain(source, "bench");
        kiln::DigestSink digest;
        kiln::copy(plain, digest);
        return packed.data().size();
    });
}

} // namespace

int main(int count, char** arguments) {
    if (count != 2) {
        std::fputs("usage: oci_bench FILE\n", stderr);
        return 2;
    }
    try {
        run_bench(arguments[1]);
    } catch (const kiln::Error& error) {
        std::fprintf(stderr, "error: %s\n", error.what());
        return 1;
    }
    return 0;
}
