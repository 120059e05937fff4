// SPDX-License-Identifier: MIT
//
// The main job: from a recipe and its lock to images with a record. Puts the parts in order and
// knows nothing that a part could know.
#pragma once

#include "bake/record.hpp"
#include "inputs/locked_inputs.hpp"
#include "inputs/source_overrides.hpp"
#include "verify/check/image_check.hpp"

#include <string>
#include <vector>

namespace kiln {

struct BakeRequest {
    fs::path recipe_file; ///< a new lock is written beside it
    Recipe recipe;        ///< its sources replaced already (apply_source_overrides())
    SourceOverrides sources;
    std::vector<RequestPart> asked;     ///< by the recipe as it was before that (request_of())
    std::vector<std::string> artifacts; ///< repositories that may have artifacts built already
    std::vector<ImageFormat> formats;   ///< empty: what the recipe's images define
    fs::path out;                       ///< folder of the results; made if needed
    fs::path cache;                     ///< root of kiln's cache
    unsigned jobs = 1;
    std::optional<Lockfile> lock; ///< what is baked (load_recipe_lock()); none: a new one is made
    CheckLevel check = CheckLevel::quick; ///< how closely finished disks are looked at
    bool keep_work = false;
    bool rebuild = false; ///< run every stage, also those in the store, and compare
    unsigned umask = 022; ///< of whoever wants the results
};

struct BakeReport {
    Record record;
    std::vector<fs::path> files; ///< what is in the output folder now
};

/// Needs prepare_out_folder() (bake/output_folder.hpp) and enter_build_namespace(). On any
/// failure the output folder is left as it was, but for build.log.
[[nodiscard]] BakeReport bake(BakeRequest request, const InputContext& in);

} // namespace kiln
