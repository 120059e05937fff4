// SPDX-License-Identifier: MIT
//
// A MariaDB server that only first-run can reach: no network, a socket in /run, ended well before
// the services start.
#pragma once

#include "firstrun/steps/steps.hpp"

#include <memory>

namespace kiln::firstrun {

class DatabaseServer {
  public:
    /// Starts it on the data directory and waits until it answers.
    explicit DatabaseServer(Context& context);
    DatabaseServer(const DatabaseServer&) = delete;
    DatabaseServer& operator=(const DatabaseServer&) = delete;
    /// After a failure: asks it to end, too.
    ~DatabaseServer();
    /// Shuts it down and waits for the end. Throws Error when it did not end well.
    void stop();

  private:
    void wait_until_ready();
    [[noreturn]] void fail(const std::string& message);

    Context& context_;
    std::unique_ptr<Server> server_;
};

/// Makes the data directory beside its place, then renames it.
void make_data_directory(Context& context);

/// The server's version, for example {10, 11}.
struct DatabaseVersion {
    unsigned major = 0;
    unsigned minor = 0;

    auto operator<=>(const DatabaseVersion&) const = default;
};

/// The first "N.M" in a text such as "mariadbd  Ver 10.11.18-MariaDB" or "10.11.18-MariaDB".
[[nodiscard]] DatabaseVersion parse_version(std::string_view text);
/// Throws Error when a newer server has written the data directory.
void refuse_newer_data(Context& context);

} // namespace kiln::firstrun
