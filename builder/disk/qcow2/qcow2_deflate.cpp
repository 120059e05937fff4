// SPDX-License-Identifier: MIT
#include "disk/qcow2/qcow2_deflate.hpp"

#include "base/error.hpp"
#include "base/io/digest.hpp"
#include "disk/qcow2/qcow2.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <string>

namespace kiln {

namespace {

constexpr std::size_t kProbeSize = 65536;

/// REPRO: raw deflate with QEMU's window of 4 KiB, which every reader of the format takes. Level
/// and memory were chosen by measuring: 1 % larger than QEMU's own (6, 9) in half of its time.
constexpr int kWindowBits = -12;
constexpr int kMemLevel = 7;
constexpr int kLevel = 4;

} // namespace

/// A zlib stream that is used again and again.
class Deflater {
  public:
    Deflater() {
        KILN_CHECK(
            ::deflateInit2(
                &stream_, kLevel, Z_DEFLATED, kWindowBits, kMemLevel, Z_DEFAULT_STRATEGY) == Z_OK);
    }

    Deflater(const Deflater&) = delete;
    Deflater& operator=(const Deflater&) = delete;

    ~Deflater() { ::deflateEnd(&stream_); }

    /// The deflated cluster, or nothing when that is not smaller.
    std::vector<std::byte> run(Bytes cluster) {
        std::vector<std::byte> out(cluster.size() - 1);
        ::deflateReset(&stream_);
        stream_.next_in =
            const_cast<Bytef*>(reinterpret_cast<const Bytef*>(cluster.data())); // NOLINT
        stream_.avail_in = static_cast<uInt>(cluster.size());
        stream_.next_out = reinterpret_cast<Bytef*>(out.data());
        stream_.avail_out = static_cast<uInt>(out.size());
        const bool fits = ::deflate(&stream_, Z_FINISH) == Z_STREAM_END;
        out.resize(fits ? out.size() - stream_.avail_out : 0);
        return out;
    }

  private:
    z_stream stream_{};
};

DeflaterPool::DeflaterPool() = default;
DeflaterPool::~DeflaterPool() = default;

std::vector<std::byte> DeflaterPool::run(Bytes cluster) {
    std::unique_ptr<Deflater> deflater = take();
    std::vector<std::byte> out = deflater->run(cluster);
    const std::lock_guard guard(mutex_);
    idle_.push_back(std::move(deflater));
    return out;
}

std::unique_ptr<Deflater> DeflaterPool::take() {
    const std::lock_guard guard(mutex_);
    if (idle_.empty()) {
        return std::make_unique<Deflater>();
    }
    auto out = std::move(idle_.back());
    idle_.pop_back();
    return out;
}

std::string qcow2_encoder() {
    // Text with repeats at many distances shows most changes of a match finder.
    std::string probe;
    std::uint32_t state = 1;
    while (probe.size() < kProbeSize) {
        state = state * 1664525 + 1013904223;
        probe += fmt::format("{:x} {} ", state >> 20, state >> 28);
    }
    probe.resize(kProbeSize);
    return fmt::format(
        "zlib {} level {} window {} memory {} probe {}",
        ::zlibVersion(),
        kLevel,
        kWindowBits,
        kMemLevel,
        sha256(Deflater().run(as_byte_span(probe))).hex());
}

} // namespace kiln
