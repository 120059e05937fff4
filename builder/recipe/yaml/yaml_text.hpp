// SPDX-License-Identifier: MIT
//
// What a YAML file must be before it is parsed, and places in its text.
#pragma once

#include "base/diagnostics.hpp"

#include <memory>
#include <string>
#include <utility>

namespace kiln {

/// Refuses what is not UTF-8, tabs, carriage returns and other control characters, one report a
/// line. yaml-cpp replaces bad bytes and gives some control characters meanings of its own.
[[nodiscard]] bool
check_yaml_text(const std::shared_ptr<const SourceFile>& file, Diagnostics& diags);

/// "larger than 1.0 MiB", of files beyond kMaxYamlBytes.
[[nodiscard]] std::string too_large_yaml();

/// The place of the byte at `offset`, underlined for `bytes`. Columns count characters.
[[nodiscard]] SourcePos
position_at(std::shared_ptr<const SourceFile> file, std::size_t offset, std::size_t bytes);

/// Places of what is met from the start of a text to its end, in time that is linear in the text
/// whatever the length of its lines.
class PlaceFinder {
  public:
    explicit PlaceFinder(std::shared_ptr<const SourceFile> file) : file_(std::move(file)) {}

    /// The place of the byte at `offset`, in `line` (from 1), underlined for `bytes`.
    [[nodiscard]] SourcePos position(int line, std::size_t offset, std::size_t bytes);

  private:
    std::shared_ptr<const SourceFile> file_;
    int line_ = 0;           ///< of the last place
    std::size_t offset_ = 0; ///< of the last place
    int column_ = 1;         ///< of the last place
};

} // namespace kiln
