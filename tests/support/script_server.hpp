// SPDX-License-Identifier: MIT
//
// An HTTP server on loopback whose answers a test writes byte by byte: for servers that lie, never
// end, or never begin. One request for each connection; stops in its destructor, also in the middle
// of an endless answer.
#pragma once

#include "support/loopback_server.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace kiln::test {

class ScriptServer {
  public:
    struct Request {
        std::string method;
        std::string target; ///< path and query; of a proxy the whole URL
        std::string head;   ///< request line and headers as they came
        std::string body;

        /// Of the first header of that name; empty when there is none.
        [[nodiscard]] std::string header(std::string_view name) const;
    };

    class Connection {
      public:
        /// False when the client or the test has gone.
        bool send(std::string_view bytes);
        /// A whole answer with its Content-Length. `headers` are lines that end with "\r\n".
        void answer(int status, std::string_view body, std::string_view headers = {});
        /// Sends it again and again until the client has gone, or for ten seconds.
        void repeat(std::string_view bytes, std::chrono::milliseconds pause = {});

      private:
        friend ScriptServer;

        Connection(int fd, const std::atomic<bool>& stopping) : fd_(fd), stopping_(stopping) {}

        int fd_;
        const std::atomic<bool>& stopping_;
    };

    using Script = std::function<void(const Request&, Connection&)>;

    explicit ScriptServer(Script script);
    ScriptServer(const ScriptServer&) = delete;
    ScriptServer& operator=(const ScriptServer&) = delete;
    ~ScriptServer();

    /// "127.0.0.1:PORT"
    [[nodiscard]] std::string host() const { return server_.host(); }

    [[nodiscard]] std::string url() const { return "http://" + host(); }

    [[nodiscard]] std::vector<Request> requests() const;

  private:
    void serve(int fd);

    Script script_;
    std::atomic<bool> stopping_{false};
    mutable std::mutex mutex_;
    std::vector<Request> requests_;
    LoopbackServer server_; // last: its threads use the others
};

} // namespace kiln::test
