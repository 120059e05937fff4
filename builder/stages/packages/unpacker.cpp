// SPDX-License-Identifier: MIT
#include "stages/packages/unpacker.hpp"

#include "base/parallel.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

namespace kiln {

namespace {

std::string staged_at(std::string_view content) {
    return fmt::format("{}/{}", kStagingFolder, content);
}

} // namespace

Unpacker::Unpacker(StageContext& context, DpkgDatabase& database)
    : tree_(context.tree), jobs_(context.jobs), database_(database), claims_(database),
      kept_times_(context.kept_times), ahead_(dynamic_cast<StagedPackages*>(context.staged_data)) {
    if (ahead_ == nullptr) {
        tree_.remove(kStagingFolder); // of a script of an earlier stage, if anything
    }
    tree_.make_directories(kStagingFolder);
}

Unpacker::~Unpacker() {
    try {
        tree_.remove(kStagingFolder);
    } catch (const Error&) { // NOLINT(bugprone-empty-catch): a failed stage's tree is dropped
    }
}

std::vector<UnpackedPackage> Unpacker::unpack(
    const std::vector<const PackageFile*>& packages,
    const std::function<void(std::size_t)>& on_done) {
    std::vector<StagedPackage> staged(packages.size());
    std::vector<UnpackedPackage> out;
    parallel_ordered(
        packages.size(),
        jobs_,
        [&](std::size_t i) { staged[i] = take_staged(*packages[i]); },
        [&](std::size_t i) {
            with_context(fmt::format("unpacking package '{}'", packages[i]->name), [&] {
                out.push_back(place_package(*packages[i], staged[i]));
            });
            staged[i] = {};
            on_done(i);
        });
    claims_.settle(out);
    return out;
}

/// Each package is asked for once, so that threads touch different elements of the map.
StagedPackage Unpacker::take_staged(const PackageFile& package) const {
    if (ahead_ != nullptr) {
        if (const auto found = ahead_->packages.find(package.info_name());
            found != ahead_->packages.end()) {
            return std::move(found->second);
        }
    }
    return stage_package(package, tree_, kStagingFolder);
}

UnpackedPackage Unpacker::place_package(const PackageFile& package, const StagedPackage& staged) {
    conffiles_ = conffiles_of(package);
    std::sort(conffiles_.begin(), conffiles_.end());
    placed_.clear();
    md5s_.clear();
    database_.add_known(package);
    UnpackedPackage unpacked{&package, {}};
    // dpkg makes links last, wherever the archive has them.
    for (const bool links : {false, true}) {
        for (const StagedMember& member : staged) {
            if ((member.entry.type == FileType::symlink) == links) {
                place_member(unpacked, member);
            }
        }
    }
    tree_.remove(staged_at(package.info_name()));
    return unpacked;
}

LocalPolicy& Unpacker::policy() {
    if (!policy_) {
        policy_.emplace(tree_);
    }
    return *policy_;
}

void Unpacker::place_member(UnpackedPackage& unpacked, const StagedMember& member) {
    const PackageFile& package = *unpacked.package;
    // What the administrator excludes stays in the package's list, as with dpkg.
    if (member.path == "/" || policy().excludes(member)) {
        unpacked.paths.push_back(member.path == "/" ? "/." : member.path);
        return;
    }
    const std::string real = real_path(database_.divert(member.path, package.name));
    if (keeps_folder(member, real)) {
        unpacked.paths.push_back(member.path);
        return;
    }
    const auto overwrite =
        policy().overwrites() ? FileClaims::Overwrite::allowed : FileClaims::Overwrite::refused;
    if (claims_.claim(package, member.path, overwrite) == FileClaims::Verdict::keep_other) {
        return;
    }
    unpacked.paths.push_back(member.path);
    // dpkg keeps a new conffile beside its name until it configures the package.
    const bool is_conffile = std::binary_search(conffiles_.begin(), conffiles_.end(), member.path);
    const std::string at = is_conffile ? real + ".dpkg-new" : real;
    placed_[member.path] = at;
    if (member.entry.type != FileType::directory && member.entry.hardlink_to.empty()) {
        kept_times_[real] = member.entry.mtime;
    }
    place_file(member, at, policy().ownership_of(member));
    const std::string& md5 = remember_md5(member);
    if (!md5.empty()) {
        unpacked.md5sums += fmt::format("{}  {}\n", md5, member.path.substr(1));
    }
}

/// A hard link has that of the file before it.
const std::string& Unpacker::remember_md5(const StagedMember& member) {
    std::string& md5 = md5s_[member.path];
    md5 = member.entry.hardlink_to.empty() ? member.md5 : md5s_["/" + member.entry.hardlink_to];
    return md5;
}

bool Unpacker::keeps_folder(const StagedMember& member, const std::string& at) const {
    const auto info = tree_.look(at);
    if (member.entry.type == FileType::directory) {
        // /var/lock leads to /run/lock, which each boot makes: it is empty between two stages.
        return tree_.is_directory(at) ||
               (info && S_ISLNK(info->st_mode) && tree_.link_target(at).starts_with("/run/"));
    }
    if (member.entry.type != FileType::symlink || !info) {
        return false;
    }
    if (S_ISLNK(info->st_mode) && tree_.is_directory(at)) {
        // A link to the folder that the package's own link leads to.
        const bool absolute = member.entry.target.starts_with('/');
        const std::string beside = fmt::format("{}/{}", parent_path(at), member.entry.target);
        const auto theirs = tree_.look_through(absolute ? member.entry.target : beside);
        const auto ours = tree_.look_through(at);
        return theirs && ours && theirs->st_dev == ours->st_dev && theirs->st_ino == ours->st_ino;
    }
    return S_ISDIR(info->st_mode);
}

void Unpacker::place_file(
    const StagedMember& member, const std::string& at, const Ownership& ownership) {
    const auto info = tree_.look(at);
    const bool is_directory = member.entry.type == FileType::directory;
    if (info && (is_directory || S_ISDIR(info->st_mode))) {
        tree_.remove(at); // dpkg moves it aside and deletes it at the end
    }
    if (is_directory) {
        tree_.make_directory(at, ownership);
    } else if (!member.entry.hardlink_to.empty()) {
        place_hardlink(member, at, ownership);
    } else if (member.entry.type == FileType::symlink) {
        tree_.make_link(at, member.entry.target, ownership);
        tree_.set_time(at, member.entry.mtime);
    } else if (member.entry.type == FileType::regular) {
        place_regular(member, at, ownership);
    } else if (member.entry.type == FileType::fifo) {
        tree_.make_fifo(at, ownership);
        tree_.set_time(at, member.entry.mtime);
    } else {
        throw Error(fmt::format("'{}' is a device node, which kiln does not unpack", member.path));
    }
}

void Unpacker::place_regular(
    const StagedMember& member, const std::string& at, const Ownership& ownership) const {
    const std::string staged = staged_at(member.content);
    const Entry& entry = member.entry;
    if (ownership.uid != entry.uid || ownership.gid != entry.gid || ownership.mode != entry.mode) {
        tree_.set_ownership(staged, ownership);
    }
    tree_.rename(staged, at);
}

void Unpacker::place_hardlink(
    const StagedMember& member, const std::string& at, const Ownership& ownership) {
    const auto target = placed_.find("/" + member.entry.hardlink_to);
    if (target == placed_.end()) {
        throw Error(fmt::format(
            "'{}' is a hard link to '{}', which is not an earlier file in the package",
            member.path,
            member.entry.hardlink_to));
    }
    tree_.make_hard_link(target->second, at);
    tree_.set_ownership(at, ownership); // of all names of the file, as with dpkg
}

std::string Unpacker::real_path(const std::string& path) {
    const std::string parent(parent_path(std::string_view(path).substr(1)));
    auto known = real_directories_.find(parent);
    if (known == real_directories_.end()) {
        if (!tree_.is_directory(parent)) {
            throw Error(fmt::format(
                "parent directory of '{}' is missing: '/{}' is not in the package or the tree",
                path,
                parent));
        }
        const std::string real = tree_.real_path(parent + "/x");
        known = real_directories_.emplace(parent, std::string(parent_path(real))).first;
    }
    const std::string name(base_name(path));
    return known->second.empty() ? name : known->second + "/" + name;
}

} // namespace kiln
