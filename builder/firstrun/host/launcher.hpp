// SPDX-License-Identifier: MIT
//
// Children of first-run: run to the end as some user, or started as a server. The interface lets
// unit tests stand in for the programs.
#pragma once

#include "base/process/process.hpp"
#include "firstrun/host/accounts.hpp"

#include <chrono>
#include <filesystem>
#include <memory>

namespace kiln::firstrun {

/// A server that this process has started. The destructor ends it hard; stop() ends it well.
class Server {
  public:
    Server() = default;
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    virtual ~Server() = default;

    [[nodiscard]] virtual bool is_running() = 0;
    /// SIGTERM and the wait for the end; returns the exit status as ProcessResult has it. After
    /// `patience` the server is killed.
    virtual int stop(std::chrono::seconds patience) = 0;
};

class Launcher {
  public:
    Launcher() = default;
    Launcher(const Launcher&) = delete;
    Launcher& operator=(const Launcher&) = delete;
    virtual ~Launcher() = default;

    /// Runs to the end as `user` (nullptr: as the caller). Throws SystemError when the program
    /// cannot be started at all.
    virtual ProcessResult run(const Command& command, const Account* user) = 0;
    /// Starts a server whose output goes to the file `log`.
    virtual std::unique_ptr<Server>
    start(const Command& command, const Account* user, const std::filesystem::path& log) = 0;
};

/// The real one. Children die with this process, and run with umask 022.
class SystemLauncher final : public Launcher {
  public:
    ProcessResult run(const Command& command, const Account* user) override;
    std::unique_ptr<Server>
    start(const Command& command, const Account* user, const std::filesystem::path& log) override;
};

} // namespace kiln::firstrun
