// SPDX-License-Identifier: MIT
//
// What a stage may see while it works on a tree. A stage knows nothing of images, of other stages
// or of where the tree is stored.
#pragma once

#include "base/console.hpp"
#include "base/io/digest.hpp"
#include "base/io/file.hpp"
#include "base/process/process.hpp"
#include "recipe/recipe.hpp"
#include "tree/file_tree.hpp"
#include "tree/tree_root.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace kiln {

/// The same for every stage of a bake; part of every stage's key.
struct BakeSettings {
    std::int64_t epoch = 0; ///< source date epoch, seconds
    std::string architecture{kDefaultArchitecture};
    RecipeIds ids;   ///< numbers of users and groups that the recipe fixes
    Digest identity; ///< seed of the disk's identifiers, see disk/disk.hpp
};

/// Paths (relative to the tree) whose modification time comes from an input, such as a package's
/// archive, and is kept if the file still has it. Everything else gets the source date epoch.
using KeptTimes = std::map<std::string, std::int64_t, std::less<>>;

/// What a stage did before its turn came; see Stage::prepare().
class StagedData {
  public:
    StagedData() = default;
    StagedData(const StagedData&) = delete;
    StagedData& operator=(const StagedData&) = delete;
    virtual ~StagedData() = default;
};

/// Name of the folder in the tree's root where staged data is while its stage runs, which removes
/// it.
inline constexpr const char* kStagingFolder = ".kiln-staging";

struct StageContext {
    const TreeRoot& tree; ///< mounted, writable
    const BakeSettings& settings;
    ProcessRunner& sandbox; ///< runs commands inside the tree
    Console& console;
    Job& job;
    KeptTimes& kept_times;
    StagedData* staged_data = nullptr; ///< what the stage's own prepare() made, if it did
    unsigned jobs = 1;
    const FileTree* below = nullptr; ///< the tree before the stage; null: an empty one
    /// Directories, relative to the tree, in which kiln placed something and removed it again. The
    /// stage did not change them, unless something else in them did.
    std::vector<std::string> restored = {};
};

} // namespace kiln
