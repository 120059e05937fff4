// SPDX-License-Identifier: MIT
#include "inputs/source_inputs.hpp"

#include "base/error.hpp"
#include "inputs/git_source.hpp"
#include "stages/copy/source_archive.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace kiln {

namespace {

std::string describe(const std::string& name, const std::string& place) {
    return fmt::format("source '{}' ({})", name, redact_url(place));
}

const TarballSource& tarball_of(const SourceSpec& source) {
    return std::get<TarballSource>(source.from);
}

SourceInput tarball_source_input(const SourceSpec& source, const Pool& pool) {
    const TarballSource& tarball = tarball_of(source);
    SourceInput out;
    out.name = describe(source.name, tarball.location);
    out.path = pool.path_of(tarball.sha256);
    out.is_tarball = true;
    out.strip = tarball.strip;
    out.digest = tarball.sha256;
    return out;
}

LockedSource lock_tarball(const SourceSpec& source, const InputContext& in) {
    in.pool.fetch({tarball_input(source)}, in.http, {}, in.console);
    check_source_archive(tarball_source_input(source, in.pool));
    const TarballSource& tarball = tarball_of(source);
    return {
        .kind = "tarball",
        .name = source.name,
        .version = "",
        .location = tarball.location,
        .size = 0,
        .sha256 = tarball.sha256};
}

} // namespace

LockedSource
lock_git_source(const std::string& name, const GitSource& git, const InputContext& in) {
    return {
        .kind = "git",
        .name = name,
        .version = git.commit,
        .location = git.url,
        .size = 0,
        .sha256 = fetch_git_archive(git, in)};
}

std::vector<LockedSource> lock_sources(const SourceSpecs& sources, const InputContext& in) {
    std::vector<LockedSource> out;
    for (const auto& [name, source] : sources) {
        with_context(fmt::format("locking source '{}'", name), [&] {
            if (const auto* git = std::get_if<GitSource>(&source.from)) {
                out.push_back(lock_git_source(name, *git, in));
            } else if (std::holds_alternative<TarballSource>(source.from)) {
                out.push_back(lock_tarball(source, in));
            }
        });
    }
    std::sort(out.begin(), out.end(), [](const LockedSource& a, const LockedSource& b) {
        return std::tie(a.kind, a.name) < std::tie(b.kind, b.name);
    });
    return out;
}

const LockedSource* find_locked_source(const Lockfile& lock, const SourceSpec& source) {
    const auto* git = std::get_if<GitSource>(&source.from);
    const auto* tarball = std::get_if<TarballSource>(&source.from);
    const auto found =
        std::find_if(lock.sources.begin(), lock.sources.end(), [&](const LockedSource& locked) {
            return locked.name == source.name &&
                   ((git != nullptr && locked.kind == "git" && locked.version == git->commit) ||
                    (tarball != nullptr && locked.kind == "tarball" &&
                     locked.sha256 == tarball->sha256));
        });
    return found == lock.sources.end() ? nullptr : &*found;
}

SourceInput directory_input(const SourceSpec& source, const HostFiles& host) {
    const fs::path& path = std::get<DirectorySource>(source.from).path;
    SourceInput out;
    out.name = describe(source.name, path.string());
    out.path = path;
    out.digest = host.folder(path).digest;
    return out;
}

SourceInput locked_input(const SourceSpec& source, const LockedSource& locked, const Pool& pool) {
    if (std::holds_alternative<TarballSource>(source.from)) {
        return tarball_source_input(source, pool);
    }
    SourceInput out;
    out.name = describe(source.name, std::get<GitSource>(source.from).url);
    out.path = pool.path_of(locked.sha256);
    out.is_tarball = true;
    out.digest = locked.sha256;
    out.revision = locked.version;
    return out;
}

void fetch_git_source(
    const SourceSpec& source,
    const LockedSource& locked,
    const std::string& refresh,
    const InputContext& in) {
    const auto& git = std::get<GitSource>(source.from);
    const PoolInput input{describe(source.name, git.url), locked.sha256, 0, {}};
    if (in.pool.has_whole(input, in.offline, in.console)) {
        return;
    }
    if (fetch_git_archive(git, in) != locked.sha256) {
        throw Error(
            fmt::format(
                "checksum mismatch for source '{1}': the archive of commit {0} differs from the "
                "lock",
                git.commit,
                source.name),
            ExitCode::invalid_recipe)
            .with_hint(refresh.empty() ? "" : fmt::format("run {} to lock it again", refresh));
    }
}

PoolInput tarball_input(const SourceSpec& source) {
    const TarballSource& tarball = tarball_of(source);
    return {describe(source.name, tarball.location), tarball.sha256, 0, {tarball_url(tarball)}};
}

} // namespace kiln
