// SPDX-License-Identifier: MIT
//
// SQL through the mariadb client: statements go to its standard input, never to its command line.
#pragma once

#include "firstrun/host/host.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace kiln::firstrun {

using SqlRow = std::vector<std::string>;

/// 'text' with what SQL would take for syntax escaped.
[[nodiscard]] std::string sql_quote(std::string_view text);
/// `name`
[[nodiscard]] std::string sql_name(std::string_view name);

class Sql {
  public:
    /// As root over the socket, which needs no password.
    Sql(Host& host, fs::path socket) : host_(host), socket_(std::move(socket)) {}

    /// Rows of a question that changes nothing.
    [[nodiscard]] std::vector<SqlRow> ask(const std::string& statements);
    /// Changes something; `what` is for the trace. Throws Error with the server's words.
    void
    change(std::string_view what, const std::string& statements, const std::string& database = {});
    /// The account can log in with this password.
    [[nodiscard]] bool can_log_in(const std::string& user, const std::string& password);

  private:
    [[nodiscard]] Command command(std::string input, const std::string& database) const;

    Host& host_;
    fs::path socket_;
};

} // namespace kiln::firstrun
