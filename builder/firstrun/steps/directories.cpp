// SPDX-License-Identifier: MIT
//
// Step: the directories on the data volume. Those of PAUSE's own trees are only made when missing
// (their content may be huge, and their modes are the operator's); those with secrets are held to
// their owners and modes.
#include "base/error.hpp"
#include "firstrun/host/locations.hpp"
#include "firstrun/steps/steps.hpp"

#include <fmt/format.h>

#include <array>

namespace kiln::firstrun {

namespace {

enum class Held { no, yes };

struct Directory {
    const char* path;
    const char* owner;
    unsigned mode;
    Held held;
};

// Parents before their children.
constexpr std::array<Directory, 35> kDirectories{{
    {"/data/state", "root", 0711, Held::yes},
    {"/data/state/private", "pause", 0750, Held::yes},
    {"/data/state/gnupg", "pause", 0700, Held::yes},
    {"/data/state/ssh", "root", 0700, Held::yes},
    {"/data/state/tls", "root", 0755, Held::yes},
    {"/data/state/nginx", "root", 0755, Held::yes},
    {"/data/state/letsencrypt", "root", 0755, Held::yes},
    {"/data/state/acme-webroot", "root", 0755, Held::yes},
    {"/data/state/deploy-key", "pause", 0700, Held::yes},
    {"/data/state/closed", "root", 0755, Held::yes},
    {"/data/mysql", "root", 0755, Held::yes},
    {"/data/pause", "pause", 0755, Held::no},
    {"/data/pause/ftp", "pause", 0755, Held::no},
    {"/data/pause/incoming", "pause", 0755, Held::no},
    {"/data/pause/tmp", "pause", 0755, Held::no},
    {"/data/pause/pub", "pause", 0755, Held::no},
    {"/data/pause/pub/PAUSE", "pause", 0755, Held::no},
    {"/data/pause/pub/PAUSE/authors", "pause", 0755, Held::no},
    {"/data/pause/pub/PAUSE/authors/id", "pause", 0755, Held::no},
    {"/data/pause/pub/PAUSE/modules", "pause", 0755, Held::no},
    {"/data/pause/pub/PAUSE/PAUSE-git", "pause", 0755, Held::no},
    {"/data/pause/pub/PAUSE/PAUSE-data", "pause", 0755, Held::no},
    {"/data/pause/pub/PAUSE/PAUSE-code", "pause", 0755, Held::no},
    {"/data/pause/pub/PAUSE/scripts", "pause", 0755, Held::no},
    {"/data/pause/pub/PAUSE/scripts/new", "pause", 0755, Held::no},
    {"/data/home", "root", 0755, Held::yes},
    {"/data/home/log", "pause", 0755, Held::no},
    {"/data/home/pid", "pause", 0755, Held::no},
    {"/data/home/run", "pause", 0755, Held::no},
    {"/data/home/testmail", "pause", 0755, Held::no},
    {"/data/home/testmail/new", "pause", 0755, Held::no},
    {"/data/home/testmail/cur", "pause", 0755, Held::no},
    {"/data/home/testmail/tmp", "pause", 0755, Held::no},
    {"/data/home/tmp", "pause", 0700, Held::yes},
    {"/data/home/db-backup", "pause", 0700, Held::yes},
}};

Owner owner_for(const Context& context, const Directory& directory) {
    return owner_of(context.accounts.get(directory.owner));
}

/// Empty when the directory is as it must be.
std::string fault_of(const Context& context, const Directory& directory) {
    const auto info = context.host.look(directory.path);
    if (!info) {
        return fmt::format("{} is missing", directory.path);
    }
    if (info->type != FileInfo::Type::directory) {
        throw Error(fmt::format("'{}' is not a directory", directory.path))
            .with_hint(
                "move it out of the way; first-run does not replace files that it did not create");
    }
    if (info->owner != owner_for(context, directory)) {
        return fmt::format(
            "{} is owned by {}", directory.path, context.accounts.name_of(info->owner.uid));
    }
    if (directory.held == Held::yes && info->mode != directory.mode) {
        return fmt::format("{} has mode {:o}", directory.path, info->mode);
    }
    return "";
}

/// A directory full of somebody else's files is not ours to give away.
void refuse_foreign(const Context& context, const Directory& directory) {
    const auto info = context.host.look(directory.path);
    if (!info || info->owner == owner_for(context, directory) ||
        context.host.list(directory.path).empty()) {
        return;
    }
    const Account& wanted = context.accounts.get(directory.owner);
    throw Error(fmt::format(
                    "'{}' on the data volume is owned by {}, expected {} ({}:{})",
                    directory.path,
                    context.accounts.name_of(info->owner.uid),
                    wanted.name,
                    wanted.uid,
                    wanted.gid))
        .with_hint("the volume was written by an image with other user ids, or is not a PAUSE "
                   "volume; if it is yours, run chown on the tree");
}

/// Where PAUSE's programs keep logs and locks: on the volume, and on a machine's root.
constexpr std::array<const char*, 6> kWorkFolders{
    "/data/home/log",
    "/data/home/pid",
    "/data/home/run",
    "/home/pause/log",
    "/home/pause/pid",
    "/home/pause/run"};

/// Files that a program run by root left there, which PAUSE's own can then no longer write.
std::vector<fs::path> files_of_root(const Context& context) {
    std::vector<fs::path> out;
    if (context.accounts.get("pause").uid == 0) {
        return out;
    }
    for (const fs::path folder : kWorkFolders) {
        if (!context.host.link_target(folder).empty()) {
            continue; // the container's, into the volume
        }
        for (const std::string& name : context.host.list(folder)) {
            const auto info = context.host.look(folder / name);
            if (info && info->type == FileInfo::Type::file && info->owner.uid == 0) {
                out.push_back(folder / name);
            }
        }
    }
    return out;
}

} // namespace

Reasons directories_needed(Context& context) {
    Reasons reasons;
    for (const Directory& directory : kDirectories) {
        if (std::string fault = fault_of(context, directory); !fault.empty()) {
            reasons.push_back(std::move(fault));
        }
    }
    for (const fs::path& file : files_of_root(context)) {
        reasons.push_back(fmt::format("{} is owned by root", file.string()));
    }
    need_file(context, reasons, locations::kPausedLog);
    return reasons;
}

void apply_directories(Context& context) {
    for (const Directory& directory : kDirectories) {
        if (!fault_of(context, directory).empty()) {
            if (directory.held == Held::no) {
                refuse_foreign(context, directory);
            }
            context.host.make_directory(
                directory.path, owner_for(context, directory), directory.mode);
        }
    }
    for (const fs::path& file : files_of_root(context)) {
        context.host.change_owner(file, owner_of(context.accounts.get("pause")));
    }
    if (!context.host.exists(locations::kPausedLog)) {
        // The log page of the web app answers 500 while the file is missing.
        context.host.write_file(
            locations::kPausedLog, "", owner_of(context.accounts.get("pause")), 0644);
    }
}

} // namespace kiln::firstrun
