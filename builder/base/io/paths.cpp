// SPDX-License-Identifier: MIT
#include "base/io/paths.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <system_error>

namespace kiln {

namespace {

std::optional<std::filesystem::path> absolute_path(const EnvLookup& env, std::string_view name) {
    const auto value = env(name);
    if (!value || value->empty() || value->front() != '/') {
        return std::nullopt;
    }
    return std::filesystem::path(*value);
}

namespace fs = std::filesystem;

/// What kiln makes directly in the root of its cache.
constexpr auto kOwnFolders = std::to_array<std::string_view>(
    {"stages",
     "work",
     "pool",
     "apt",
     "made",
     "checked",
     "layers",
     "clusters",
     "appliance",
     "store.lock"});

struct stat status_of(const fs::path& path) {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) {
        throw SystemError(fmt::format("cannot access '{}'", path.string()));
    }
    return status;
}

constexpr mode_t kOthers = S_IRWXG | S_IRWXO;

bool is_ours(const struct stat& status) {
    return status.st_uid == ::geteuid() || status.st_uid == 0;
}

void set_private(const fs::path& folder) {
    if (::chmod(folder.c_str(), S_IRWXU) != 0) {
        throw SystemError(fmt::format("cannot set the mode of '{}'", folder.string()));
    }
}

/// A folder of kiln's own.
struct RootKind {
    const char* what;     ///< "cache"
    const char* variable; ///< that names it
    const char* xdg;      ///< the variable with the folder that has one for each program
    const char* below_home;
};

constexpr RootKind kCache{"cache", "KILN_CACHE", "XDG_CACHE_HOME", ".cache/kiln"};
constexpr RootKind kState{"state", "KILN_STATE", "XDG_STATE_HOME", ".local/state/kiln"};

std::string hint_of(const RootKind& kind) {
    return fmt::format("set {} to a directory that you own", kind.variable);
}

void check_owner(const RootKind& kind, const fs::path& folder, const struct stat& status) {
    if (!S_ISDIR(status.st_mode)) {
        throw Error(fmt::format("'{}' is not a directory", folder.string()))
            .with_hint(hint_of(kind));
    }
    if (!is_ours(status)) {
        throw Error(fmt::format(
                        "'{}' is owned by another user (uid {}), who could change the {}",
                        folder.string(),
                        status.st_uid,
                        kind.what))
            .with_hint(hint_of(kind));
    }
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        throw Error(fmt::format("other users can write to '{}'", folder.string()))
            .with_hint(fmt::format(
                "if you trust its content, run 'chmod go-w {}'; otherwise {}",
                folder.string(),
                hint_of(kind)));
    }
}

bool holds_only_ours(const fs::path& root) {
    return std::all_of(fs::directory_iterator(root), fs::directory_iterator(), [](const auto& e) {
        return std::ranges::find(kOwnFolders, e.path().filename().string()) != kOwnFolders.end();
    });
}

/// Who may rename a folder above can put another in its place.
void check_above(const RootKind& kind, const fs::path& folder) {
    for (fs::path above = fs::canonical(folder).parent_path();; above = above.parent_path()) {
        const mode_t mode = status_of(above).st_mode;
        if ((mode & S_IWOTH) != 0 && (mode & S_ISVTX) == 0) {
            throw Error(fmt::format(
                            "'{}', which contains the {} '{}', is writable by every user",
                            above.string(),
                            kind.what,
                            folder.string()))
                .with_hint(hint_of(kind));
        }
        if (above == above.root_path()) {
            return;
        }
    }
}

fs::path find_root(const RootKind& kind, const EnvLookup& env) {
    const std::string hint =
        fmt::format("set {} to the absolute path of a directory", kind.variable);
    if (const auto own = env(kind.variable); own && !own->empty()) {
        if (!own->starts_with('/')) { // only somebody who means it sets this one
            throw Error(
                fmt::format("{} is not an absolute path: '{}'", kind.variable, printable(*own)))
                .with_hint(hint);
        }
        return *own;
    }
    if (const auto xdg = absolute_path(env, kind.xdg)) {
        return *xdg / "kiln";
    }
    if (const auto home = absolute_path(env, "HOME")) {
        return *home / kind.below_home;
    }
    throw Error(
        fmt::format("no directory for the {}: HOME is not set to an absolute path", kind.what))
        .with_hint(hint);
}

/// Makes it if needed, and checks that it is nobody else's.
fs::path make_root(const RootKind& kind, fs::path root) {
    std::error_code error;
    fs::create_directories(root.parent_path(), error);
    if (error) {
        throw SystemError(
            fmt::format("cannot create directory '{}'", root.parent_path().string()),
            error.value());
    }
    if (::mkdir(root.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
        throw SystemError(fmt::format("cannot create directory '{}'", root.string()));
    }
    check_owner(kind, root, status_of(root));
    check_above(kind, root);
    return root;
}

} // namespace

void make_private_folder(const fs::path& folder) {
    if (::mkdir(folder.c_str(), S_IRWXU) == 0) {
        return;
    }
    if (errno != EEXIST) {
        throw SystemError(fmt::format("cannot create directory '{}'", folder.string()));
    }
    if ((status_of(folder).st_mode & kOthers) != 0) {
        // Inside of a build namespace it may belong to an id that is not mapped there.
        static_cast<void>(::chmod(folder.c_str(), S_IRWXU));
    }
}

std::string warning_of_cache(const fs::path& root) {
    for (fs::path above = fs::canonical(root).parent_path();; above = above.parent_path()) {
        const struct stat status = status_of(above);
        if (!is_ours(status)) {
            return fmt::format(
                "'{}' is owned by another user (uid {}), who could replace the cache '{}' in it; "
                "{}",
                above.string(),
                status.st_uid,
                root.string(),
                hint_of(kCache));
        }
        if (above == above.root_path()) {
            return {};
        }
    }
}

fs::path own_cache_root(const EnvLookup& env) {
    const fs::path root = make_root(kCache, cache_root(env));
    if ((status_of(root).st_mode & kOthers) != 0 && holds_only_ours(root)) {
        set_private(root);
    }
    for (const std::string_view name : kOwnFolders) {
        if (fs::is_directory(root / name)) {
            make_private_folder(root / name);
        }
    }
    return root;
}

fs::path own_state_root(const EnvLookup& env) {
    return make_root(kState, find_root(kState, env));
}

std::string check_out_folder(const fs::path& folder) {
    const struct stat status = status_of(folder);
    if ((status.st_mode & S_IWOTH) != 0 && (status.st_mode & S_ISVTX) == 0) {
        throw Error(
            fmt::format("the output directory '{}' is writable by every user", folder.string()))
            .with_hint(fmt::format(
                "run 'chmod o-w {}', or use another directory with --out", folder.string()));
    }
    if (is_ours(status)) {
        return {};
    }
    return fmt::format(
        "the output directory '{}' is owned by another user (uid {}), who can change the results",
        folder.string(),
        status.st_uid);
}

fs::path cache_root(const EnvLookup& env) {
    return find_root(kCache, env);
}

} // namespace kiln
