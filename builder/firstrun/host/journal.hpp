// SPDX-License-Identifier: MIT
//
// What first-run did and when: one JSON object a line, appended and synced, on the data volume.
// What happens before the volume is there goes to /run and is copied over once it is.
#pragma once

#include "firstrun/host/host.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace kiln::firstrun {

struct JournalEntry {
    std::string time;
    std::string image;
    std::string event; ///< boot, begin, end, fail
    std::string step;
    std::string text;
    double seconds = 0;
};

class Journal {
  public:
    Journal(Host& host, std::string image_id) : host_(host), image_id_(std::move(image_id)) {}

    void begin(std::string_view step, std::string_view text);
    void end(std::string_view step, double seconds);
    void fail(std::string_view step, std::string_view text);

    /// The volume's state directory exists: entries go there from now on.
    void move_to_volume();

    /// Entries of the volume, the oldest first. A line that a crash cut short is passed over.
    [[nodiscard]] static std::vector<JournalEntry> read(const Host& host);

  private:
    void write(const JournalEntry& entry);

    Host& host_;
    std::string image_id_;
    std::vector<std::string> early_;
    bool on_volume_ = false;
};

/// Now, as RFC 3339 in UTC.
[[nodiscard]] std::string time_stamp();

} // namespace kiln::firstrun
