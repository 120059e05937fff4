// SPDX-License-Identifier: MIT
#include "pipeline/bundle_assembly.hpp"

#include "base/error.hpp"
#include "base/sandbox.hpp"
#include "base/text.hpp"
#include "formats/tree_scan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>

namespace kiln {

namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kArtifactFolder = "/run/kiln/artifact";

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
                        "'{}' is installed by {} and, different, by {}",
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

/// Files with dynamic sections, as paths below the artifact.
std::vector<std::string> programs_and_libraries(const FileTree& tree) {
    std::vector<std::string> out;
    for (const auto& [path, entry] : tree.entries()) {
        const bool is_library = path.ends_with(".so");
        const bool is_perl = path.ends_with("/bin/perl");
        if (entry.type == FileType::regular && (is_library || is_perl)) {
            out.push_back(path);
        }
    }
    return out;
}

/// Names in lines such as " 0x1 (NEEDED)  Shared library: [libc.so.6]" of readelf(1).
std::set<std::string> needed_libraries(std::string_view output) {
    std::set<std::string> out;
    for (const std::string& line : split_lines(output)) {
        const std::size_t open = line.find('[');
        const std::size_t close = line.find(']');
        if (line.find("(NEEDED)") != std::string::npos && open < close &&
            close != std::string::npos) {
            out.insert(line.substr(open + 1, close - open - 1));
        }
    }
    return out;
}

/// Who has a file that is called like that: lines "PACKAGE[:ARCH]: PATH" of dpkg-query(1).
std::vector<ArtifactLibrary> owners_of(const std::set<std::string>& sonames, Sandbox& sandbox) {
    if (sonames.empty()) {
        return {};
    }
    Command command{"dpkg-query", {"--search"}};
    for (const std::string& soname : sonames) {
        command.args.push_back("*/" + soname);
    }
    command.separate_stderr = true; // patterns without a match are told there, and found below
    std::map<std::string, ArtifactLibrary> found;
    for (const std::string& line : split_lines(sandbox.run(command).output)) {
        const std::size_t space = line.find(": ");
        if (space == std::string::npos) {
            continue;
        }
        const std::string path = line.substr(space + 2);
        const std::string soname = path.substr(path.rfind('/') + 1);
        found.try_emplace(
            soname, ArtifactLibrary{soname, path, line.substr(0, line.find_first_of(":,"))});
    }
    std::vector<ArtifactLibrary> out;
    for (const std::string& soname : sonames) {
        const auto place = found.find(soname);
        if (place == found.end()) {
            throw Error(fmt::format("no package of the build root has the library '{}'", soname));
        }
        out.push_back(place->second);
    }
    return out;
}

std::vector<ArtifactLibrary>
find_libraries(const FileTree& tree, const fs::path& folder, const fs::path& root) {
    SandboxOptions options{.root = root};
    options.read_only_root = true;
    options.binds.push_back({folder, kArtifactFolder});
    Sandbox sandbox(std::move(options));
    Command command{"readelf", {"--dynamic", "--wide"}};
    command.cwd = kArtifactFolder;
    for (std::string& path : programs_and_libraries(tree)) {
        command.args.push_back(std::move(path));
    }
    return owners_of(needed_libraries(sandbox.run_checked(command)), sandbox);
}

ArtifactPart part_of(std::string name, std::string version, const FileTree& tree) {
    ArtifactPart out{std::move(name), std::move(version), tree.content_bytes(), 0};
    out.files = static_cast<std::uint64_t>(
        std::count_if(tree.entries().begin(), tree.entries().end(), [](const auto& entry) {
            return entry.second.type == FileType::regular;
        }));
    return out;
}

} // namespace

void assemble_bundle(
    const BundlePlan& plan,
    const std::vector<Digest>& root_keys,
    const std::string& name,
    const Store& store,
    Console& console) {
    const auto start = Clock::now();
    Job job = console.start("put the bundle together");
    const auto work = store.begin_work();
    const fs::path folder = work->path() / "tree";
    MergedTree merged(folder);
    ArtifactInfo info;
    info.name = name;
    info.kind = "perl-bundle";
    info.key = plan.key();
    const std::int64_t epoch = plan.root_plan().settings.epoch;
    std::vector<FileTree> trees; // the merged tree points into them
    trees.reserve(plan.distributions().size() + 1);
    const FileTree& perl = trees.emplace_back(store.load(plan.perl_key()));
    merged.add("perl", perl, true);
    info.parts.push_back(part_of("perl", plan.perl().version, perl));
    for (const PlannedDistribution& distribution : plan.distributions()) {
        const FileTree& tree = trees.emplace_back(store.load(distribution.key));
        merged.add(distribution.locked->source, tree, false);
        info.parts.push_back(
            part_of(distribution.locked->source, distribution.locked->version, tree));
    }
    const FileTree tree = scan_tree(
        folder, {.mtime = [&](const std::string&, FileType, std::int64_t) { return epoch; }});
    apply_times(folder, tree);
    std::vector<Digest> below = root_keys;
    below.push_back(plan.perl_key());
    info.libraries = find_libraries(tree, folder, store.begin(below)->root());
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
