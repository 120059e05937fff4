// SPDX-License-Identifier: MIT
#include "debian/mirrors.hpp"

#include "base/error.hpp"
#include "base/http/http.hpp"
#include "debian/deb822.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace kiln {

namespace {

std::string checked_url(std::string_view url) {
    const bool known =
        url.starts_with("http://") || url.starts_with("https://") || url.starts_with("file:/");
    if (!known) {
        throw UsageError(
            fmt::format("mirror '{}' is not an http:, https: or file: URL", redact_url(url)));
    }
    while (url.ends_with('/')) {
        url.remove_suffix(1);
    }
    return std::string(url);
}

/// Splits a URL before its last path component; that is empty for a URL without a path.
std::pair<std::string_view, std::string_view> split_last(std::string_view url) {
    const std::size_t scheme = url.find("://");
    const std::size_t begin = scheme == std::string_view::npos ? 0 : scheme + 3;
    const std::size_t slash = url.rfind('/');
    if (slash == std::string_view::npos || slash < begin) {
        return {url, {}};
    }
    return {url.substr(0, slash), url.substr(slash + 1)};
}

/// URL with its last component `x` replaced, when the archive is called `x-y`.
std::optional<std::string> sibling(std::string_view url, std::string_view name) {
    const auto [parent, last] = split_last(url);
    if (last.empty() || !name.starts_with(last) || name.size() <= last.size() ||
        name[last.size()] != '-') {
        return std::nullopt;
    }
    return fmt::format("{}/{}", parent, name);
}

bool suite_is_flat(std::string_view suite) {
    return suite.ends_with('/');
}

bool overlap(const std::vector<std::string>& a, const std::vector<std::string>& b) {
    return std::any_of(a.begin(), a.end(), [&](const std::string& each) {
        return std::find(b.begin(), b.end(), each) != b.end();
    });
}

void add_new(std::vector<std::string>& list, std::string value) {
    if (std::find(list.begin(), list.end(), value) == list.end()) {
        list.push_back(std::move(value));
    }
}

} // namespace

Mirrors::Mirrors(MirrorSettings settings)
    : command_line_(parse(settings.command_line)),
      environment_(parse(deb822_words(settings.environment))),
      load_host_(std::move(settings.host_sources)) {
    if (!settings.snapshot.empty()) {
        snapshot_ = checked_url(settings.snapshot);
    }
}

std::vector<Mirrors::ParsedMirror> Mirrors::parse(const std::vector<std::string>& settings) {
    std::vector<ParsedMirror> out;
    for (const std::string& setting : settings) {
        // "NAME=URL": a name has no colon, so a '=' inside a URL's query is not mistaken for it.
        const std::size_t equals = setting.find_first_of("=:");
        const bool named = equals != std::string::npos && setting[equals] == '=';
        const std::string_view url =
            named ? std::string_view(setting).substr(equals + 1) : std::string_view(setting);
        out.push_back({named ? setting.substr(0, equals) : std::string(), checked_url(url)});
    }
    return out;
}

std::vector<std::string>
Mirrors::choose(const std::vector<ParsedMirror>& mirrors, const ArchiveId& archive) {
    const std::string& name = archive.name;
    std::vector<std::string> named;
    std::vector<std::string> same;
    std::vector<std::string> beside;
    std::vector<std::string> any;
    for (const ParsedMirror& each : mirrors) {
        if (!each.name.empty()) {
            if (each.name == name) {
                add_new(named, each.url);
            }
        } else if (split_last(each.url).second == name) {
            add_new(same, each.url);
        } else if (auto found = sibling(each.url, name)) {
            add_new(beside, std::move(*found));
        } else {
            add_new(any, each.url);
        }
    }
    for (auto* list : {&named, &same, &beside, &any}) {
        if (!list->empty() && (list != &any || archive.url.empty())) {
            return std::move(*list);
        }
    }
    return {};
}

std::vector<std::string> Mirrors::from_host(const ArchiveId& archive) const {
    if (!host_) {
        host_ = load_host_ ? load_host_() : std::vector<AptSource>();
    }
    // Suite and name, name, suite, sibling: the best kind that occurs. A component in common is
    // asked for always, since other vendors' archives use Debian's suite names, too.
    std::array<std::vector<std::string>, 4> ranks;
    for (const AptSource& source : *host_) {
        const bool suite = source.suite == archive.suite;
        const bool is_flat = suite && suite_is_flat(archive.suite);
        if (!is_flat && !overlap(source.components, archive.components)) {
            continue;
        }
        const bool name = split_last(source.uri).second == archive.name;
        if (name) {
            add_new(ranks.at(suite ? 0 : 1), source.uri);
        } else if (!archive.url.empty()) {
            continue; // other vendors use Debian's names of suites and components, too
        } else if (suite && !is_flat) { // every flat repository may have the suite "/"
            add_new(ranks.at(2), source.uri);
        } else if (auto beside = sibling(source.uri, archive.name)) {
            add_new(ranks.at(3), std::move(*beside));
        }
    }
    for (std::vector<std::string>& rank : ranks) {
        if (!rank.empty()) {
            return std::move(rank);
        }
    }
    return {};
}

std::vector<std::string> Mirrors::bases(const ArchiveId& archive) const {
    for (const auto* mirrors : {&command_line_, &environment_}) {
        if (auto found = choose(*mirrors, archive); !found.empty()) {
            return found;
        }
    }
    if (auto found = from_host(archive); !found.empty()) {
        return found;
    }
    if (!archive.url.empty()) {
        return {checked_url(archive.url)};
    }
    throw Error(
        fmt::format(
            "no mirror configured for suite '{}' of archive '{}'", archive.suite, archive.name))
        .with_hint(fmt::format(
            "set one with '--mirror {0}=URL', KILN_MIRROR='{0}=URL', or 'url' of the archive in "
            "the recipe (this host's apt sources have none)",
            archive.name));
}

std::optional<std::string>
Mirrors::snapshot_base(std::string_view archive_name, std::string_view timestamp) const {
    if (snapshot_.empty()) {
        return std::nullopt;
    }
    return fmt::format("{}/archive/{}/{}", snapshot_, archive_name, timestamp);
}

std::string join_url(std::string_view base, std::string_view path) {
    return fmt::format("{}/{}", base, encode_url_path(path));
}

} // namespace kiln
