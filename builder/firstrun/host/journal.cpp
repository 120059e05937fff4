// SPDX-License-Identifier: MIT
#include "firstrun/host/journal.hpp"

#include "base/text.hpp"
#include "firstrun/host/locations.hpp"

#include <nlohmann/json.hpp>

#include <cmath>
#include <ctime>

namespace kiln::firstrun {

using nlohmann::ordered_json;

std::string time_stamp() {
    return format_rfc3339(std::time(nullptr));
}

void Journal::begin(std::string_view step, std::string_view text) {
    write({time_stamp(), image_id_, "begin", std::string(step), std::string(text), 0});
}

void Journal::end(std::string_view step, double seconds) {
    write({time_stamp(), image_id_, "end", std::string(step), "", seconds});
}

void Journal::fail(std::string_view step, std::string_view text) {
    write({time_stamp(), image_id_, "fail", std::string(step), std::string(text), 0});
}

void Journal::write(const JournalEntry& entry) {
    ordered_json line{
        {"time", entry.time}, {"image", entry.image}, {"event", entry.event}, {"step", entry.step}};
    if (!entry.text.empty()) {
        line["text"] = entry.text;
    }
    if (entry.event == "end") {
        line["seconds"] = std::round(entry.seconds * 1000) / 1000;
    }
    const std::string text = line.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
    if (on_volume_) {
        host_.append_line(locations::kJournal, text, 0600);
    } else {
        early_.push_back(text);
        host_.append_line(locations::kRunJournal, text, 0600);
    }
}

void Journal::move_to_volume() {
    if (on_volume_) {
        return;
    }
    on_volume_ = true;
    for (const std::string& line : early_) {
        host_.append_line(locations::kJournal, line, 0600);
    }
    early_.clear();
}

std::vector<JournalEntry> Journal::read(const Host& host) {
    std::vector<JournalEntry> out;
    for (const std::string& line : split_lines(host.read(locations::kJournal).value_or(""))) {
        const ordered_json entry = ordered_json::parse(line, nullptr, false);
        if (!entry.is_object()) {
            continue;
        }
        out.push_back(
            {entry.value("time", ""),
             entry.value("image", ""),
             entry.value("event", ""),
             entry.value("step", ""),
             entry.value("text", ""),
             entry.value("seconds", 0.0)});
    }
    return out;
}

} // namespace kiln::firstrun
