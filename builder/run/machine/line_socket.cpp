// SPDX-License-Identifier: MIT
#include "run/machine/line_socket.hpp"

#include "base/error.hpp"
#include "base/interrupt.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace kiln {

LineSocket::LineSocket(const fs::path& path)
    : path_(path), fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string name = path.string();
    if (name.size() >= sizeof address.sun_path) {
        throw Error(fmt::format("the socket path '{}' is too long", name))
            .with_hint("set TMPDIR to a directory with a shorter path");
    }
    std::ranges::copy(name, std::begin(address.sun_path));
    if (!fd_.is_open() ||
        ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        throw SystemError(fmt::format("cannot connect to '{}'", name));
    }
}

void LineSocket::send(std::string_view line) {
    std::string text(line);
    text += '\n';
    std::string_view left = text;
    while (!left.empty()) {
        const ssize_t count = ::send(fd_.get(), left.data(), left.size(), MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) {
            throw_if_interrupted();
            continue;
        }
        if (count < 0) {
            throw SystemError(fmt::format("cannot write to '{}'", path_.string()));
        }
        left.remove_prefix(static_cast<std::size_t>(count));
    }
}

std::optional<std::string> LineSocket::receive(std::chrono::milliseconds limit) {
    constexpr int kSliceMs = 200;
    const auto end_time = std::chrono::steady_clock::now() + limit;
    while (true) {
        if (const std::size_t end = pending_.find('\n'); end != std::string::npos) {
            std::string line = pending_.substr(0, end);
            pending_.erase(0, end + 1);
            if (line.ends_with('\r')) {
                line.pop_back();
            }
            return line;
        }
        throw_if_interrupted();
        if (std::chrono::steady_clock::now() >= end_time) {
            return std::nullopt;
        }
        pollfd ready{fd_.get(), POLLIN, 0};
        if (::poll(&ready, 1, kSliceMs) <= 0) {
            continue;
        }
        std::array<char, 65536> buffer{};
        const ssize_t count = ::read(fd_.get(), buffer.data(), buffer.size());
        if (count == 0) {
            throw Error(fmt::format("'{}' was closed", path_.string()));
        }
        if (count < 0 && errno != EINTR) {
            throw SystemError(fmt::format("cannot read from '{}'", path_.string()));
        }
        if (count > 0) {
            pending_.append(buffer.data(), static_cast<std::size_t>(count));
        }
    }
}

} // namespace kiln
