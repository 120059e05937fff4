// SPDX-License-Identifier: MIT
#include "pipeline/source_tarball.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "formats/deb822.hpp"
#include "formats/deb_version.hpp"

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
    Error error(fmt::format("no archive has the source package '{}'", package));
    error.set_hint_if_empty(did_you_mean(package, index.names()));
    return error;
}

std::string describe_wanted(const SolveSource& wanted) {
    return fmt::format(
        "'{}'{}{}",
        wanted.package,
        wanted.version.empty() ? "" : fmt::format(" {}", wanted.version),
        wanted.suite.empty() ? "" : fmt::format(" in suite '{}'", wanted.suite));
}

} // namespace

LockedSource find_tarball(
    const AptIndex& index, const SolveSource& wanted, const std::vector<SolveArchive>& archives) {
    const std::vector<Candidate> candidates = candidates_of(index, wanted.package);
    if (candidates.empty()) {
        throw unknown(index, wanted.package);
    }
    std::vector<std::string> there;
    for (const Candidate& candidate : candidates) {
        const SolveArchive& archive = archives.at(candidate.archive);
        there.push_back(fmt::format("{} ({})", candidate.version.upstream(), archive.id.suite));
        const bool fits =
            (wanted.suite.empty() || wanted.suite == archive.id.suite) &&
            (wanted.version.empty() || wanted.version == candidate.version.upstream());
        if (!fits) {
            continue;
        }
        if (auto tarball = tarball_of(candidate)) {
            tarball->kind = wanted.kind;
            tarball->name = wanted.package;
            tarball->archive = archive.id.name;
            tarball->suite = archive.id.suite;
            return std::move(*tarball);
        }
        throw Error(fmt::format("source package {} has no upstream tarball", wanted.package));
    }
    throw Error(fmt::format("there is no source package {}", describe_wanted(wanted)))
        .with_hint(fmt::format("there is {}", join(there, ", ")));
}

} // namespace kiln
