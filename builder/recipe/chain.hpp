// SPDX-License-Identifier: MIT
//
// Files that name other files: `extends` chains and what parts insert. Reading only; what the files
// say is their readers' business.
#pragma once

#include "recipe/yaml.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace kiln {

/// One file of a chain.
struct ChainFile {
    fs::path path;
    YamlNode tree;
};

/// A file and those it extends, the child first.
struct FileChain {
    std::vector<ChainFile> files;
    std::vector<fs::path> named; ///< every file that was to be read, also one that could not be
    bool is_whole = true;        ///< the last file extends nothing
};

/// Follows `extends` from `path`. Faults go to `diags`; `what` is how messages call the files
/// ("recipes"). Throws SystemError when `path` itself cannot be read.
[[nodiscard]] FileChain load_chain(const fs::path& path, std::string_view what, Diagnostics& diags);

/// Reads a file that another one names at `pos`; that it cannot be read is that place's fault.
[[nodiscard]] std::optional<YamlNode>
load_named(const fs::path& path, const SourcePos& pos, Diagnostics& diags);

/// True (and reported at `pos`) when `path` is in `open` already. `doing` says what would never
/// end: "recipes extend each other".
[[nodiscard]] bool closes_cycle(
    const std::vector<fs::path>& open,
    const fs::path& path,
    const SourcePos& pos,
    std::string_view doing,
    Diagnostics& diags);

} // namespace kiln
