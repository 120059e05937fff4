// SPDX-License-Identifier: MIT
#include "cli/options/lock_report.hpp"

#include "base/json.hpp"
#include "base/text.hpp"
#include "resolve/make_lock.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <ostream>

namespace kiln {

namespace {

std::string count(std::size_t number, std::string_view what) {
    return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
}

} // namespace

void write_lock(const fs::path& path, const Lockfile& lock, Context& context) {
    const auto changes = replace_lock(path, lock, context.console);
    if (context.global.json) {
        const nlohmann::ordered_json json{
            {"lock", path.string()},
            {"digest", lock.digest().to_string()},
            {"packages", lock.packages.size()},
            {"sources", lock.sources.size()},
            {"source_date_epoch", lock.epoch},
            {"changes", changes}};
        context.io.out << json_text(json) << '\n';
        return;
    }
    for (const std::string& line : changes) {
        context.io.out << line << '\n';
    }
    context.io.out << fmt::format(
        "{}: {}, {}source date epoch {}, {}\n",
        path.string(),
        count(lock.packages.size(), "package"),
        lock.sources.empty() ? "" : count(lock.sources.size(), "source") + ", ",
        format_rfc3339(lock.epoch),
        changes.empty() ? "nothing changed" : count(changes.size(), "change"));
}

} // namespace kiln
