// SPDX-License-Identifier: MIT
#include "publish/s3/file_window.hpp"

#include "base/interrupt.hpp"
#include "base/io/md5.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace kiln {

class WatchedFile::Window final : public Source {
  public:
    Window(
        const WatchedFile& file,
        std::uint64_t offset,
        std::uint64_t size,
        std::function<void(std::size_t)> on_bytes)
        : file_(file), offset_(offset), left_(size), on_bytes_(std::move(on_bytes)) {}

    std::size_t read(std::span<std::byte> buffer) override {
        const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), left_));
        if (count == 0) {
            return 0;
        }
        read_exactly_at(file_.fd_.get(), buffer.first(count), offset_, file_.path_);
        offset_ += count;
        left_ -= count;
        if (on_bytes_) {
            on_bytes_(count);
        }
        return count;
    }

  private:
    const WatchedFile& file_;
    std::uint64_t offset_;
    std::uint64_t left_;
    std::function<void(std::size_t)> on_bytes_;
};

WatchedFile::WatchedFile(fs::path path)
    : path_(std::move(path)), fd_(open_regular_file(path_)), stamp_(stamp()) {}

WatchedFile::Stamp WatchedFile::stamp() const {
    struct stat status{};
    if (::fstat(fd_.get(), &status) != 0) {
        throw SystemError(fmt::format("cannot read '{}'", path_.string()));
    }
    constexpr std::int64_t kNanoseconds = 1'000'000'000;
    return {
        static_cast<std::uint64_t>(status.st_size),
        std::int64_t{status.st_mtim.tv_sec} * kNanoseconds + status.st_mtim.tv_nsec};
}

WindowDigests WatchedFile::digests_of(std::uint64_t offset, std::uint64_t size) const {
    const std::unique_ptr<Source> window = open(offset, size);
    Md5Source md5(*window);
    DigestSink sha256;
    copy(md5, sha256);
    return {sha256.digest(), md5.hex()};
}

Digest WatchedFile::digest() const {
    DigestSink sink;
    copy(*open(0, size()), sink);
    return sink.digest();
}

std::unique_ptr<Source> WatchedFile::open(
    std::uint64_t offset, std::uint64_t size, std::function<void(std::size_t)> on_bytes) const {
    return std::make_unique<Window>(*this, offset, size, std::move(on_bytes));
}

void WatchedFile::require_unchanged() const {
    if (stamp() != stamp_) {
        throw changed();
    }
}

Error WatchedFile::changed() const {
    return Error(fmt::format("'{}' changed while it was uploaded", path_.string()))
        .with_hint("run the command again, with a file that nobody writes to");
}

} // namespace kiln
