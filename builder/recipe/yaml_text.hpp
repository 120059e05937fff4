// SPDX-License-Identifier: MIT
//
// What a YAML file must be before it is parsed, and places in its text.
#pragma once

#include "base/diagnostics.hpp"

namespace kiln {

/// Refuses what is not UTF-8, tabs, carriage returns and other control characters, one report a
/// line. yaml-cpp replaces bad bytes and gives some control characters meanings of its own.
[[nodiscard]] bool
check_yaml_text(const std::shared_ptr<const SourceFile>& file, Diagnostics& diags);

/// The place of the byte at `offset`, underlined for `bytes`. Columns count characters.
[[nodiscard]] SourcePos
position_at(std::shared_ptr<const SourceFile> file, std::size_t offset, std::size_t bytes);
/// The same where the line (from 1) is known; does not read the text from its start.
[[nodiscard]] SourcePos position_in_line(
    std::shared_ptr<const SourceFile> file, int line, std::size_t offset, std::size_t bytes);

} // namespace kiln
