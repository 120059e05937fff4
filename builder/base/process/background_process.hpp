// SPDX-License-Identifier: MIT
//
// A child that runs beside us, such as a virtual machine: started, looked after, ended. Its output
// goes to a file. Interruption does not touch it; its owner ends it.
#pragma once

#include "base/io/file.hpp"
#include "base/process/process.hpp"

#include <sys/types.h>

#include <chrono>
#include <optional>

namespace kiln {

class BackgroundProcess {
  public:
    /// Starts `command` (of which `input`, `on_lines` and `timeout` are not looked at) with nothing
    /// on its standard input; output and errors are appended to `log`. Throws SystemError. The
    /// child is killed when the thread that started it ends.
    BackgroundProcess(const Command& command, const fs::path& log);
    BackgroundProcess(const BackgroundProcess&) = delete;
    BackgroundProcess& operator=(const BackgroundProcess&) = delete;
    /// Kills it, with its process group.
    ~BackgroundProcess();

    /// The exit status as in ProcessResult, once it has ended.
    [[nodiscard]] std::optional<int> exit_status();
    /// Waits until it ends; false when it has not within `limit`. Throws Interrupted.
    [[nodiscard]] bool wait(std::chrono::milliseconds limit);
    void kill() noexcept;

    [[nodiscard]] pid_t pid() const noexcept { return pid_; }

  private:
    pid_t pid_ = -1;
    std::optional<int> status_;
};

} // namespace kiln
