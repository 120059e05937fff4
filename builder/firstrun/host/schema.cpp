// SPDX-License-Identifier: MIT
#include "firstrun/host/schema.hpp"

#include <fmt/format.h>

namespace kiln::firstrun {

Tables read_tables(Sql& sql) {
    Tables out;
    const std::string question =
        "SELECT s.schema_name, IFNULL(t.table_name, '') FROM information_schema.schemata s "
        "LEFT JOIN information_schema.tables t ON t.table_schema = s.schema_name "
        "WHERE s.schema_name IN ('mod', 'authen_pause', 'first_run_mod', "
        "'first_run_authen_pause');\n";
    for (const SqlRow& row : sql.ask(question)) {
        std::set<std::string>& tables = out[row.at(0)];
        if (row.size() > 1 && !row[1].empty()) {
            tables.insert(row[1]);
        }
    }
    return out;
}

std::string scratch_of(const std::string& database) {
    return "first_run_" + database;
}

namespace {

/// Moves what is in the scratch database and not yet in its place. The statement is atomic since
/// MariaDB 10.6; taking only what is not there yet costs nothing and does not rely on it.
void move_tables(Sql& sql, const std::string& database) {
    const std::string scratch = scratch_of(database);
    Tables tables = read_tables(sql);
    std::string moves;
    for (const std::string& table : tables[scratch]) {
        if (!tables[database].contains(table)) {
            moves += fmt::format(
                "{}{}.{} TO {}.{}",
                moves.empty() ? "" : ", ",
                sql_name(scratch),
                sql_name(table),
                sql_name(database),
                sql_name(table));
        }
    }
    if (!moves.empty()) {
        sql.change(
            fmt::format("move the tables of {}", database),
            fmt::format("RENAME TABLE {};\n", moves));
    }
    sql.change(
        fmt::format("drop {}", scratch), fmt::format("DROP DATABASE {};\n", sql_name(scratch)));
}

} // namespace

void load_schema(Sql& sql, const std::string& database, const std::string& schema) {
    const std::string scratch = scratch_of(database);
    Tables tables = read_tables(sql);
    if (!tables[database].empty()) {
        if (tables.contains(scratch)) {
            move_tables(sql, database); // a run was killed between the move and the drop
        }
        return;
    }
    sql.change(
        fmt::format("create the databases {} and {}", scratch, database),
        fmt::format(
            "DROP DATABASE IF EXISTS {0};\nCREATE DATABASE {0};\nCREATE DATABASE IF NOT EXISTS "
            "{1};\n",
            sql_name(scratch),
            sql_name(database)));
    sql.change(fmt::format("load the schema of {}", database), schema, scratch);
    move_tables(sql, database);
}

} // namespace kiln::firstrun
