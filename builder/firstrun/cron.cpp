// SPDX-License-Identifier: MIT
//
// Step: who gets what cron's jobs print. The table is the image's; only its MAILTO line is ours.
#include "base/text.hpp"
#include "firstrun/places.hpp"
#include "firstrun/steps.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace kiln::firstrun {

namespace {

/// The table with the wanted recipient; an empty one means that nothing is mailed.
std::string wanted_table(const Context& context, const std::string& table) {
    const std::string line = fmt::format("MAILTO=\"{}\"", context.answers.text(Key::mail_cron));
    std::vector<std::string> lines = split_lines(table);
    const auto it = std::find_if(lines.begin(), lines.end(), [](const std::string& text) {
        return text.starts_with("MAILTO=");
    });
    if (it == lines.end()) {
        lines.insert(lines.begin(), line);
    } else {
        *it = line;
    }
    return join(lines, "\n") + "\n";
}

} // namespace

Reasons cron_needed(Context& context) {
    const auto table = context.host.read(places::kCronTable);
    if (!table || *table == wanted_table(context, *table)) {
        return {};
    }
    // A read-only container: the table has no recipient, as without mail.
    if (!context.host.is_writable(fs::path(places::kCronTable).parent_path()) &&
        !context.answers.has(Key::mail_cron)) {
        return {};
    }
    return {fmt::format("{} has another recipient", places::kCronTable)};
}

void apply_cron(Context& context) {
    if (!context.host.is_writable(fs::path(places::kCronTable).parent_path())) {
        context.report.warning(
            fmt::format("{} cannot be written, so cron's mail goes nowhere", places::kCronTable));
        return;
    }
    const std::string table = context.host.read(places::kCronTable).value_or("");
    context.host.write_file(places::kCronTable, wanted_table(context, table), {}, 0644);
}

} // namespace kiln::firstrun
