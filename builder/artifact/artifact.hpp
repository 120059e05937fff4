// SPDX-License-Identifier: MIT
//
// An artifact: a tree that was built in a locked build root, kept in the store under the key of
// everything that went in. A perl bundle is one; a recipe places it into an image.
#pragma once

#include "base/io/digest.hpp"
#include "build/store.hpp"
#include "tree/file_tree.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace kiln {

/// A shared library that an artifact's programs load, and who has it.
struct ArtifactLibrary {
    std::string soname;  ///< "libmariadb.so.3"
    std::string path;    ///< in the build root, absolute
    std::string package; ///< Debian's, which the image must hold: "libmariadb3"
};

/// What one input contributed.
struct ArtifactPart {
    std::string name;
    std::string version;
    std::uint64_t bytes = 0;
    std::uint64_t files = 0;
};

struct ArtifactInfo {
    std::string name;                       ///< "core"
    std::string kind;                       ///< "perl-bundle" or "program"
    Digest key;                             ///< of everything that went in
    Digest tree;                            ///< of what came out, see FileTree::digest()
    std::vector<ArtifactLibrary> libraries; ///< sorted by soname
    std::vector<ArtifactPart> parts;        ///< in build order
};

/// What a tree contributed.
[[nodiscard]] ArtifactPart
artifact_part(std::string name, std::string version, const FileTree& tree);

[[nodiscard]] std::string to_json(const ArtifactInfo& info);
/// Throws Error when the text is none of ours.
[[nodiscard]] ArtifactInfo parse_artifact_info(std::string_view text);

/// What the store calls the kind of a finished artifact; a stage that places one is "artifact".
inline constexpr const char* kArtifactKind = "artifact-tree";

/// Of an artifact in the store, as it was when it was built. Throws Error when it is not an
/// artifact.
[[nodiscard]] ArtifactInfo stored_artifact(const Store& store, const Digest& key);
/// The same with the name that its definition has now: a name is part of no key.
[[nodiscard]] ArtifactInfo
stored_artifact(const Store& store, const Digest& key, const std::string& name);

} // namespace kiln
