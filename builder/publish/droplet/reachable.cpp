// SPDX-License-Identifier: MIT
#include "publish/droplet/reachable.hpp"

#include "base/interrupt.hpp"
#include "base/io/file.hpp"
#include "base/io/stream.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

namespace kiln {

namespace {

/// As the old installer: a banner within five seconds.
constexpr std::chrono::milliseconds kPatience{5000};

class Deadline {
  public:
    /// False when nothing happened until then.
    [[nodiscard]] bool wait_for(int fd, short events) const {
        for (;;) {
            throw_if_interrupted();
            const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
                end_ - std::chrono::steady_clock::now());
            if (left.count() <= 0) {
                return false;
            }
            pollfd what{fd, events, 0};
            const int count = ::poll(&what, 1, static_cast<int>(left.count()));
            if (count > 0) {
                return true;
            }
            if (count < 0 && errno != EINTR) {
                return false;
            }
        }
    }

  private:
    std::chrono::steady_clock::time_point end_ = std::chrono::steady_clock::now() + kPatience;
};

bool is_connected(int fd, const Deadline& deadline) {
    if (errno != EINPROGRESS || !deadline.wait_for(fd, POLLOUT)) {
        return false;
    }
    int error = 0;
    socklen_t size = sizeof(error);
    return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

} // namespace

std::string server_banner(const std::string& address, std::uint16_t port) {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(port);
    if (::inet_pton(AF_INET, address.c_str(), &where.sin_addr) != 1) {
        return {};
    }
    const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd.is_open()) {
        return {};
    }
    const Deadline deadline;
    sockaddr generic{};
    static_assert(sizeof(generic) == sizeof(where));
    std::memcpy(&generic, &where, sizeof(where));
    if (::connect(fd.get(), &generic, sizeof(generic)) != 0 && !is_connected(fd.get(), deadline)) {
        return {};
    }
    std::string line;
    constexpr std::size_t kLongest = 255; // RFC 4253, 4.2
    while (line.size() < kLongest && line.find('\n') == std::string::npos &&
           deadline.wait_for(fd.get(), POLLIN)) {
        std::array<char, kLongest> part{};
        const ssize_t count = ::read(fd.get(), part.data(), part.size());
        if (count <= 0) {
            break;
        }
        line.append(part.data(), static_cast<std::size_t>(count));
    }
    return line.substr(0, line.find_first_of("\r\n"));
}

DropletProbe network_probe(HttpClient& http) {
    DropletProbe out;
    out.banner = server_banner;
    out.status = [&http](const std::string& url) {
        HttpRequest request;
        request.url = url;
        request.follow_redirects = false;
        constexpr std::uint64_t kMost = std::uint64_t{1} << 20U;
        request.expected_size = kMost;
        LimitedSink sink(kMost, Error("the answer is too large"));
        try {
            return http.send(request, sink).status;
        } catch (const Error&) {
            return 0;
        }
    };
    return out;
}

} // namespace kiln
