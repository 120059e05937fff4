// SPDX-License-Identifier: MIT
//
// A small HTTP server on loopback for tests: serves a directory with ranges, and misbehaves on
// demand. One thread for each connection; stops in its destructor.
#pragma once

#include "support/loopback_server.hpp"

#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace kiln::test {

class ToyServer {
  public:
    explicit ToyServer(std::filesystem::path root);
    ToyServer(const ToyServer&) = delete;
    ToyServer& operator=(const ToyServer&) = delete;

    /// "http://127.0.0.1:PORT"
    [[nodiscard]] std::string url() const { return "http://" + server_.host(); }

    /// The next `times` requests for the path get this status and no content.
    void fail(const std::string& path, int status, int times);
    /// The next `times` requests for the path are cut off after `bytes` of the body.
    void cut(const std::string& path, std::size_t bytes, int times);
    /// Requests for the path are answered with a redirect.
    void redirect(const std::string& path, std::string target);
    /// Ranges are ignored from now on: always 200 and everything.
    void ignore_ranges();

    /// Request lines with their range: "GET /a bytes=5-".
    [[nodiscard]] std::vector<std::string> requests() const;

    [[nodiscard]] int connections() const { return server_.connections(); }

  private:
    struct Fault {
        int fail_status = 0;
        int fail_times = 0;
        std::size_t cut_bytes = 0;
        int cut_times = 0;
        std::string target;
    };

    struct Answer {
        std::string head;
        std::string body;
        bool cut = false; ///< close before all of the body is sent
        std::size_t cut_bytes = 0;
    };

    void serve(int fd);
    Answer answer(const std::string& request);

    std::filesystem::path root_;
    mutable std::mutex mutex_;
    std::map<std::string, Fault> faults_;
    bool ranges_ = true;
    std::vector<std::string> requests_;
    LoopbackServer server_; // last: its threads use the others
};

} // namespace kiln::test
