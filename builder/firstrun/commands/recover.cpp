// SPDX-License-Identifier: MIT
//
// What a crash leaves behind and nothing in PAUSE repairs: locks of RECENT files (directories that
// nobody breaks), and rows of files whose indexing was cut short (neither a later pick nor the full
// run takes them again).
#include "base/error.hpp"
#include "base/text.hpp"
#include "firstrun/commands/commands.hpp"
#include "firstrun/host/locations.hpp"
#include "firstrun/host/sql.hpp"

#include <fmt/format.h>

#include <array>
#include <ostream>

namespace kiln::firstrun {

namespace {

constexpr std::array<const char*, 2> kRecentFolders{"authors", "modules"};
constexpr int kNearSeconds = 600; // longer than one file takes

void break_locks(Host& host, std::ostream& err) {
    for (const char* name : kRecentFolders) {
        const fs::path folder = fs::path(locations::kPub) / name;
        for (const std::string& entry : host.list(folder)) {
            if (entry.starts_with("RECENT-") && entry.ends_with(".yaml.lock")) {
                host.remove_tree(folder / entry);
                err << fmt::format(
                    "first-run: removed the stale lock {}\n", (folder / entry).string());
            }
        }
    }
}

/// Skipped files look the same, on purpose; what marks the others is that their indexing began
/// shortly before the machine's last sign of life, a stamp written each minute.
void release_rows(Host& host, Sql& sql, std::ostream& err) {
    const auto stamp = host.look(fs::path(locations::kPub) / "authors/02STAMP");
    if (!stamp) {
        return; // nothing was ever indexed
    }
    const std::string condition = fmt::format(
        "indexed_at IS NULL AND indexing_at IS NOT NULL AND indexing_at BETWEEN "
        "FROM_UNIXTIME({}) AND FROM_UNIXTIME({})",
        stamp->mtime - kNearSeconds,
        stamp->mtime + kNearSeconds);
    const auto rows =
        sql.ask(fmt::format("SELECT dist FROM `mod`.distmtimes WHERE {};\n", condition));
    if (rows.empty()) {
        return;
    }
    sql.change(
        "release unfinished index rows",
        fmt::format("DELETE FROM `mod`.distmtimes WHERE {};\n", condition));
    for (const SqlRow& row : rows) {
        err << fmt::format("first-run: {} will be indexed again\n", row.at(0));
    }
}

/// The stored password is of use only while it is the one that logs in.
void drop_changed_password(Host& host, Sql& sql, std::ostream& err) {
    const auto stored = host.read(locations::kAdminPassword);
    if (!stored) {
        return;
    }
    if (is_administrators_password(sql, trim(*stored))) {
        return;
    }
    host.remove(locations::kAdminPassword);
    err << "first-run: the administrator's password was changed; removed the generated one\n";
}

} // namespace

void recover(Host& host, std::ostream& err) {
    break_locks(host, err);
    Sql sql(host, locations::kSystemDatabaseSocket);
    with_context("while recovering from the last shutdown", [&] {
        release_rows(host, sql, err);
        drop_changed_password(host, sql, err);
    });
}

} // namespace kiln::firstrun
