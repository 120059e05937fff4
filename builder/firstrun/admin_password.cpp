// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "firstrun/commands.hpp"
#include "firstrun/places.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <ostream>

namespace kiln::firstrun {

void print_admin_password(Host& host, std::ostream& out) {
    if (::geteuid() != 0) {
        throw Error("only root may read the password");
    }
    const auto stored = host.read(places::kAdminPassword);
    if (!stored) {
        throw Error("no generated password is stored")
            .with_hint(
                host.exists(places::kComplete)
                    ? "it was given in the answers, or has been changed since"
                    : "first-run has not finished yet: 'first-run status'");
    }
    out << *stored;
}

} // namespace kiln::firstrun
