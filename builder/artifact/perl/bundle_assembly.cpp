// SPDX-License-Identifier: MIT
#include "artifact/perl/bundle_assembly.hpp"

#include "artifact/artifact_libraries.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "sandbox/namespaces.hpp"
#include "tree/tree_scan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>

namespace kiln {

namespace {

using Clock = std::chrono::steady_clock;

/// The one tree that the others are put into, as files.
class MergedTree {
  public:
    explicit MergedTree(fs::path root) : root_(std::move(root)) {
        fs::create_directory(root_);
        fs::permissions(root_, fs::perms(0755));
    }

    /// Adds what `part` installed. If it is `replaceable`, later parts may install files of the
    /// same names.
    void add(const std::string& part, const FileTree& tree, bool replaceable) {
        for (const auto& [path, entry] : tree.entries()) {
            if (path.empty()) {
                continue;
            }
            const auto [place, is_new] =
                owners_.try_emplace(path, Owner{part, &entry, replaceable});
            if (is_new) {
                put(path, entry);
            } else if (!is_same(*place->second.entry, entry)) {
                if (!place->second.replaceable) {
                    throw Error(fmt::format(
                        "file conflict: '{}' is installed by {} and, with different content, by {}",
                        path,
                        place->second.part,
                        part));
                }
                place->second = {part, &entry, replaceable};
                fs::remove(root_ / path);
                put(path, entry);
            }
        }
    }

  private:
    struct Owner {
        std::string part;
        const Entry* entry;
        bool replaceable;
    };

    static bool is_same(const Entry& a, const Entry& b) {
        return a.type == b.type && a.content == b.content && a.target == b.target;
    }

    /// Files are hard links into the store: nothing is copied, and nobody changes them.
    void put(const std::string& path, const Entry& entry) const {
        const fs::path target = root_ / path;
        if (entry.type == FileType::directory) {
            fs::create_directory(target);
            fs::permissions(target, fs::perms(0755));
        } else if (entry.type == FileType::symlink) {
            fs::create_symlink(entry.target, target);
        } else {
            fs::create_hard_link(
                entry.hardlink_to.empty() ? entry.source : root_ / entry.hardlink_to, target);
        }
    }

    fs::path root_;
    std::map<std::string, Owner> owners_;
};

} // namespace

void assemble_bundle(
    const BundlePlan& plan, const std::string& name, const Store& store, const InputContext& in) {
    const auto start = Clock::now();
    Job job = in.console.start("assemble the bundle");
    const auto work = store.begin_work();
    const fs::path folder = work->path() / "tree";
    MergedTree merged(folder);
    ArtifactInfo info;
    info.name = name;
    info.kind = "perl-bundle";
    info.key = plan.key();
    const std::int64_t epoch = plan.root().epoch();
    std::vector<FileTree> trees; // the merged tree points into them
    trees.reserve(plan.distributions().size() + 1);
    const FileTree& perl = trees.emplace_back(store.load(plan.perl_key()));
    merged.add("perl", perl, true);
    info.parts.push_back(artifact_part("perl", plan.perl().version, perl));
    for (const PlannedDistribution& distribution : plan.distributions()) {
        const FileTree& tree = trees.emplace_back(store.load(distribution.key));
        merged.add(distribution.locked->source, tree, false);
        info.parts.push_back(
            artifact_part(distribution.locked->source, distribution.locked->version, tree));
    }
    const FileTree tree = scan_tree(
        folder, {.ids = build_tree_ids(), .mtime = [&](const std::string&, FileType, std::int64_t) {
                     return epoch;
                 }});
    apply_times(folder, tree);
    std::vector<Digest> below = plan.root().keys();
    below.push_back(plan.perl_key());
    info.libraries = find_libraries(tree, folder, store.begin(below)->root(), in.make_sandbox);
    info.tree = tree.digest();
    store.commit(
        folder,
        plan.key(),
        tree,
        {.recipe = name,
         .kind = kArtifactKind,
         .name = name,
         .seconds = std::chrono::duration<double>(Clock::now() - start).count(),
         .bytes = tree.content_bytes(),
         .files = tree.entries().size(),
         .details = to_json(info)});
    job.finish(format_size(tree.content_bytes()));
}

} // namespace kiln
