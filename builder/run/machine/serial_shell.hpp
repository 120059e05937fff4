// SPDX-License-Identifier: MIT
//
// A root shell on a virtio serial port of a machine whose systemd is 252 or later. The guest gets
// it through a credential; nothing of it is on the guest's disk.
#pragma once

#include "base/process/process.hpp"
#include "run/machine/line_socket.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace kiln {

/// The text of the credential "tmpfiles.extra", not encoded.
[[nodiscard]] std::string serial_shell_credential();

class SerialShell {
  public:
    SerialShell(fs::path qmp_socket, fs::path shell_socket);

    /// Plugs the port in (again) and waits for the guest to answer; false when it does not within
    /// `patience`. The guest can only answer once systemd-tmpfiles has run, so this is tried again.
    [[nodiscard]] bool open(std::chrono::milliseconds patience);

    /// Runs a text by sh inside, for at most `limit`. Throws Error when the guest does not answer.
    [[nodiscard]] ProcessResult
    run(const std::string& text, const std::string& input, std::chrono::seconds limit);

  private:
    fs::path qmp_socket_;
    fs::path shell_socket_;
    std::unique_ptr<LineSocket> line_;
    bool is_plugged_in_ = false;
    unsigned next_id_ = 0;
};

} // namespace kiln
