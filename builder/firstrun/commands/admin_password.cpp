// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "base/text.hpp"
#include "firstrun/commands/commands.hpp"
#include "firstrun/host/locations.hpp"
#include "firstrun/host/passwords.hpp"
#include "firstrun/host/sql.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <ostream>

namespace kiln::firstrun {

bool is_administrators_password(Sql& sql, std::string_view password) {
    const std::vector<SqlRow> rows =
        sql.ask("SELECT t.password FROM authen_pause.usertable t JOIN authen_pause.grouptable g ON "
                "g.user = t.user WHERE g.ugroup = 'admin';\n");
    return std::any_of(rows.begin(), rows.end(), [&](const SqlRow& row) {
        return bcrypt_matches(std::string(password), row.at(0));
    });
}

namespace {

/// False, with a warning, when the database does not answer.
bool was_changed(Host& host, std::string_view password, std::ostream& err) {
    Sql sql(host, locations::kSystemDatabaseSocket);
    try {
        return !is_administrators_password(sql, password);
    } catch (const Error&) {
        err << "first-run: warning: the database does not respond; the password may have been "
               "changed\n";
        return false;
    }
}

} // namespace

void print_admin_password(Host& host, std::ostream& out, std::ostream& err) {
    if (::geteuid() != 0) {
        throw Error("only root may read the password");
    }
    const auto stored = host.read(locations::kAdminPassword);
    if (!stored) {
        throw Error("no generated password is stored")
            .with_hint(
                host.exists(locations::kComplete)
                    ? "it was set in the answers, or has been changed"
                    : "first-run has not finished yet: 'first-run status'");
    }
    if (was_changed(host, trim(*stored), err)) {
        throw Error(
            "the administrator's password was changed; the generated one is no longer valid");
    }
    out << *stored;
}

void set_new_password(Host& host, std::string_view user, std::ostream& out) {
    if (::geteuid() != 0) {
        throw Error("only root may set a password");
    }
    Sql sql(host, locations::kSystemDatabaseSocket);
    const std::string where = fmt::format("WHERE user = {}", sql_quote(user));
    if (sql.ask(fmt::format("SELECT user FROM authen_pause.usertable {};\n", where)).empty()) {
        throw Error(fmt::format("PAUSE has no user '{}'", user));
    }
    const std::string password = random_password(kGeneratedPasswordLength);
    sql.change(
        "set a new password",
        fmt::format(
            "UPDATE authen_pause.usertable SET password = {} {};\n",
            sql_quote(bcrypt_hash(password)),
            where));
    out << password << '\n';
}

} // namespace kiln::firstrun
