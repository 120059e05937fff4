// SPDX-License-Identifier: MIT
//
// The commands beside apply, plan and status. They throw Error; check_key() answers with its exit
// code.
#pragma once

#include "firstrun/answers.hpp"
#include "firstrun/host.hpp"

#include <iosfwd>

namespace kiln::firstrun {

/// After a start of the database and before PAUSE's programs: breaks locks and releases index rows
/// that a crash left behind.
void recover(Host& host, std::ostream& err);

/// Gets or renews the certificate with certbot and hands it to the web server.
void acme(Host& host, const Environment& env, Mode mode, std::ostream& err);

/// 0, or 1 and a message when the signing key expires soon.
int check_key(Host& host, std::ostream& err);

/// Prints the generated password while it is stored.
void print_admin_password(Host& host, std::ostream& out);

} // namespace kiln::firstrun
