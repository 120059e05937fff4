// SPDX-License-Identifier: MIT
//
// ls-R, the database by which TeX's programs find files (kpathsea): the folders of a tree and the
// names in each, in whatever order ls(1) met them. Texts only; knows no tree.
#pragma once

#include <optional>
#include <string>

namespace kiln {

/// The same database with folders and names in byte order. Of several files of one name below the
/// same part of a search path, the first is found: byte order decides then, not chance. Nothing
/// when the text is not such a database.
[[nodiscard]] std::optional<std::string> sorted_ls_r(const std::string& text);

} // namespace kiln
