// SPDX-License-Identifier: MIT
#include "support/script_server.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <utility>

namespace kiln::test {

namespace {

std::string receive(int fd) {
    std::array<char, 65536> buffer{};
    const ssize_t count = ::recv(fd, buffer.data(), buffer.size(), 0);
    return count <= 0 ? std::string() : std::string(buffer.data(), static_cast<std::size_t>(count));
}

/// Nothing when the peer has gone or does not speak HTTP (TLS begins with 0x16).
std::optional<ScriptServer::Request> read_request(int fd) {
    ScriptServer::Request out;
    std::size_t end = std::string::npos;
    while (end == std::string::npos) {
        const std::string more = receive(fd);
        out.head += more;
        if (more.empty() || out.head.front() == '\x16') {
            return std::nullopt;
        }
        end = out.head.find("\r\n\r\n");
    }
    out.body = out.head.substr(end + 4);
    out.head.resize(end + 2);
    const std::vector<std::string> words = split(out.head.substr(0, out.head.find('\r')), ' ');
    out.method = words.at(0);
    out.target = words.at(1);
    const auto size = parse_unsigned(out.header("Content-Length")).value_or(0);
    while (out.body.size() < size) {
        const std::string more = receive(fd);
        if (more.empty()) {
            return std::nullopt;
        }
        out.body += more;
    }
    return out;
}

} // namespace

std::string ScriptServer::Request::header(std::string_view name) const {
    const std::string start = fmt::format("\r\n{}: ", name);
    const std::size_t at = head.find(start);
    if (at == std::string::npos) {
        return {};
    }
    const std::size_t begin = at + start.size();
    return head.substr(begin, head.find('\r', begin) - begin);
}

bool ScriptServer::Connection::send(std::string_view bytes) {
    while (!bytes.empty() && !stopping_) {
        const ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count <= 0) {
            return false;
        }
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return !stopping_;
}

void ScriptServer::Connection::answer(int status, std::string_view body, std::string_view headers) {
    send(fmt::format(
        "HTTP/1.1 {} Toy\r\nContent-Length: {}\r\nConnection: close\r\n{}\r\n{}",
        status,
        body.size(),
        headers,
        body));
}

void ScriptServer::Connection::repeat(std::string_view bytes, std::chrono::milliseconds pause) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (send(bytes) && std::chrono::steady_clock::now() < end) {
        std::this_thread::sleep_for(pause);
    }
}

ScriptServer::ScriptServer(Script script)
    : script_(std::move(script)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_.get(), generic, size) != 0 || ::listen(listener_.get(), 64) != 0 ||
        ::getsockname(listener_.get(), generic, &size) != 0) {
        throw SystemError("cannot listen on loopback");
    }
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_loop(); });
}

ScriptServer::~ScriptServer() {
    stopping_ = true;
    ::shutdown(listener_.get(), SHUT_RDWR);
    acceptor_.join();
    {
        const std::lock_guard lock(mutex_);
        for (const int fd : open_) {
            ::shutdown(fd, SHUT_RDWR);
        }
    }
    for (std::thread& thread : threads_) {
        thread.join();
    }
}

std::string ScriptServer::host() const {
    return fmt::format("127.0.0.1:{}", port_);
}

std::vector<ScriptServer::Request> ScriptServer::requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
}

void ScriptServer::accept_loop() {
    while (true) {
        const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) {
            return;
        }
        const std::lock_guard lock(mutex_);
        open_.push_back(fd);
        threads_.emplace_back([this, fd] { serve(fd); });
    }
}

void ScriptServer::serve(int fd) {
    if (auto request = read_request(fd)) {
        {
            const std::lock_guard lock(mutex_);
            requests_.push_back(*request);
        }
        Connection connection(fd, stopping_);
        script_(*request, connection);
        ::shutdown(fd, SHUT_WR); // what was sent arrives before the end
    }
    const std::lock_guard lock(mutex_);
    std::erase(open_, fd);
    ::close(fd);
}

} // namespace kiln::test
