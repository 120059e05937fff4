// SPDX-License-Identifier: MIT
#include "support/script_server.hpp"

#include "base/text.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <optional>
#include <utility>

namespace kiln::test {

namespace {

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
    return !stopping_ && send_all(fd_, bytes);
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
    : script_(std::move(script)), server_([this](int fd) { serve(fd); }) {}

ScriptServer::~ScriptServer() {
    stopping_ = true;
}

std::vector<ScriptServer::Request> ScriptServer::requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
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
}

} // namespace kiln::test
