// SPDX-License-Identifier: MIT
//
// The record: what was baked from what. record.json, the manifests of the trees, SHA256SUMS. Times
// that a bake took are in it and in no image.
#pragma once

#include "bake/images.hpp"
#include "build/executor.hpp"
#include "tree/file_tree.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace kiln {

struct Record {
    std::string recipe;
    Digest lock; ///< see Lockfile::digest()
    std::int64_t epoch = 0;
    std::vector<StageOutcome> stages;
    /// Trees that images hold, by the manifest's file name: "vm.manifest", "oci.manifest".
    std::map<std::string, Digest> trees;
    std::vector<ImageFile> images;
    double seconds = 0; ///< of the whole bake
};

/// Writes record.json and SHA256SUMS into `folder`.
void write_record(const Record& record, const fs::path& folder);

/// Writes a tree's manifest and returns its digest (the file's SHA-256).
Digest write_tree_manifest(const FileTree& tree, const fs::path& path);

/// Reads the part of record.json that comparing needs. Throws Error (exit code 3) when it is
/// malformed.
[[nodiscard]] Record load_record(const fs::path& path);

/// The tree that an image of the record holds, from the manifest beside it; checked against the
/// record's digest. `format` as in ImageFile. Throws Error (exit code 4) when it does not fit.
[[nodiscard]] FileTree
load_recorded_tree(const Record& record, const fs::path& folder, ImageFormat format);

/// "vm.manifest" for disks, "oci.manifest" for containers.
[[nodiscard]] std::string manifest_name(ImageFormat format);

} // namespace kiln
