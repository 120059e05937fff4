// SPDX-License-Identifier: MIT
#include "pipeline/store.hpp"

#include "base/error.hpp"
#include "base/namespaces.hpp"
#include "base/text.hpp"
#include "base/tree_root.hpp"
#include "stages/stage_context.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>

namespace kiln {

namespace {

/// Half a digest names a folder: the option string of an overlay mount must hold the paths of all
/// stages in one page.
constexpr std::size_t kKeyNameLength = 32;

std::string overlay_options(const std::vector<fs::path>& lowers, const Workspace& workspace) {
    std::string lower;
    for (auto it = lowers.rbegin(); it != lowers.rend(); ++it) { // the topmost comes first
        lower += (lower.empty() ? "" : ":") + it->string();
    }
    std::string options = fmt::format(
        "userxattr,lowerdir={},upperdir={},workdir={}",
        lower,
        workspace.upper().string(),
        (workspace.upper().parent_path() / "work").string());
    constexpr std::size_t kPage = 4096;
    if (options.size() >= kPage) {
        throw Error("the recipe has more stages than one overlay mount can hold")
            .with_hint("a shorter path in KILN_CACHE leaves room for more");
    }
    return options;
}

void check_mountable(const fs::path& path) {
    if (path.string().find_first_of(":,\\") != std::string::npos) {
        throw Error(
            fmt::format(
                "the cache directory '{}' has a ':', ',' or '\\' in its name, which overlay "
                "mounts cannot have",
                path.string()))
            .with_hint("set KILN_CACHE to another directory");
    }
}

} // namespace

/// Before it is locked another process may sweep the new folder; then there is another.
WorkFolder WorkFolder::claim(const fs::path& work_root) {
    while (true) {
        TempDir folder(work_root, "bake");
        FileLock lock = FileLock::try_lock_directory(folder.path());
        if (lock.is_held() && fs::exists(folder.path())) {
            return {std::move(folder), std::move(lock)};
        }
    }
}

Workspace::Workspace(
    const fs::path& work_root, const std::vector<fs::path>& lowers, const fs::path& groundwork)
    : folder_(work_root), upper_(folder_.path() / "upper"), root_(folder_.path() / "root") {
    for (const fs::path& path : {upper_, folder_.path() / "work", root_}) {
        fs::create_directory(path);
        // REPRO: the root directory's mode, whatever the umask.
        fs::permissions(path, fs::perms(0755));
    }
    give_to_tree(upper_, build_tree_ids());
    if (!groundwork.empty()) {
        // Before the mount: nothing can be moved into a mount from outside.
        fs::rename(groundwork, upper_ / kGroundworkFolder);
    }
    mount(lowers);
    mounted_ = true;
}

void Workspace::mount(const std::vector<fs::path>& lowers) const {
    if (lowers.empty()) {
        if (::mount(upper_.c_str(), root_.c_str(), nullptr, MS_BIND, nullptr) != 0) {
            throw SystemError(fmt::format("cannot mount the tree at '{}'", root_.string()));
        }
        return;
    }
    const std::string options = overlay_options(lowers, *this);
    if (::mount("overlay", root_.c_str(), "overlay", 0, options.c_str()) != 0) {
        throw SystemError(fmt::format("cannot mount the tree at '{}'", root_.string()))
            .with_hint("overlay mounts need a cache directory on a real file system (ext4, xfs, "
                       "btrfs, tmpfs), not on another overlay: set KILN_CACHE");
    }
}

Workspace::~Workspace() {
    if (mounted_) {
        ::umount2(root_.c_str(), MNT_DETACH);
    }
}

void Workspace::unmount() {
    if (mounted_ && ::umount2(root_.c_str(), 0) != 0 && ::umount2(root_.c_str(), MNT_DETACH) != 0) {
        throw SystemError(fmt::format("cannot unmount '{}'", root_.string()));
    }
    mounted_ = false;
}

fs::path Workspace::keep() {
    folder_.keep();
    return folder_.path();
}

Store::Store(fs::path root) : root_(std::move(root)) {
    check_mountable(root_);
    fs::create_directories(root_ / "stages");
    fs::create_directories(root_ / "work");
    sweep();
}

/// What nobody holds belongs to a process that has died.
void Store::sweep() const {
    for (const auto& folder : fs::directory_iterator(root_ / "work")) {
        const FileLock lock = FileLock::try_lock_directory(folder.path());
        if (lock.is_held()) {
            remove_tree(folder.path());
        }
    }
}

fs::path Store::folder_of(const Digest& key) const {
    return root_ / "stages" / key.hex().substr(0, kKeyNameLength);
}

bool Store::contains(const Digest& key) const {
    return fs::exists(folder_of(key) / "stage.json");
}

fs::path Store::tree_of(const Digest& key) const {
    return folder_of(key) / "tree";
}

FileTree Store::load(const Digest& key) const {
    const fs::path folder = folder_of(key);
    set_used_now(folder / "stage.json");
    return with_context(fmt::format("reading the stored stage '{}'", folder.string()), [&] {
        return parse_manifest(read_text_file(folder / "manifest"), folder / "tree");
    });
}

std::unique_ptr<Workspace>
Store::begin(const std::vector<Digest>& below, const fs::path& groundwork) const {
    std::vector<fs::path> lowers;
    for (const Digest& key : below) {
        lowers.push_back(tree_of(key));
    }
    return std::unique_ptr<Workspace>(new Workspace(root_ / "work", lowers, groundwork));
}

void Store::commit(
    Workspace& workspace, const Digest& key, const FileTree& delta, const StageInfo& info) const {
    workspace.unmount();
    commit(workspace.upper(), key, delta, info);
}

std::string Store::details_of(const Digest& key) const {
    const fs::path path = folder_of(key) / "details.json";
    return fs::exists(path) ? read_text_file(path) : std::string();
}

void Store::commit(
    const fs::path& tree, const Digest& key, const FileTree& delta, const StageInfo& info) const {
    const fs::path staged = tree.parent_path() / "stage";
    fs::create_directory(staged);
    fs::rename(tree, staged / "tree");
    if (!info.details.empty()) {
        write_file_atomically(staged / "details.json", info.details);
    }
    {
        AtomicFile manifest(staged / "manifest");
        MemorySink text;
        write_manifest(delta, text);
        manifest.write(text.data());
        manifest.commit();
    }
    const nlohmann::ordered_json json{
        {"key", key.to_string()},
        {"recipe", info.recipe},
        {"kind", info.kind},
        {"name", info.name},
        {"seconds", info.seconds},
        {"bytes", info.bytes},
        {"files", info.files}};
    write_file_atomically(staged / "stage.json", json.dump(2) + "\n");
    if (::rename(staged.c_str(), folder_of(key).c_str()) != 0 && errno != ENOTEMPTY &&
        errno != EEXIST) {
        throw SystemError(fmt::format("cannot keep the stage in '{}'", folder_of(key).string()));
    }
}

std::vector<StoredStage> Store::list() const {
    std::vector<StoredStage> out;
    for (const auto& folder : fs::directory_iterator(root_ / "stages")) {
        const fs::path path = folder.path() / "stage.json";
        if (!fs::exists(path)) {
            continue;
        }
        const auto json = nlohmann::json::parse(read_text_file(path));
        StoredStage stage;
        stage.key = Digest::parse(json.at("key").get<std::string>()).value_or(Digest());
        stage.info = {
            json.at("recipe"),
            json.at("kind"),
            json.at("name"),
            json.at("seconds"),
            json.at("bytes"),
            json.at("files")};
        stage.last_used = last_used(path);
        out.push_back(std::move(stage));
    }
    std::sort(out.begin(), out.end(), [](const StoredStage& a, const StoredStage& b) {
        return a.last_used != b.last_used ? a.last_used > b.last_used : a.key < b.key;
    });
    return out;
}

void Store::remove(const Digest& key) const {
    // Renamed first, so that a kill in the middle leaves no half stage under its key.
    const WorkFolder doomed(root_ / "work");
    std::error_code ignored;
    fs::rename(folder_of(key), doomed.path() / "stage", ignored);
}

} // namespace kiln
