// SPDX-License-Identifier: MIT
#include "base/io/file_stream.hpp"

#include "base/error.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

namespace kiln {

namespace {

/// Emptied after it was looked at, so that nothing of another file is lost.
UniqueFd open_truncated(const fs::path& path, unsigned mode) {
    UniqueFd fd = open_own_file(path, O_WRONLY | O_CREAT, mode);
    if (::ftruncate(fd.get(), 0) != 0 || ::fchmod(fd.get(), mode) != 0) {
        throw SystemError(fmt::format("cannot write '{}'", path.string()));
    }
    return fd;
}

} // namespace

OwnFileStream::Buffer::Buffer(UniqueFd fd, fs::path path)
    : fd_(std::move(fd)), path_(std::move(path)) {
    setp(text_.data(), text_.data() + text_.size());
}

OwnFileStream::Buffer::int_type OwnFileStream::Buffer::overflow(int_type c) {
    if (sync() != 0) {
        return traits_type::eof();
    }
    if (!traits_type::eq_int_type(c, traits_type::eof())) {
        *pptr() = traits_type::to_char_type(c);
        pbump(1);
    }
    return traits_type::not_eof(c);
}

int OwnFileStream::Buffer::sync() {
    const auto size = static_cast<std::size_t>(pptr() - pbase());
    setp(text_.data(), text_.data() + text_.size());
    try {
        write_all(fd_.get(), as_byte_span({text_.data(), size}), path_);
    } catch (const Error&) { // the stream's own way to say so
        return -1;
    }
    return 0;
}

OwnFileStream::OwnFileStream(const fs::path& path, unsigned mode)
    : std::ostream(nullptr), buffer_(open_truncated(path, mode), path) {
    rdbuf(&buffer_);
}

OwnFileStream::~OwnFileStream() {
    flush();
}

} // namespace kiln
