// SPDX-License-Identifier: MIT
//
// What a layer of an OCI image holds, worked out from a change of a tree, and its tar form. Works
// on trees and streams; knows nothing of manifests.
#pragma once

#include "base/io/stream.hpp"
#include "tree/file_tree.hpp"

namespace kiln {

/// The members of the layer that brings `delta` onto `below` (null: the layer is the first):
/// - whiteouts of paths that `below` has; others would say nothing and are left out;
/// - opaque directories turned into whiteouts of each path they hide, since engines differ in
///   their reading of the opaque marker;
/// - parent directories that the delta does not name, as `below` has them;
/// - hard links whose target is not an earlier member of this layer turned into files of their own.
/// Applying the result to `below` gives the same tree as applying `delta`, but for links that cross
/// layers, which become files of equal content. Throws Error for names
/// that begin with ".wh.", which mean removal in a layer, and for paths without a parent.
[[nodiscard]] FileTree plan_layer(const FileTree& delta, const FileTree* below);

/// Writes the tar of a planned layer: tree order, each directory followed by its whiteouts.
void write_layer(const FileTree& plan, Sink& sink);

/// Begins the name of a member that removes the rest of its name.
inline constexpr std::string_view kWhiteoutPrefix = ".wh.";
/// A member of this name makes its directory hide what the layers below put into it.
inline constexpr std::string_view kOpaqueMarker = ".wh..wh..opq";

} // namespace kiln
