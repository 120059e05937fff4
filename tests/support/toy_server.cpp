// SPDX-License-Identifier: MIT
#include "support/toy_server.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace kiln::test {

namespace {

/// Reads up to the empty line; empty when the peer has gone.
std::string read_request(int fd) {
    std::string request;
    while (!request.ends_with("\r\n\r\n")) {
        const std::string more = receive(fd);
        if (more.empty()) {
            return {};
        }
        request += more;
    }
    return request;
}

std::string head(int status, std::size_t length, const std::string& more = {}) {
    return fmt::format("HTTP/1.1 {} Toy\r\nContent-Length: {}\r\n{}\r\n", status, length, more);
}

/// "Range: bytes=5-" to 5.
std::optional<std::uint64_t> range_of(const std::string& request) {
    constexpr std::string_view kHeader = "\r\nRange: bytes=";
    const std::size_t at = request.find(kHeader);
    if (at == std::string::npos) {
        return std::nullopt;
    }
    const std::size_t begin = at + kHeader.size();
    return parse_unsigned(request.substr(begin, request.find('-', begin) - begin));
}

} // namespace

ToyServer::ToyServer(std::filesystem::path root)
    : root_(std::move(root)), server_([this](int fd) { serve(fd); }) {}

void ToyServer::fail(const std::string& path, int status, int times) {
    const std::lock_guard lock(mutex_);
    faults_[path].fail_status = status;
    faults_[path].fail_times = times;
}

void ToyServer::cut(const std::string& path, std::size_t bytes, int times) {
    const std::lock_guard lock(mutex_);
    faults_[path].cut_bytes = bytes;
    faults_[path].cut_times = times;
}

void ToyServer::redirect(const std::string& path, std::string target) {
    const std::lock_guard lock(mutex_);
    faults_[path].target = std::move(target);
}

void ToyServer::ignore_ranges() {
    const std::lock_guard lock(mutex_);
    ranges_ = false;
}

std::vector<std::string> ToyServer::requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
}

void ToyServer::serve(int fd) {
    for (std::string request = read_request(fd); !request.empty(); request = read_request(fd)) {
        const Answer reply = answer(request);
        const std::string_view body = reply.body;
        if (!send_all(fd, reply.head) ||
            !send_all(fd, reply.cut ? body.substr(0, reply.cut_bytes) : body) || reply.cut) {
            break;
        }
    }
}

ToyServer::Answer ToyServer::answer(const std::string& request) {
    const std::string path =
        request.substr(4, request.find(' ', 4) - 4); // every request here is "GET /path HTTP/1.1"
    const auto range = range_of(request);
    const std::lock_guard lock(mutex_);
    requests_.push_back(
        fmt::format("GET {}{}", path, range ? fmt::format(" bytes={}-", *range) : ""));
    Fault& fault = faults_[path];
    if (fault.fail_times > 0) {
        --fault.fail_times;
        return {head(fault.fail_status, 5), "fault"};
    }
    if (!fault.target.empty()) {
        return {head(302, 0, fmt::format("Location: {}\r\n", fault.target)), {}};
    }
    const fs::path file = root_ / path.substr(1, path.find('?') - 1);
    if (!fs::is_regular_file(file)) {
        return {head(404, 4), "none"};
    }
    Answer out{{}, read_text_file(file)};
    if (fault.cut_times > 0) {
        --fault.cut_times;
        out.cut = true;
        out.cut_bytes = fault.cut_bytes;
    }
    const std::size_t size = out.body.size();
    if (!range || !ranges_) {
        out.head = head(200, size);
    } else if (*range >= size) {
        return {head(416, 0, fmt::format("Content-Range: bytes */{}\r\n", size)), {}};
    } else {
        out.body.erase(0, *range);
        out.head = head(
            206,
            out.body.size(),
            fmt::format("Content-Range: bytes {}-{}/{}\r\n", *range, size - 1, size));
    }
    return out;
}

} // namespace kiln::test
