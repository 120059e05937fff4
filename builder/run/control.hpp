// SPDX-License-Identifier: MIT
//
// How shell scripts ask the running kiln for something: one line into a named pipe, the answer out
// of one that the script made. A thread answers, one request after the other.
#pragma once

#include "base/io/file.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <thread>

namespace kiln {

struct ControlReply {
    int status = 0;
    std::string text; ///< for standard output when status is 0, else for standard error
};

class Control {
  public:
    using Handler = std::function<ControlReply(std::string_view verb, const std::string& rest)>;

    /// Makes NAME.request in `folder`. The handler runs on the thread; what Errors
    /// it throws are replies with status 1. Throws SystemError.
    Control(const fs::path& folder, std::string_view name, Handler handler);
    Control(const Control&) = delete;
    Control& operator=(const Control&) = delete;
    /// Waits for the request at hand.
    ~Control() = default;

    /// Text that makes a script take the lock of `name`, so that requests do not mix.
    [[nodiscard]] static std::string lock_text(const fs::path& folder, std::string_view name);
    /// Text that sends what `request` (shell words) says and leaves the reply's status in $status;
    /// `consumer` is run with the rest of the reply on its standard input.
    [[nodiscard]] static std::string request_text(
        const fs::path& folder,
        std::string_view name,
        std::string_view request,
        std::string_view consumer);

  private:
    void serve(const std::stop_token& stop);
    void answer(const std::string& line, const std::stop_token& stop);
    [[nodiscard]] ControlReply handle(const std::string& request) const;

    std::string reply_; ///< the beginning of the pipes' names
    Handler handler_;
    UniqueFd requests_;
    std::jthread thread_;
};

} // namespace kiln
