// SPDX-License-Identifier: MIT
#include "firstrun/host/sql.hpp"

#include "base/error.hpp"
#include "base/io/file.hpp"
#include "base/text.hpp"
#include "firstrun/host/locations.hpp"

#include <fmt/format.h>

namespace kiln::firstrun {

namespace {

[[noreturn]] void fail(std::string_view what, const ProcessResult& result) {
    // The server quotes a piece of the statement near a syntax error; statements with passwords are
    // first-run's own and have none, and the client's echo of the line is not passed on.
    throw Error(fmt::format("the database failed to {}", what))
        .with_details(last_lines(result.errors, 3));
}

} // namespace

std::string sql_quote(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'' || c == '\\') {
            out += '\\';
        }
        out += c;
    }
    return out + "'";
}

std::string sql_name(std::string_view name) {
    std::string out = "`";
    for (const char c : name) {
        out += c;
        if (c == '`') {
            out += c;
        }
    }
    return out + "`";
}

Command Sql::command(std::string input, const std::string& database) const {
    // latin1 on both sides: PAUSE keeps the bytes of UTF-8 in latin1 columns.
    Command out{
        "mariadb",
        {"--no-defaults",
         "--default-character-set=latin1",
         "--batch",
         "--raw",
         "--skip-column-names",
         "--user=root",
         fmt::format("--socket={}", socket_.string())}};
    if (!database.empty()) {
        out.args.push_back(database);
    }
    out.input = std::move(input);
    out.separate_stderr = true;
    return out;
}

std::vector<SqlRow> Sql::ask(const std::string& statements) {
    const ProcessResult result = host_.query(command(statements, ""));
    if (!result.ok()) {
        fail("answer", result);
    }
    std::vector<SqlRow> rows;
    for (const std::string& line : split_lines(result.output)) {
        rows.push_back(split(line, '\t'));
    }
    return rows;
}

void Sql::change(
    std::string_view what, const std::string& statements, const std::string& database) {
    const ProcessResult result = host_.try_run(what, command(statements, database));
    if (!result.ok()) {
        fail(what, result);
    }
}

bool Sql::can_log_in(const std::string& user, const std::string& password) {
    // The client reads passwords from a file only; it lives in /run for one login.
    const fs::path file = fs::path(locations::kRun) / "login.cnf";
    host_.write_file(
        file,
        fmt::format(
            "[client]\nuser={}\npassword={}\nsocket={}\n", user, password, socket_.string()),
        {},
        0600);
    const Finally remove([&] {
        std::error_code ignored;
        fs::remove(host_.real(file), ignored);
    });
    Command login{"mariadb", {fmt::format("--defaults-file={}", file.string()), "--batch"}};
    login.input = "SELECT 1;\n";
    return host_.query(login).ok();
}

} // namespace kiln::firstrun
