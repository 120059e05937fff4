// SPDX-License-Identifier: MIT
#include "run/bounded_log.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <span>
#include <string>
#include <utility>

namespace kiln {

BoundedLog::BoundedLog(
    fs::path path, std::uint64_t limit, std::uint64_t kept, std::chrono::milliseconds pause)
    : path_(std::move(path)), limit_(limit), kept_(kept), pause_(pause),
      thread_([this](const std::stop_token& stop) { watch(stop); }) {}

/// What is written between the reading and the cut is lost, which nobody misses of so much.
void BoundedLog::trim() const {
    const UniqueFd fd(::open(path_.c_str(), O_RDWR | O_APPEND | O_NOFOLLOW | O_CLOEXEC));
    struct stat status{};
    if (!fd.is_open() || ::fstat(fd.get(), &status) != 0) {
        return;
    }
    const auto size = static_cast<std::uint64_t>(status.st_size);
    if (size <= limit_) {
        return;
    }
    std::string end(static_cast<std::size_t>(kept_), '\0');
    read_exactly_at(fd.get(), std::as_writable_bytes(std::span(end)), size - kept_, path_);
    if (::ftruncate(fd.get(), 0) == 0) {
        write_all(fd.get(), as_byte_span(end), path_);
    }
}

void BoundedLog::watch(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
        try {
            trim();
        } catch (const Error&) { // no log is worth ending for
            return;
        }
        changed_.wait_for(lock, stop, pause_, [] { return false; });
    }
}

} // namespace kiln
