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

constexpr const char* kCacheHint = "set KILN_CACHE to a directory that you own";

void check_owner(const fs::path& folder, const struct stat& status) {
    if (!S_ISDIR(status.st_mode)) {
        throw Error(fmt::format("'{}' is not a directory", folder.string())).with_hint(kCacheHint);
    }
    if (!is_ours(status)) {
        throw Error(fmt::format(
                        "'{}' is owned by another user (uid {}), who could change the cache",
                        folder.string(),
                        status.st_uid))
            .with_hint(kCacheHint);
    }
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        throw Error(fmt::format("other users can write to '{}'", folder.string()))
            .with_hint(fmt::format(
                "if you trust its content, run 'chmod go-w {}'; otherwise {}",
                folder.string(),
                kCacheHint));
    }
}

bool holds_only_ours(const fs::path& root) {
    return std::all_of(fs::directory_iterator(root), fs::directory_iterator(), [](const auto& e) {
        return std::ranges::find(kOwnFolders, e.path().filename().string()) != kOwnFolders.end();
    });
}

/// Who may rename a folder above can put another in its place.
void check_above(const fs::path& folder) {
    for (fs::path above = fs::canonical(folder).parent_path();; above = above.parent_path()) {
        const mode_t mode = status_of(above).st_mode;
        if ((mode & S_IWOTH) != 0 && (mode & S_ISVTX) == 0) {
            throw Error(fmt::format(
                            "'{}', which contains the cache '{}', is writable by every user",
                            above.string(),
                            folder.string()))
                .with_hint(kCacheHint);
        }
        if (above == above.root_path()) {
            return;
        }
    }
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
                kCacheHint);
        }
        if (above == above.root_path()) {
            return {};
        }
    }
}

fs::path own_cache_root(const EnvLookup& env) {
    const fs::path root = cache_root(env);
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
    const struct stat status = status_of(root);
    check_owner(root, status);
    check_above(root);
    if ((status.st_mode & kOthers) != 0 && holds_only_ours(root)) {
        set_private(root);
    }
    for (const std::string_view name : kOwnFolders) {
        if (fs::is_directory(root / name)) {
            make_private_folder(root / name);
        }
    }
    return root;
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

std::filesystem::path cache_root(const EnvLookup& env) {
    if (const auto own = env("KILN_CACHE"); own && !own->empty()) {
        if (!own->starts_with('/')) { // only somebody who means it sets this one
            throw Error(fmt::format("KILN_CACHE is not an absolute path: '{}'", printable(*own)))
                .with_hint("set KILN_CACHE to the absolute path of a directory");
        }
        return *own;
    }
    if (const auto xdg = absolute_path(env, "XDG_CACHE_HOME")) {
        return *xdg / "kiln";
    }
    if (const auto home = absolute_path(env, "HOME")) {
        return *home / ".cache/kiln";
    }
    throw Error("no directory for the cache: HOME is not set to an absolute path")
        .with_hint("set KILN_CACHE to the absolute path of a directory");
}

} // namespace kiln
