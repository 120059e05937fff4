// SPDX-License-Identifier: MIT
#include "resolve/upstream_release.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "debian/deb822.hpp"
#include "debian/deb_version.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace kiln {

namespace {

struct Candidate {
    std::size_t archive;
    DebVersion version;
    Deb822Paragraph paragraph;
};

std::vector<Candidate> candidates_of(const AptIndex& index, const std::string& package) {
    std::vector<Candidate> out;
    for (AptIndex::Found& found : index.all(package)) {
        if (auto version = DebVersion::parse(found.paragraph.get("Version"))) {
            out.push_back({found.archive, std::move(*version), std::move(found.paragraph)});
        }
    }
    std::stable_sort(out.begin(), out.end(), [](const Candidate& a, const Candidate& b) {
        return a.archive != b.archive ? a.archive < b.archive : a.version > b.version;
    });
    return out;
}

/// Whether a file is the main upstream tarball; "NAME_VERSION.orig-PART.tar.gz" is an addition to
/// it, and ".asc" its signature.
bool is_upstream_tarball(std::string_view name) {
    constexpr std::array<std::string_view, 3> kEnds{
        ".orig.tar.gz", ".orig.tar.xz", ".orig.tar.bz2"};
    return std::any_of(
        kEnds.begin(), kEnds.end(), [&](std::string_view end) { return name.ends_with(end); });
}

std::optional<LockedSource> tarball_of(const Candidate& candidate) {
    for (const std::string& line : split_lines(candidate.paragraph.get("Checksums-Sha256"))) {
        const std::vector<std::string> words = deb822_words(line);
        if (words.size() != 3 || !is_upstream_tarball(words[2])) {
            continue;
        }
        const auto digest = Digest::parse(words[0]);
        const auto size = parse_unsigned(words[1]);
        if (!digest || !size) {
            continue;
        }
        LockedSource out;
        out.version = candidate.version.upstream();
        out.location = fmt::format("{}/{}", candidate.paragraph.get("Directory"), words[2]);
        out.size = *size;
        out.sha256 = *digest;
        return out;
    }
    return std::nullopt;
}

Error unknown(const AptIndex& index, const std::string& package) {
    Error error(fmt::format("source package '{}' not found in any archive", package));
    error.set_hint_if_empty(did_you_mean(package, index.names()));
    return error;
}

bool fits(const SolveSource& wanted, const DebVersion& version, const SolveArchive& archive) {
    return (wanted.suite.empty() || wanted.suite == archive.id.suite) &&
           (wanted.version.empty() || wanted.version == version.upstream());
}

/// One tarball is often in several suites.
void add_unless_known(std::vector<LockedSource>& releases, LockedSource release) {
    const bool known = std::any_of(releases.begin(), releases.end(), [&](const LockedSource& each) {
        return each.sha256 == release.sha256;
    });
    if (!known) {
        releases.push_back(std::move(release));
    }
}

std::optional<LockedSource> locked_package(
    const SolveSource& wanted, const AptIndex::Found& found, const SolveArchive& archive) {
    const auto size = parse_unsigned(found.paragraph.get("Size"));
    const auto digest = Digest::parse(found.paragraph.get("SHA256"));
    if (!size || !digest) {
        return std::nullopt;
    }
    return LockedSource{
        .kind = kPackageSource,
        .name = wanted.package,
        .version = std::string(found.paragraph.get("Version")),
        .location = std::string(found.paragraph.get("Filename")),
        .archive = archive.id.name,
        .suite = archive.id.suite,
        .size = *size,
        .sha256 = *digest};
}

/// The newest version of the only package for all architectures that is built from the source.
std::optional<LockedSource>
find_package(const SolveSource& wanted, const Candidate& source, const IndexedArchives& packages) {
    std::optional<LockedSource> out;
    std::optional<DebVersion> newest;
    std::string name;
    for (std::string binary : split(source.paragraph.get("Binary"), ',')) {
        binary = std::string(trim(binary));
        for (const AptIndex::Found& found : packages.index.all(binary)) {
            const SolveArchive& archive = packages.archives.at(found.archive);
            auto version = DebVersion::parse(found.paragraph.get("Version"));
            if (found.paragraph.get("Architecture") != "all" || !version ||
                !fits(wanted, *version, archive)) {
                continue;
            }
            if (!name.empty() && name != binary) {
                return std::nullopt;
            }
            name = binary;
            if (!newest || *newest < *version) {
                out = locked_package(wanted, found, archive);
                newest = std::move(version);
            }
        }
    }
    return out;
}

std::string describe_wanted(const SolveSource& wanted) {
    return fmt::format(
        "'{}'{}{}",
        wanted.package,
        wanted.version.empty() ? "" : fmt::format(" {}", wanted.version),
        wanted.suite.empty() ? "" : fmt::format(" in suite '{}'", wanted.suite));
}

} // namespace

std::vector<LockedSource> find_releases(
    const SolveSource& wanted, const IndexedArchives& sources, const IndexedArchives& packages) {
    const std::vector<Candidate> candidates = candidates_of(sources.index, wanted.package);
    if (candidates.empty()) {
        throw unknown(sources.index, wanted.package);
    }
    std::vector<std::string> there;
    std::vector<LockedSource> out;
    for (const Candidate& candidate : candidates) {
        const SolveArchive& archive = sources.archives.at(candidate.archive);
        there.push_back(fmt::format("{} ({})", candidate.version.upstream(), archive.id.suite));
        if (!fits(wanted, candidate.version, archive)) {
            continue;
        }
        auto tarball = tarball_of(candidate);
        if (!tarball) {
            throw Error(fmt::format("source package {} has no upstream tarball", wanted.package));
        }
        tarball->kind = wanted.kind;
        tarball->name = wanted.package;
        tarball->archive = archive.id.name;
        tarball->suite = archive.id.suite;
        add_unless_known(out, std::move(*tarball));
    }
    if (out.empty()) {
        throw Error(fmt::format("source package {} not found", describe_wanted(wanted)))
            .with_hint(fmt::format("available: {}", join(there, ", ")));
    }
    if (wanted.kind != kPerlSource) {
        if (auto package = find_package(wanted, candidates.front(), packages)) {
            out.push_back(std::move(*package));
        }
    }
    return out;
}

} // namespace kiln
