// SPDX-License-Identifier: MIT
//
// Files that name other files: `extends` chains and what parts insert. Reading only; what the files
// say is their readers' business.
#pragma once

#include "recipe/yaml/yaml.hpp"

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

namespace kiln {

/// How much one recipe, with all that it names, may make kiln read. A few short files that name
/// each other often enough would otherwise keep it busy for ever.
class LoadBudget {
  public:
    static constexpr std::size_t kMaxFiles = 200;
    static constexpr std::size_t kMaxBytes = 4 * kMaxYamlBytes;
    /// Of `extends`, and of parts within parts.
    static constexpr std::size_t kMaxDepth = 16;

    /// False when no further file may be read; said at `pos` the first time.
    [[nodiscard]] bool allows_another(const SourcePos& pos, Diagnostics& diags);
    /// False (and said at `pos`) when `depth` files are open already.
    [[nodiscard]] static bool
    allows_depth(std::size_t depth, const SourcePos& pos, Diagnostics& diags);
    /// Counts a file.
    void spend(const YamlNode& tree);

  private:
    std::size_t files_ = 0;
    std::size_t bytes_ = 0;
    bool said_ = false;
};

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
    LoadBudget budget;           ///< what is left for the files that these name
};

/// The file that another one, in `base_dir`, names by `text`.
using ResolveName = std::function<fs::path(const fs::path& base_dir, const std::string& text)>;

/// Follows `extends` from `path`. Faults go to `diags`; `what` is how messages call the files
/// ("recipes"). Throws SystemError when `path` itself cannot be read.
[[nodiscard]] FileChain load_chain(
    const fs::path& path, std::string_view what, const ResolveName& resolve, Diagnostics& diags);

/// Reads a file that another one names at `pos`; that it cannot be read, is not a regular file or
/// one too many, is that place's fault.
[[nodiscard]] std::optional<YamlNode>
load_named(const fs::path& path, const SourcePos& pos, LoadBudget& budget, Diagnostics& diags);

/// True (and reported at `pos`) when `path` is in `open` already. `doing` says what would never
/// end: "recipes extend each other".
[[nodiscard]] bool closes_cycle(
    const std::vector<fs::path>& open,
    const fs::path& path,
    const SourcePos& pos,
    std::string_view doing,
    Diagnostics& diags);

} // namespace kiln
