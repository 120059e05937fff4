// SPDX-License-Identifier: MIT
#include "build/store.hpp"

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/io/paths.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "sandbox/namespaces.hpp"
#include "stages/stage_context.hpp"
#include "tree/tree_root.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>

namespace kiln {

namespace {

/// Half a digest names a folder: the option string of an overlay mount must hold the paths of all
/// stages in one page.
constexpr std::size_t kKeyNameLength = 32;
constexpr const char* kUsesFolder = "uses";
constexpr const char* kKeptFolder = "kept";

void check_mountable(const fs::path& path) {
    if (path.string().find_first_of(":,\\") != std::string::npos) {
        throw Error(fmt::format(
                        "the path of the cache directory '{}' contains ':', ',' or '\\', which "
                        "overlay mounts do not allow",
                        path.string()))
            .with_hint("set KILN_CACHE to another directory");
    }
}

enum class Reading { with_manifest, no_manifest };

/// The manifest is what it was, and can be read.
bool has_whole_manifest(const fs::path& folder, const std::optional<std::string>& stated) {
    const fs::path path = folder / "manifest";
    const std::string manifest = read_text_file(path, kMaxManifestBytes);
    if (stated) {
        return *stated == sha256(manifest).to_string();
    }
    static_cast<void>(parse_manifest(manifest, {})); // a stage of an older kiln
    return true;
}

/// Half a key names a folder, and the ids that own its files, where they are shifted.
std::string folder_name(const Digest& key, std::uint32_t offset) {
    const std::string name = key.hex().substr(0, kKeyNameLength);
    return offset == 0 ? name : fmt::format("{}-{}", name, offset);
}

/// Whatever ids own its files.
bool is_folder_of(const fs::path& folder, const Digest& key) {
    const std::string name = folder.filename().string();
    return name.substr(0, name.find('-')) == folder_name(key, 0);
}

/// Nothing when it is not as commit() made it.
std::optional<StoredStage> read_stage(const fs::path& folder, Reading reading) {
    constexpr double kMostSeconds = 1e9;
    try {
        const auto json = parse_json_object(read_text_file(folder / "stage.json"));
        const auto text = [&](const char* name) {
            return json ? json_string(*json, name) : std::nullopt;
        };
        const auto number = [&](const char* name) {
            return json ? json_unsigned(*json, name) : std::nullopt;
        };
        const auto key = Digest::parse(text("key").value_or(""));
        const auto seconds = json ? json_number(*json, "seconds") : std::nullopt;
        if (!key || !text("recipe") || !text("kind") || !text("name") || !seconds || *seconds < 0 ||
            *seconds > kMostSeconds || !number("bytes") || !number("files") ||
            !is_folder_of(folder, *key) || !fs::is_directory(folder / "tree")) {
            return std::nullopt;
        }
        if (reading == Reading::with_manifest && !has_whole_manifest(folder, text("manifest"))) {
            return std::nullopt;
        }
        StoredStage stage;
        stage.key = *key;
        stage.info = {
            .recipe = *text("recipe"),
            .kind = *text("kind"),
            .name = *text("name"),
            .seconds = *seconds,
            .bytes = *number("bytes"),
            .files = *number("files")};
        return stage;
    } catch (const Error&) { // a file is missing, or of another kind
        return std::nullopt;
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
    const TreeMounter& mounter,
    const fs::path& work_root,
    const std::vector<fs::path>& lowers,
    const fs::path& staged_data)
    : mounter_(mounter), folder_(work_root), upper_(folder_.path() / "upper"),
      root_(folder_.path() / "root") {
    const fs::path work = folder_.path() / "work";
    for (const fs::path& path : {upper_, work, root_}) {
        fs::create_directory(path);
        // REPRO: the root directory's mode, whatever the umask.
        fs::permissions(path, fs::perms(0755));
    }
    give_to_tree(upper_, build_tree_ids());
    if (!staged_data.empty()) {
        // Before the mount: nothing can be moved into a mount from outside.
        fs::rename(staged_data, upper_ / kStagingFolder);
    }
    mounter_.mount({lowers, upper_, work, root_});
    mounted_ = true;
}

Workspace::~Workspace() {
    if (mounted_) {
        static_cast<void>(mounter_.unmount(root_));
    }
}

void Workspace::unmount() {
    if (mounted_ && !mounter_.unmount(root_)) {
        throw SystemError(fmt::format("cannot unmount '{}'", root_.string()));
    }
    mounted_ = false;
}

fs::path Workspace::keep() {
    mounted_ = mounted_ && !mounter_.unmount(root_);
    folder_.keep();
    const fs::path kept = folder_.path().parent_path().parent_path() / kKeptFolder;
    try {
        make_private_folder(kept);
        fs::rename(folder_.path(), kept / folder_.path().filename());
        return kept / folder_.path().filename();
    } catch (const std::exception&) { // its stage's error matters more
        return folder_.path();
    }
}

Store::Store(fs::path root, const TreeMounter& mounter)
    : root_(std::move(root)), mounter_(mounter) {
    check_mountable(root_);
    fs::create_directories(root_);
    make_private_folder(root_ / "stages");
    make_private_folder(root_ / "work");
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
    const fs::path stages = root_ / "stages";
    fs::path own = stages / folder_name(key, build_tree_ids().offset);
    if (build_namespace().is_entered || fs::exists(own)) {
        return own;
    }
    // Who only looks does not care whose files they are.
    for (const auto& folder : fs::directory_iterator(stages)) {
        if (is_folder_of(folder.path(), key)) {
            return folder.path();
        }
    }
    return own;
}

FileLock Store::lock_uses(FileLock::Mode mode) const {
    return {root_ / "store.lock", mode};
}

/// From now on remove() of every other process leaves the stage alone.
void Store::note_use(const Digest& key) const {
    const std::lock_guard guard(uses_->mutex);
    if (uses_->noted.contains(key)) {
        return;
    }
    const FileLock shared = lock_uses(FileLock::Mode::shared);
    if (!uses_->folder) {
        uses_->folder.emplace(root_ / "work");
        fs::create_directory(uses_->folder->path() / kUsesFolder);
    }
    write_file(uses_->folder->path() / kUsesFolder / folder_of(key).filename(), "", 0600);
    uses_->noted.insert(key);
}

/// Where this process notes its uses; empty when it has none.
fs::path Store::own_work() const {
    const std::lock_guard guard(uses_->mutex);
    return uses_->folder ? uses_->folder->path() : fs::path();
}

/// Work of processes that died was swept when this was made, or counts until it is.
bool Store::is_used_by_others(const fs::path& stage, const fs::path& own) const {
    return std::any_of(
        fs::directory_iterator(root_ / "work"), fs::directory_iterator(), [&](const auto& work) {
            return work.path() != own && fs::exists(work.path() / kUsesFolder / stage.filename());
        });
}

bool Store::contains(const Digest& key) const {
    const fs::path folder = folder_of(key);
    if (!fs::exists(folder)) {
        return false;
    }
    note_use(key); // before it is looked at: it may be removed at this moment
    {
        const std::lock_guard guard(uses_->mutex);
        if (uses_->whole.contains(key)) {
            return fs::exists(folder);
        }
    }
    if (!read_stage(folder, Reading::with_manifest)) {
        set_aside_if_damaged(folder);
        return false;
    }
    const std::lock_guard guard(uses_->mutex);
    uses_->whole.insert(key);
    return true;
}

fs::path Store::tree_of(const Digest& key) const {
    return folder_of(key) / "tree";
}

FileTree Store::load(const Digest& key) const {
    const fs::path folder = folder_of(key);
    note_use(key);
    set_used_now(folder / "stage.json");
    return with_context(fmt::format("reading the stored stage '{}'", folder.string()), [&] {
        try {
            return parse_manifest(
                read_text_file(folder / "manifest", kMaxManifestBytes), folder / "tree");
        } catch (Error& error) {
            set_aside_if_damaged(folder);
            error.set_hint_if_empty(
                "the stage is damaged; it is rebuilt when no other kiln process uses it");
            throw;
        }
    });
}

std::unique_ptr<Workspace>
Store::begin(const std::vector<Digest>& below, const fs::path& staged_data) const {
    std::vector<fs::path> lowers;
    for (const Digest& key : below) {
        lowers.push_back(tree_of(key));
    }
    return std::unique_ptr<Workspace>(new Workspace(mounter_, root_ / "work", lowers, staged_data));
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
    MemorySink manifest;
    write_manifest(delta, manifest);
    write_file_atomically(staged / "manifest", manifest.text());
    const nlohmann::ordered_json json{
        {"key", key.to_string()},
        {"recipe", info.recipe},
        {"kind", info.kind},
        {"name", info.name},
        {"seconds", info.seconds},
        {"bytes", info.bytes},
        {"files", info.files},
        {"manifest", sha256(manifest.text()).to_string()}};
    write_file_atomically(staged / "stage.json", json_text(json) + "\n");
    note_use(key);
    if (::rename(staged.c_str(), folder_of(key).c_str()) != 0 && errno != ENOTEMPTY &&
        errno != EEXIST) {
        throw SystemError(fmt::format("cannot store the stage in '{}'", folder_of(key).string()));
    }
}

std::vector<StoredStage> Store::list() const {
    std::vector<StoredStage> out;
    for (const auto& folder : fs::directory_iterator(root_ / "stages")) {
        throw_if_interrupted();
        std::optional<StoredStage> stage = read_stage(folder.path(), Reading::no_manifest);
        if (!stage) {
            stage.emplace();
            stage->is_damaged = true;
        }
        stage->folder = folder.path();
        stage->last_used = last_used(folder.path() / "stage.json");
        out.push_back(std::move(*stage));
    }
    std::sort(out.begin(), out.end(), [](const StoredStage& a, const StoredStage& b) {
        return a.last_used != b.last_used ? a.last_used > b.last_used : a.folder < b.folder;
    });
    return out;
}

std::vector<KeptWork> Store::kept_work() const {
    std::vector<KeptWork> out;
    std::error_code none; // nothing was ever kept
    for (const auto& folder : fs::directory_iterator(root_ / kKeptFolder, none)) {
        out.push_back({folder.path(), last_used(folder.path())});
    }
    std::ranges::sort(
        out, {}, [](const KeptWork& work) { return std::pair(work.since, work.folder); });
    return out;
}

/// Renamed first, so that a kill in the middle leaves no half stage under its key.
void Store::set_aside(const fs::path& folder) const {
    const WorkFolder doomed(root_ / "work");
    std::error_code ignored;
    fs::rename(folder, doomed.path() / "stage", ignored);
}

/// Checked again under the exclusive lock: another kiln may have replaced it meanwhile.
void Store::set_aside_if_damaged(const fs::path& folder) const {
    const fs::path own = own_work();
    const FileLock alone = lock_uses(FileLock::Mode::exclusive);
    if (fs::exists(folder) && !read_stage(folder, Reading::with_manifest) &&
        !is_used_by_others(folder, own)) {
        set_aside(folder);
    }
}

bool Store::remove(const StoredStage& stage) const {
    const fs::path own = own_work();
    const FileLock alone = lock_uses(FileLock::Mode::exclusive);
    if (is_used_by_others(stage.folder, own)) {
        return false;
    }
    set_aside(stage.folder);
    return true;
}

} // namespace kiln
