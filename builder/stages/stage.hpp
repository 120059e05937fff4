// SPDX-License-Identifier: MIT
//
// What a stage is: one step on a tree. One file a kind, one row in the table below; adding a kind
// touches its file, the table and its test folder.
#pragma once

#include "base/diagnostics.hpp"
#include "base/io/digest.hpp"
#include "recipe/recipe.hpp"
#include "stages/host_files.hpp"
#include "stages/stage_context.hpp"
#include "tree/file_tree.hpp"

#include <memory>
#include <span>
#include <stop_token>
#include <string_view>
#include <vector>

namespace kiln {

/// A locked package; the file may not have been fetched yet.
struct LockedDeb {
    std::string name;
    std::string version;
    std::string architecture;
    fs::path path; ///< in the pool
    Digest sha256;
};

/// A source of the recipe, where it is on the build host.
struct SourceInput {
    std::string name; ///< for messages: "source 'app' (../app.tar)"
    fs::path path;    ///< a directory or a tarball
    bool is_tarball = false;
    unsigned strip = 0;   ///< leading components to drop from a tarball's paths
    Digest digest;        ///< of what will be taken from it
    std::string revision; ///< commit, or empty
};

/// A shared library that an artifact's programs load.
struct NeededLibrary {
    std::string path;    ///< absolute, where Debian has it
    std::string package; ///< Debian's, that has it
};

/// An artifact of the recipe.
struct ArtifactInput {
    FileTree tree; ///< with sources, as it is in the image
    std::vector<NeededLibrary> libraries;
};

/// Locked inputs by the words of the recipe. Looking one up never fetches.
class StageInputs {
  public:
    StageInputs() = default;
    StageInputs(const StageInputs&) = delete;
    StageInputs& operator=(const StageInputs&) = delete;
    virtual ~StageInputs() = default;

    /// The packages that a packages stage installs, in the lock's order.
    [[nodiscard]] virtual std::vector<LockedDeb> packages(const StageSpec& stage) const = 0;
    [[nodiscard]] virtual SourceInput source(const std::string& name) const = 0;
    /// Identifies an artifact by all that goes into it; it may not have been built yet.
    [[nodiscard]] virtual Digest artifact_key(const std::string& name) const = 0;
    [[nodiscard]] virtual ArtifactInput artifact(const std::string& name) const = 0;

    /// Inputs that are read where they are.
    [[nodiscard]] const HostFiles& host() const noexcept { return host_; }

  private:
    HostFiles host_;
};

class Stage {
  public:
    Stage() = default;
    Stage(const Stage&) = delete;
    Stage& operator=(const Stage&) = delete;
    virtual ~Stage() = default;

    /// Reports what the options' shape cannot judge, such as an overlay folder that is missing.
    virtual void check(Diagnostics&) const {}

    /// Adds the digest of everything that run() reads besides the options and the tree.
    virtual void hash_inputs(FieldHasher&, const StageInputs&) const {}

    /// Does what needs no tree, on cores that other stages leave idle. Files go into `folder`,
    /// which becomes kStagingFolder of the tree. Ends early when `stop` is requested: what is
    /// not done by then is left to run(). Null when there is nothing to do.
    [[nodiscard]] virtual std::unique_ptr<StagedData>
    prepare(const StageInputs&, const TreeRoot& /*folder*/, const std::stop_token& /*stop*/) const {
        return nullptr;
    }

    virtual void run(StageContext& context, const StageInputs& inputs) const = 0;

    /// Whether run() runs programs of the tree, which may leave things behind.
    [[nodiscard]] virtual bool runs_programs() const { return false; }

    /// Whether run() is one small program after another, for seconds, so that other work had better
    /// be done meanwhile.
    [[nodiscard]] virtual bool leaves_cores_idle() const { return false; }
};

struct StageKind {
    std::string_view kind;
    std::string_view summary;
    const Shape* options;
    std::unique_ptr<Stage> (*make)(const StageSpec&);
    StageTakes takes = StageTakes::nothing;
};

/// All kinds, in the order of the documentation.
[[nodiscard]] std::span<const StageKind> stage_kinds();
/// The same, as far as a recipe's reader needs to know them.
[[nodiscard]] std::span<const StageShape> stage_shapes();
/// Makes a stage of a checked recipe.
[[nodiscard]] std::unique_ptr<Stage> make_stage(const StageSpec& spec);

} // namespace kiln
