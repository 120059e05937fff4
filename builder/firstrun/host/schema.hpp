// SPDX-License-Identifier: MIT
//
// Loading of a schema file that cannot be loaded twice and may be killed half-way: it goes into a
// database of first-run's own, whose tables then move to their place in one statement.
#pragma once

#include "firstrun/host/sql.hpp"

#include <map>
#include <set>
#include <string>

namespace kiln::firstrun {

/// Tables by database.
using Tables = std::map<std::string, std::set<std::string>>;

[[nodiscard]] Tables read_tables(Sql& sql);
/// The database in which the tables of `database` are first made.
[[nodiscard]] std::string scratch_of(const std::string& database);

/// Loads `schema` into `database` unless that has tables; finishes what a killed run began.
void load_schema(Sql& sql, const std::string& database, const std::string& schema);

} // namespace kiln::firstrun
