// SPDX-License-Identifier: MIT
//
// QEMU's machine protocol: one command at a time.
#pragma once

#include "run/machine/line_socket.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace kiln {

/// A connection; QEMU serves one at a time.
class Qmp {
  public:
    /// Throws Error when QEMU does not answer.
    explicit Qmp(const fs::path& socket);

    /// Throws Error with QEMU's own text when it refuses.
    void execute(const std::string& command, const nlohmann::ordered_json& arguments);
    void execute(const std::string& command);

  private:
    LineSocket socket_;
};

} // namespace kiln
