// SPDX-License-Identifier: MIT
#include "recipe/yaml/patterns.hpp"
#include "stages/kinds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

namespace kiln {

namespace {

constexpr auto kFields = std::to_array<Field>({
    {"artifact", &kName, Need::required, "name of one of the recipe's artifacts"},
});

/// Puts the tree of an artifact into the image's.
class Placer {
  public:
    explicit Placer(const TreeRoot& tree) : tree_(tree) {}

    /// Returns what was placed: directories that the image has already, such as /opt, stay as they
    /// are.
    [[nodiscard]] FileTree place(const FileTree& artifact) const {
        FileTree placed;
        for (const auto& [path, entry] : artifact.entries()) {
            const bool is_there = entry.type == FileType::directory && tree_.exists("/" + path);
            if (!path.empty() && !is_there) {
                place("/" + path, entry);
                placed.put(path, entry);
            }
        }
        return placed;
    }

  private:
    void place(const std::string& path, const Entry& entry) const {
        const Ownership owner{entry.uid, entry.gid, entry.mode};
        switch (entry.type) {
        case FileType::directory:
            tree_.make_directory(path, owner);
            break;
        case FileType::symlink:
            tree_.make_link(path, entry.target, owner);
            break;
        case FileType::regular:
            if (entry.hardlink_to.empty()) {
                tree_.write_file(path, *open_content(entry), owner);
            } else {
                tree_.remove(path);
                tree_.make_hard_link(entry.hardlink_to, path);
            }
            break;
        default:
            throw Error(fmt::format("'{}' in an artifact is not a file, directory or link", path));
        }
    }

    const TreeRoot& tree_;
};

class ArtifactStage final : public Stage {
  public:
    explicit ArtifactStage(const StageSpec& spec) : spec_(spec) {}

    void hash_inputs(FieldHasher& hasher, const StageInputs& inputs) const override {
        hasher.field("artifact", inputs.artifact_key(name()));
    }

    void run(StageContext& context, const StageInputs& inputs) const override {
        const ArtifactInput artifact = inputs.artifact(name());
        require_libraries(artifact, context.tree);
        const FileTree placed = Placer(context.tree).place(artifact.tree);
        // The artifact's own times, so that its layer stays the same when the recipe's epoch moves.
        for (const auto& [path, entry] : placed.entries()) {
            context.tree.set_time(path, entry.mtime);
            context.kept_times[path] = entry.mtime;
        }
    }

  private:
    [[nodiscard]] const std::string& name() const {
        return spec_.options.at("artifact").as_string();
    }

    /// A library may lie below /lib or /usr/lib, which Debian 12 has made one.
    static bool has_library(const TreeRoot& tree, const std::string& path) {
        constexpr std::string_view kUsr = "/usr";
        return tree.exists(path) ||
               (path.starts_with(kUsr) ? tree.exists(path.substr(kUsr.size()))
                                       : tree.exists(std::string(kUsr) + path));
    }

    void require_libraries(const ArtifactInput& artifact, const TreeRoot& tree) const {
        std::vector<std::string> missing;
        std::set<std::string> packages;
        for (const NeededLibrary& library : artifact.libraries) {
            if (!has_library(tree, library.path)) {
                missing.push_back(fmt::format("{}, of package {}", library.path, library.package));
                packages.insert(library.package);
            }
        }
        if (!missing.empty()) {
            throw Error(
                fmt::format(
                    "artifact '{}' requires {} librar{} not installed in the image",
                    name(),
                    missing.size(),
                    missing.size() == 1 ? "y" : "ies"),
                ExitCode::invalid_recipe)
                .with_details(std::move(missing))
                .with_hint(fmt::format(
                    "install {} in a packages stage before stage '{}'",
                    fmt::join(packages, ", "),
                    spec_.name));
        }
    }

    const StageSpec& spec_;
};

} // namespace

constexpr Shape kArtifactOptions = object_of(kFields);

std::unique_ptr<Stage> make_artifact_stage(const StageSpec& spec) {
    return std::make_unique<ArtifactStage>(spec);
}

} // namespace kiln
