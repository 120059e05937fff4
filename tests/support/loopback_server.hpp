// SPDX-License-Identifier: MIT
//
// What the HTTP servers of tests share: a port of loopback, and a thread for each connection. Stops
// in its destructor, also in the middle of an answer.
#pragma once

#include "base/io/file.hpp"

#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace kiln::test {

/// What `fd` has to read, up to 64 KiB; empty when the peer has gone.
[[nodiscard]] std::string receive(int fd);

/// False when the peer has gone.
bool send_all(int fd, std::string_view bytes);

class LoopbackServer {
  public:
    /// `serve` gets each connection's descriptor, which is closed after it. It ends when the
    /// descriptor has nothing more to read or takes nothing more.
    explicit LoopbackServer(std::function<void(int fd)> serve);
    LoopbackServer(const LoopbackServer&) = delete;
    LoopbackServer& operator=(const LoopbackServer&) = delete;
    ~LoopbackServer();

    /// "127.0.0.1:PORT"
    [[nodiscard]] std::string host() const;

    /// How many there were so far.
    [[nodiscard]] int connections() const;

  private:
    void accept_loop();

    std::function<void(int fd)> serve_;
    UniqueFd listener_;
    int port_ = 0;
    mutable std::mutex mutex_;
    std::vector<int> open_;
    std::list<std::thread> threads_;
    std::thread acceptor_;
};

} // namespace kiln::test
