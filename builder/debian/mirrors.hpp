// SPDX-License-Identifier: MIT
//
// Which URL serves an archive. Mirrors are mirrors by the user or by the build host's apt sources,
// never by a lock, and nothing that is baked depends on them. A recipe can name where an archive is
// that nobody else knows.
#pragma once

#include "debian/apt_sources.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

/// What is looked for: an archive by its customary name ("debian", "debian-security"), a suite of
/// it, and the components that are needed.
struct ArchiveId {
    std::string name;
    std::string suite;
    std::vector<std::string> components;
    /// Where the recipe says that it is; empty: nowhere. Such an archive is served by mirrors with
    /// its name only, and by this URL otherwise.
    std::string url = {};
};

/// What the user and the host say. Each later one is asked only when the ones before have no
/// answer.
struct MirrorSettings {
    /// `--mirror [NAME=]URL`, repeatable.
    std::vector<std::string> command_line;
    /// KILN_MIRROR: the same, several separated by white space.
    std::string environment;
    /// The host's apt sources; called at most once, when they are needed.
    std::function<std::vector<AptSource>()> host_sources;
    /// `--snapshot URL` or KILN_SNAPSHOT; empty: none.
    std::string snapshot;
};

/// A URL without a name (of --mirror or KILN_MIRROR) serves the archive that its last path
/// component names; if that is "x", then its sibling directory "x-y" serves an archive "x-y". Else
/// it serves every archive as it is.
class Mirrors {
  public:
    /// Throws UsageError when a setting is no http:, https: or file: URL.
    explicit Mirrors(MirrorSettings settings);

    /// The base URLs that serve the archive, the best first; no slash at the end. Throws Error with
    /// a hint when there is none.
    [[nodiscard]] std::vector<std::string> bases(const ArchiveId& archive) const;
    /// BASE/archive/NAME/TIMESTAMP of the snapshot service, when one is set.
    /// `timestamp` is YYYYMMDDTHHMMSSZ.
    [[nodiscard]] std::optional<std::string>
    snapshot_base(std::string_view archive_name, std::string_view timestamp) const;

  private:
    struct ParsedMirror {
        std::string name; ///< empty: for any archive
        std::string url;
    };

    [[nodiscard]] static std::vector<ParsedMirror> parse(const std::vector<std::string>& settings);
    [[nodiscard]] static std::vector<std::string>
    choose(const std::vector<ParsedMirror>& mirrors, const ArchiveId& archive);
    [[nodiscard]] std::vector<std::string> from_host(const ArchiveId& archive) const;

    std::vector<ParsedMirror> command_line_;
    std::vector<ParsedMirror> environment_;
    std::function<std::vector<AptSource>()> load_host_;
    mutable std::optional<std::vector<AptSource>> host_;
    std::string snapshot_;
};

/// BASE/PATH with the characters of pool paths that a URL cannot hold as %XX.
[[nodiscard]] std::string join_url(std::string_view base, std::string_view path);

} // namespace kiln
