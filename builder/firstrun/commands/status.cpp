// SPDX-License-Identifier: MIT
#include "firstrun/commands/status.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "firstrun/host/journal.hpp"
#include "firstrun/host/locations.hpp"
#include "firstrun/host/sql.hpp"
#include "firstrun/steps/certificate.hpp"
#include "firstrun/steps/signing_key.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <ostream>

namespace kiln::firstrun {

using nlohmann::ordered_json;

namespace {

constexpr int kMostTries = 16; // paused gives up after so many

ordered_json answers_json(const Answers& answers) {
    ordered_json out = ordered_json::object();
    for (const KeySpec& spec : answer_table()) {
        ordered_json entry{{"source", answers.source(spec.key)}};
        if (spec.secret == Secret::yes) {
            entry["set"] = answers.has(spec.key);
        } else {
            entry["value"] = answers.text(spec.key);
        }
        out[std::string(spec.name)] = std::move(entry);
    }
    return out;
}

std::string when(std::int64_t seconds) {
    return seconds == 0 ? std::string("never") : format_rfc3339(seconds);
}

/// Uploads that paused has still to fetch or verify; null when the database does not answer.
ordered_json uploads_waiting(Host& host) {
    try {
        Sql sql(host, locations::kSystemDatabaseSocket);
        const auto rows = sql.ask(fmt::format(
            "SELECT COUNT(*) FROM `mod`.uris WHERE dverified = '' AND nosuccesscount < {};\n",
            kMostTries));
        return rows.empty() ? ordered_json()
                            : ordered_json(parse_unsigned(rows.at(0).at(0)).value_or(0));
    } catch (const Error&) {
        return {};
    }
}

/// The certificate itself is asked for its subject: a file may have been replaced by hand.
ordered_json certificate_json(Host& host, const CertificateNote& note) {
    return {
        {"kind", note.kind},
        {"subject", certificate_subject(host, host.read(locations::kCertificate).value_or(""))},
        {"names", note.names},
        {"expires", when(note.expires)}};
}

ordered_json collect(Host& host) {
    ordered_json out;
    out["this_boot"] =
        ordered_json::parse(host.read(locations::kRunStatus).value_or("null"), nullptr, false);
    out["complete"] = std::string(trim(host.read(locations::kComplete).value_or("")));
    if (const auto image = read_volume_image(host)) {
        out["volume_image"] = ordered_json::parse(render_image(*image));
    }
    if (host.exists(locations::kData)) {
        out["volume_free_bytes"] = host.free_bytes(locations::kData);
    }
    if (const auto key = read_signing_key(host)) {
        out["signing_key"] = {{"id", key->id}, {"expires", when(key->expires)}};
    }
    if (const auto note = read_certificate_note(host)) {
        out["certificate"] = certificate_json(host, *note);
    }
    out["admin_password_stored"] = host.exists(locations::kAdminPassword);
    out["uploads_waiting"] = uploads_waiting(host);
    out["journal"] = ordered_json::array();
    for (const JournalEntry& entry : Journal::read(host)) {
        out["journal"].push_back(
            {{"time", entry.time},
             {"event", entry.event},
             {"step", entry.step},
             {"text", entry.text},
             {"seconds", entry.seconds}});
    }
    return out;
}

void print_boot(const ordered_json& boot, std::ostream& out) {
    if (!boot.is_object()) {
        out << "this boot:    first-run has not run (or you are not root)\n";
        return;
    }
    out << fmt::format(
        "this boot:    {} at {}\n", boot.value("result", "?"), boot.value("time", "?"));
    if (!boot.value("error", "").empty()) {
        out << fmt::format("error:        {}\n", boot.value("error", ""));
    }
    if (!boot.value("login", "").empty()) {
        out << fmt::format("log in:       {}\n", boot.value("login", ""));
    }
    out << "answers:\n";
    const ordered_json answers = boot.value("answers", ordered_json::object());
    for (const auto& [key, entry] : answers.items()) {
        const std::string source = entry.value("source", "");
        if (source == "default") {
            continue;
        }
        out << fmt::format(
            "  {:<22}{}  ({})\n",
            key,
            entry.contains("set") ? std::string("(secret)") : entry.value("value", ""),
            source);
    }
}

} // namespace

std::string login_hint(const Host& host, const Answers& answers) {
    return fmt::format(
        "https://{}/pause/query, administrator {}, {}",
        answers.at_https_port(answers.text(Key::hostname)),
        answers.text(Key::admin_user),
        host.exists(locations::kAdminPassword) ? "password from 'first-run admin-password'"
                                               : "password as set in the answers");
}

void write_run_status(Context& context, const RunResult& result) {
    ordered_json out{
        {"time", time_stamp()},
        {"result", result.done ? "done" : "failed"},
        {"error", result.error},
        {"login", result.done ? login_hint(context.host, context.answers) : ""},
        {"image", ordered_json::parse(render_image(context.image))},
        {"mode", context.mode == Mode::machine ? "machine" : "container"}};
    out["volume"] = {
        {"answer", context.answers.text(Key::volume)},
        {"mounted", context.host.is_mount_point(locations::kData)}};
    out["steps"] = ordered_json::array();
    for (const StepResult& step : result.steps) {
        out["steps"].push_back(
            {{"name", step.name},
             {"seconds", std::round(step.seconds * 1000) / 1000},
             {"reasons", step.reasons}});
    }
    out["answers"] = answers_json(context.answers);
    context.host.write_file(
        locations::kRunStatus,
        out.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n",
        {},
        0644);
}

void print_status(Host& host, Format format, std::ostream& out) {
    const ordered_json all = collect(host);
    if (format == Format::json) {
        out << all.dump(2, ' ', false, ordered_json::error_handler_t::replace) << "\n";
        return;
    }
    print_boot(all["this_boot"], out);
    const std::string complete = all.value("complete", "");
    out << fmt::format("first done:   {}\n", complete.empty() ? "not yet" : complete);
    if (all.contains("volume_free_bytes")) {
        out << fmt::format(
            "data volume:  {} free\n", format_size(all["volume_free_bytes"].get<std::uint64_t>()));
    }
    if (all.contains("signing_key")) {
        out << fmt::format(
            "signing key:  {}, expires {}\n",
            all["signing_key"].value("id", ""),
            all["signing_key"].value("expires", ""));
    }
    if (all.contains("certificate")) {
        out << fmt::format(
            "certificate:  {}, {}, expires {}\n",
            all["certificate"].value("kind", ""),
            all["certificate"].value("subject", ""),
            all["certificate"].value("expires", ""));
    }
    if (all["uploads_waiting"].is_number()) {
        out << fmt::format(
            "uploads:      {} waiting\n", all["uploads_waiting"].get<std::uint64_t>());
    }
    out << "journal:\n";
    for (const auto& entry : all["journal"]) {
        out << fmt::format(
            "  {} {:<5} {} {}\n",
            entry.value("time", ""),
            entry.value("event", ""),
            entry.value("step", ""),
            entry.value("text", ""));
    }
}

} // namespace kiln::firstrun
