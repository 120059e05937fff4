// SPDX-License-Identifier: MIT
//
// The commands beside apply, plan and status. They throw Error; check_key() answers with its exit
// code.
#pragma once

#include "firstrun/answers/answers.hpp"
#include "firstrun/host/host.hpp"

#include <iosfwd>
#include <string_view>

namespace kiln::firstrun {

/// After a start of the database and before PAUSE's programs: breaks locks and releases index rows
/// that a crash left behind.
void recover(Host& host, std::ostream& err);

/// Gets or renews the certificate with certbot and hands it to the web server.
void acme(Host& host, const Environment& env, Mode mode, std::ostream& err);

/// 0, or 1 and a message when the signing key expires soon.
int check_key(Host& host, std::ostream& err);

class Sql;

/// Whether some administrator logs in with this password. Throws Error when the database does not
/// answer.
[[nodiscard]] bool is_administrators_password(Sql& sql, std::string_view password);

/// Prints the generated password while it is stored and still valid.
void print_admin_password(Host& host, std::ostream& out, std::ostream& err);

/// Gives a user of PAUSE a new password and prints it: for who cannot log in and gets no mail.
/// Throws Error when there is no such user.
void set_new_password(Host& host, std::string_view user, std::ostream& out);

} // namespace kiln::firstrun
