// SPDX-License-Identifier: MIT
//
// Waits until an instance does what its suite calls ready.
#pragma once

#include "base/console.hpp"
#include "base/http/http.hpp"
#include "run/instance.hpp"

#include <functional>
#include <string>
#include <vector>

namespace kiln {

struct ReadyContext {
    Instance& instance;
    const std::vector<PublishedPort>& ports;
    HttpClient& http; ///< one that takes any certificate
    Console& console;
    /// Runs `ready: run`; true when it passes.
    std::function<bool(const std::string& text)> run;
    std::function<void(Milliseconds)> wait; ///< between two tries
};

/// Every try is made until it succeeds, in the order of docs/accept.md. Throws Error with the last
/// lines of the instance's log when the instance ends or when `within` has passed; Interrupted.
void wait_until_ready(const ReadySpec& spec, Milliseconds within, const ReadyContext& context);

/// "http://127.0.0.1:40123/path"
[[nodiscard]] std::string ready_url(const ReadySpec& spec, std::uint16_t host_port);

/// "; its console: ..." with the last line that a machine wrote to its serial console, which shows
/// whether it gets on; empty of a container, and when there is none.
[[nodiscard]] std::string last_console_line(Instance& instance);

} // namespace kiln
