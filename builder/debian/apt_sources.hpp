// SPDX-License-Identifier: MIT
//
// The build host's own apt sources, in both forms of sources.list(5). Only what is needed to find
// a mirror is kept; nothing of it ever reaches an image or a lock.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

/// One enabled binary source with one URI.
struct AptSource {
    std::string uri; ///< without a slash at the end; http, https or file
    std::string suite;
    std::vector<std::string> components;
};

/// The one-line form: "deb [option=value ...] URI SUITE COMPONENT...". Lines that are no such
/// source (deb-src, cdrom:, other transports, faults) are passed over: apt is the judge of them.
[[nodiscard]] std::vector<AptSource> parse_apt_list(std::string_view text);

/// The deb822 form. Throws Error "NAME:LINE: ..." on bad syntax.
[[nodiscard]] std::vector<AptSource>
parse_apt_sources(std::string_view text, const std::string& name);

/// sources.list and sources.list.d/*.{list,sources} below `etc_apt`, in apt's order (sorted by
/// name). Files that do not exist count as empty.
[[nodiscard]] std::vector<AptSource> load_apt_sources(const std::filesystem::path& etc_apt);

} // namespace kiln
