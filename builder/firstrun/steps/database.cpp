// SPDX-License-Identifier: MIT
//
// Step: MariaDB's data directory, the two schemas, the accounts of PAUSE's programs and the first
// administrator. Every part looks at what the database holds. On a boot with nothing to do the
// server is not even started.
#include "base/error.hpp"
#include "base/text.hpp"
#include "firstrun/host/locations.hpp"
#include "firstrun/host/passwords.hpp"
#include "firstrun/host/schema.hpp"
#include "firstrun/host/sql.hpp"
#include "firstrun/steps/database_server.hpp"
#include "firstrun/steps/private_config.hpp"
#include "firstrun/steps/steps.hpp"

#include <fmt/format.h>

#include <array>

namespace kiln::firstrun {

namespace {

constexpr const char* kMod = "mod";
constexpr const char* kAuthen = "authen_pause";

struct DatabaseUser {
    const char* user;
    const char* database;
    const std::string DatabasePasswords::* password;
};

constexpr std::array<DatabaseUser, 2> kUsers{{
    {"moduser", kMod, &DatabasePasswords::mod},
    {"authuser", kAuthen, &DatabasePasswords::authen},
}};

void load_schemas(Context& context, Sql& sql) {
    for (const char* database : {kMod, kAuthen}) {
        const fs::path file =
            fs::path(locations::kCheckout) / "doc" / fmt::format("{}.schema.txt", database);
        const auto schema = context.host.read(file);
        if (!schema) {
            throw Error(fmt::format("schema '{}' not found", file.string()))
                .with_hint("the PAUSE checkout in the image is incomplete");
        }
        load_schema(sql, database, *schema);
    }
}

/// The column holds IPv4 addresses only; an upload over IPv6 would answer 500.
void widen_ip(Sql& sql) {
    const std::vector<SqlRow> rows = sql.ask(
        "SELECT column_type FROM information_schema.columns WHERE table_schema = 'authen_pause' "
        "AND table_name = 'auth_log' AND column_name = 'ip';\n");
    if (rows.empty() || rows.front().front() == "varchar(45)") {
        return;
    }
    sql.change(
        "widen auth_log.ip", "ALTER TABLE authen_pause.auth_log MODIFY ip varchar(45) NOT NULL;\n");
}

DatabasePasswords wanted_passwords(const Context& context) {
    const auto text = context.host.read(locations::kPrivateConfig);
    const auto passwords = text ? parse_passwords(*text) : std::nullopt;
    KILN_CHECK(passwords.has_value()); // the step before wrote them
    return *passwords;
}

bool has_user(Sql& sql, const DatabaseUser& user) {
    return !sql.ask(fmt::format(
                        "SELECT 1 FROM mysql.global_priv WHERE user = '{}' AND host = "
                        "'localhost';\n",
                        user.user))
                .empty();
}

void make_users(Context& context, Sql& sql) {
    const DatabasePasswords passwords = wanted_passwords(context);
    for (const DatabaseUser& user : kUsers) {
        const std::string& password = passwords.*user.password;
        std::string statements;
        const bool known = has_user(sql, user);
        if (!known || !sql.can_log_in(user.user, password)) {
            statements = fmt::format(
                "{} {}@localhost IDENTIFIED BY {};\n",
                known ? "ALTER USER" : "CREATE USER",
                user.user,
                sql_quote(password));
        }
        statements += fmt::format(
            "GRANT DELETE, INDEX, INSERT, SELECT, UPDATE, LOCK TABLES ON {0}.* TO {1}@localhost;\n"
            "GRANT BINLOG MONITOR, RELOAD ON *.* TO {1}@localhost;\n",
            sql_name(user.database),
            user.user);
        sql.change(fmt::format("set up the account {}", user.user), statements);
    }
}

/// The given password, or one that is written down before the database learns it.
std::string admin_password(Context& context) {
    if (context.answers.has(Key::admin_password)) {
        return context.answers.text(Key::admin_password);
    }
    if (const auto stored = context.host.read(locations::kAdminPassword)) {
        return std::string(trim(*stored));
    }
    std::string password = random_password(kGeneratedPasswordLength);
    context.host.write_file(locations::kAdminPassword, password + "\n", {}, 0600);
    return password;
}

/// With mail on, an address of one's own is wanted; whom PAUSE writes to is the next best one.
const std::string& admin_address(const Answers& answers) {
    const bool use_mail_admin =
        answers.is_default(Key::admin_email) && answers.has(Key::mail_admin);
    return answers.text(use_mail_admin ? Key::mail_admin : Key::admin_email);
}

void make_admin(Context& context, Sql& sql) {
    if (sql.ask("SELECT COUNT(*) FROM authen_pause.usertable;\n").at(0).at(0) != "0") {
        return;
    }
    const std::string password = admin_password(context);
    const std::string& user = context.answers.text(Key::admin_user);
    // usertable last: it is what decides above, should the tables know no transactions.
    sql.change(
        "create the administrator",
        fmt::format(
            "START TRANSACTION;\n"
            "INSERT IGNORE INTO `mod`.users (userid, email, fullname, introduced, changed, "
            "changedby) "
            "VALUES ({0}, {1}, 'PAUSE Administrator', UNIX_TIMESTAMP(), UNIX_TIMESTAMP(), {0});\n"
            "INSERT IGNORE INTO authen_pause.grouptable (user, ugroup) VALUES ({0}, 'admin');\n"
            "INSERT INTO authen_pause.usertable (user, password) VALUES ({0}, {2});\n"
            "COMMIT;\n",
            sql_quote(user),
            sql_quote(admin_address(context.answers)),
            sql_quote(bcrypt_hash(password))));
    if (context.answers.has(Key::admin_password) &&
        context.host.exists(locations::kAdminPassword)) {
        context.host.remove(locations::kAdminPassword);
    }
}

void upgrade_tables(Context& context) {
    // Looks at the version in the data directory first and does nothing when it is the same.
    context.host.run(
        "upgrade the system tables",
        Command{
            "mariadb-upgrade",
            {"--no-defaults",
             "--version-check",
             "--user=root",
             fmt::format("--socket={}", locations::kDatabaseSocket)}});
}

/// A new image may expect other tables. The boot goes on; the web app does not start.
void compare_schema_level(Context& context) {
    const auto last = read_volume_image(context.host);
    if (!last || last->schema == context.image.schema) {
        if (context.host.exists(locations::kSchemaDiffers)) {
            context.host.remove(locations::kSchemaDiffers);
        }
        return;
    }
    const std::string text = fmt::format(
        "the databases have schema level {}, this image expects {}",
        last->schema,
        context.image.schema);
    context.host.write_file(locations::kSchemaDiffers, text + "\n", {}, 0644);
    context.report.warning(
        text + ": run PAUSE's change scripts, then write the level into " +
        locations::kVolumeImage);
}

} // namespace

Reasons database_needed(Context& context) {
    if (!context.host.exists(fs::path(locations::kDataDirectory) / "mysql")) {
        return {"no database found"};
    }
    const auto last = read_volume_image(context.host);
    if (!last) {
        return {"the set-up of the databases is not finished"};
    }
    if (last->id != context.image.id) {
        return {
            fmt::format("the volume was written by another image ({} {})", last->name, last->id)};
    }
    if (last->schema != context.image.schema && !context.host.exists(locations::kSchemaDiffers)) {
        return {fmt::format("schema level {}, not {}", last->schema, context.image.schema)};
    }
    const auto config = context.host.look(locations::kPrivateConfig);
    const auto stamp = context.host.look(locations::kComplete);
    if (!config || !stamp) {
        return {"the set-up of the account passwords is not finished"};
    }
    return {};
}

void apply_database(Context& context) {
    if (!context.host.exists(fs::path(locations::kDataDirectory) / "mysql")) {
        make_data_directory(context);
    } else {
        refuse_newer_data(context);
    }
    DatabaseServer server(context);
    Sql sql(context.host, locations::kDatabaseSocket);
    upgrade_tables(context);
    load_schemas(context, sql);
    widen_ip(sql);
    make_users(context, sql);
    make_admin(context, sql);
    compare_schema_level(context);
    server.stop();
}

} // namespace kiln::firstrun
