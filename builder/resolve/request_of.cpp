// SPDX-License-Identifier: MIT
#include "resolve/request_of.hpp"

#include "base/error.hpp"
#include "base/io/file.hpp"
#include "lock/request_changes.hpp"
#include "recipe/branch.hpp"
#include "resolve/solve_request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace kiln {

namespace {

/// Parts with unique names, which say nothing twice.
class Request {
  public:
    void add(const std::string& name, const std::vector<std::string>& says) {
        const int count = ++names_[name];
        RequestPart part{count == 1 ? name : fmt::format("{} ({})", name, count), {}};
        std::set<std::string_view> said;
        for (const std::string& text : says) {
            if (said.insert(text).second) {
                part.says.push_back(text);
            }
        }
        parts_.push_back(std::move(part));
    }

    [[nodiscard]] std::vector<RequestPart> take() && { return std::move(parts_); }

  private:
    std::map<std::string, int> names_;
    std::vector<RequestPart> parts_;
};

std::string digest_of(const fs::path& file) {
    std::error_code unreadable;
    return fs::is_regular_file(file, unreadable) ? sha256_file(file.string()).to_string()
                                                 : "missing";
}

/// The host's own keyrings come and go with its packages: their names are what was asked for.
std::string keyring_words(const fs::path& keyring) {
    if (keyring.empty()) {
        return "keyring debian-archive-keyring.gpg";
    }
    const std::string name = keyring.filename().string();
    return keyring.parent_path() == kKeyringFolder
               ? fmt::format("keyring {}", name)
               : fmt::format("keyring {} {}", name, digest_of(keyring));
}

/// Paths of this machine are no part of what is asked for.
std::string place_words(std::string_view what, const std::string& location) {
    return location.find("://") == std::string::npos || location.starts_with("file:")
               ? fmt::format("{} from a path", what)
               : fmt::format("{} {}", what, location);
}

void add_archives(
    Request& request, std::string_view kind, const std::vector<ArchiveSpec>& archives) {
    for (const ArchiveSpec& archive : archives) {
        std::vector<std::string> says;
        for (const std::string& suite : archive.suites) {
            says.push_back("suite " + suite);
        }
        for (const std::string& component : archive.components) {
            says.push_back("component " + component);
        }
        if (!archive.url.empty()) {
            says.push_back(place_words("url", archive.url));
        }
        if (archive.allow_expired) {
            says.emplace_back("allow_expired yes");
        }
        says.push_back(keyring_words(archive.keyring));
        request.add(fmt::format("{} '{}'", kind, archive.archive), says);
    }
}

void add_pins(Request& request, const std::vector<PinSpec>& pins) {
    std::vector<std::string> says;
    for (const PinSpec& pin : pins) {
        for (const std::string& package : pin.packages) {
            says.push_back(fmt::format("pin {} to {} at {}", package, pin.suite, pin.priority));
        }
    }
    if (!says.empty()) {
        request.add("pins", says);
    }
}

void add_stages(Request& request, const std::vector<StageSpec>& specs, Branch branch) {
    for (const StageSpec& spec : specs) {
        if (spec.takes != StageTakes::packages) {
            continue;
        }
        std::vector<std::string> says;
        for (const std::string& package : spec.options.strings_or_empty("install")) {
            says.push_back("package " + package);
        }
        says.emplace_back(
            spec.options.at("recommends").as_boolean() ? "recommends yes" : "recommends no");
        request.add(fmt::format("stage '{}' of branch '{}'", spec.name, branch_name(branch)), says);
    }
}

std::vector<std::string> source_words(const SourceSpec& source) {
    if (const auto* git = std::get_if<GitSource>(&source.from)) {
        return {
            is_ssh_place(git->url) ? "git " + git->url : place_words("git", git->url),
            "commit " + git->commit};
    }
    if (const auto* tarball = std::get_if<TarballSource>(&source.from)) {
        return {place_words("tarball", tarball->location), "digest " + tarball->sha256.to_string()};
    }
    return {"directory"};
}

/// Of the sources that a lock pins.
void add_pinned_sources(Request& request, const std::map<std::string, SourceSpec>& sources) {
    for (const auto& [name, source] : sources) {
        if (!std::holds_alternative<DirectorySource>(source.from)) {
            request.add(fmt::format("source '{}'", name), source_words(source));
        }
    }
}

/// One line for each, as a bundle has hundreds.
std::string distribution_words(const DistributionSpec& spec) {
    std::string out = fmt::format("distribution {}", spec.name());
    if (const auto* debian = std::get_if<DebianSource>(&spec.from)) {
        out += debian->suite.empty() ? "" : fmt::format(" suite {}", debian->suite);
        out += debian->version.empty() ? "" : fmt::format(" version {}", debian->version);
    } else if (const auto* release = std::get_if<CpanRelease>(&spec.from)) {
        out += fmt::format(" {}", release->sha256.to_string());
    } else {
        out += " by module";
    }
    if (!spec.needs.empty()) {
        out += fmt::format(" needs {}", fmt::join(spec.needs, ", "));
    }
    if (!spec.replaces.empty()) {
        out += fmt::format(" replaces {}", spec.replaces);
    }
    return out;
}

void add_root(Request& request, const BuildRootSpec& root) {
    request.add("definition", {"architecture " + root.architecture});
    add_archives(request, "archive", root.archives);
    std::vector<std::string> says;
    for (const std::string& package : root.packages) {
        says.push_back("package " + package);
    }
    request.add("build root", says);
}

} // namespace

std::vector<RequestPart> request_of(const Recipe& recipe) {
    Request request;
    request.add("recipe", {"architecture " + recipe.architecture});
    add_archives(request, "archive", recipe.archives);
    add_pins(request, recipe.pins);
    add_stages(request, recipe.stages, Branch::common);
    add_stages(request, recipe.vm_stages, Branch::vm);
    add_stages(request, recipe.oci_stages, Branch::oci);
    for (const auto& [name, source] : recipe.sources) {
        request.add(fmt::format("source '{}'", name), source_words(source));
    }
    for (const auto& [name, artifact] : recipe.artifacts) {
        request.add(
            fmt::format("artifact '{}'", name),
            {fmt::format(
                "{} {}",
                artifact_kind_name(artifact.kind),
                artifact.definition.filename().string())});
    }
    return std::move(request).take();
}

std::vector<RequestPart> request_of(const PerlBundle& bundle) {
    Request request;
    add_root(request, bundle.root);
    add_archives(request, "source archive", bundle.source_archives);
    request.add("perl", {distribution_words(bundle.perl)});
    std::vector<std::string> says;
    for (const DistributionSpec& spec : bundle.distributions) {
        says.push_back(distribution_words(spec));
    }
    request.add("distributions", says);
    for (const fs::path& file : bundle.cpanfiles) {
        request.add(
            fmt::format("cpanfile '{}'", file.filename().string()), {"digest " + digest_of(file)});
    }
    return std::move(request).take();
}

std::vector<RequestPart> request_of(const ProgramSpec& program) {
    Request request;
    add_root(request, program.root);
    add_pinned_sources(request, program.sources);
    return std::move(request).take();
}

void require_same_request(
    const Lockfile& lock,
    const std::vector<RequestPart>& now,
    const std::string& lock_name,
    const std::string& what,
    const std::string& renew) {
    std::vector<std::string> changes = describe_request_changes(lock.request, now);
    if (changes.empty()) {
        return;
    }
    throw Error(
        fmt::format("lock '{}' is out of date: {} changed", lock_name, what),
        ExitCode::invalid_recipe)
        .with_details(std::move(changes))
        .with_hint(fmt::format("run {} to update it", renew));
}

} // namespace kiln
