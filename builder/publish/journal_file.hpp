// SPDX-License-Identifier: MIT
//
// What journals of publishes and of droplets have in common: an id, and a file in a folder of its
// own that is on the disk before the next step is taken.
#pragma once

#include "base/io/file.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace kiln {

/// So many random bytes as hexadecimal digits. Throws SystemError.
[[nodiscard]] std::string new_journal_id(std::size_t bytes);
/// Whether a text is what new_journal_id() makes: no other argument becomes a path.
[[nodiscard]] bool is_journal_id(std::string_view text, std::size_t bytes);

/// On the disk when it returns, for its owner only. Throws SystemError.
void save_journal(const fs::path& file, const std::string& text);
/// With its folder; the file first, since a folder without one is no journal. Throws SystemError.
void remove_journal(const fs::path& file);

} // namespace kiln
