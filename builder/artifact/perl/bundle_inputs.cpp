// SPDX-License-Identifier: MIT
#include "artifact/perl/bundle_inputs.hpp"

#include "base/error.hpp"
#include "resolve/upstream_release.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

namespace kiln {

namespace {

ArchiveId archive_of(const PerlBundle& bundle, const LockedSource& source) {
    ArchiveId id{source.archive, source.suite, {}};
    for (const auto* archives : {&bundle.source_archives, &bundle.root.archives}) {
        for (const ArchiveSpec& archive : *archives) {
            if (archive.archive == source.archive && id.components.empty()) {
                id.components = archive.components;
                id.url = archive.url;
            }
        }
    }
    return id;
}

std::vector<std::string> urls_of(
    const PerlBundle& bundle,
    const LockedSource& source,
    const std::string& snapshot,
    const InputContext& in) {
    if (source.archive.empty()) { // a release on CPAN
        return in.cpan.url.empty() ? std::vector<std::string>()
                                   : std::vector{join_url(in.cpan.url, source.location)};
    }
    std::vector<std::string> out;
    for (const std::string& base : in.mirrors.bases(archive_of(bundle, source))) {
        out.push_back(join_url(base, source.location));
    }
    if (const auto base = in.mirrors.snapshot_base(source.archive, snapshot)) {
        out.push_back(join_url(*base, source.location));
    }
    return out;
}

std::string describe(const LockedSource& source) {
    return source.kind == kPackageSource
               ? fmt::format("package version {} of {}", source.version, source.suite)
               : fmt::format("{} of {}", source.version, source.suite);
}

/// Which release of each list is being tried.
class Search {
  public:
    explicit Search(const std::vector<std::vector<LockedSource>>& releases)
        : releases_(releases), at_(releases.size(), 0), found_(releases.size(), false),
          others_(releases.size()) {}

    [[nodiscard]] std::vector<std::size_t> open() const {
        std::vector<std::size_t> out;
        for (std::size_t i = 0; i < releases_.size(); ++i) {
            if (!found_[i] && at_[i] < releases_[i].size()) {
                out.push_back(i);
            }
        }
        return out;
    }

    [[nodiscard]] const LockedSource& current(std::size_t i) const { return releases_[i][at_[i]]; }

    void found(std::size_t i) { found_[i] = true; }

    void try_next(std::size_t i) { ++at_[i]; }

    /// A mirror has a file of that name with another digest.
    void has_other_content(std::size_t i, const Digest& digest) {
        others_[i] = others_[i].value_or(digest);
    }

    /// Throws unless every list has given one.
    void require_all(const PerlBundle& bundle) const {
        std::vector<std::string> missing;
        for (std::size_t i = 0; i < releases_.size(); ++i) {
            if (!found_[i]) {
                missing.push_back(describe_missing(i));
            }
        }
        if (!missing.empty()) {
            throw Error(fmt::format(
                            "{} of {} sources of bundle '{}' are not available from any mirror",
                            missing.size(),
                            releases_.size(),
                            bundle.name))
                .with_details(std::move(missing))
                .with_hint("change the suite or version in the bundle, use another mirror, or add "
                           "a CPAN mirror with --cpan");
        }
    }

    void report(Console& console) const {
        for (std::size_t i = 0; i < releases_.size(); ++i) {
            if (at_[i] > 0) {
                console.notice(fmt::format(
                    "{}: tarball {} not found on any mirror; using {} instead",
                    current(i).name,
                    describe(releases_[i].front()),
                    describe(current(i))));
            }
        }
    }

    [[nodiscard]] std::vector<LockedSource> result() const {
        std::vector<LockedSource> out;
        for (std::size_t i = 0; i < releases_.size(); ++i) {
            out.push_back(current(i));
        }
        return out;
    }

  private:
    [[nodiscard]] std::string describe_missing(std::size_t i) const {
        const LockedSource& first = releases_[i].front();
        if (!others_[i]) {
            return fmt::format("{}: {} not found on any mirror", first.name, first.location);
        }
        return fmt::format(
            "{}: wrong content for {}: got {} instead of {}",
            first.name,
            first.location,
            others_[i]->to_string(),
            first.sha256.to_string());
    }

    const std::vector<std::vector<LockedSource>>& releases_;
    std::vector<std::size_t> at_;
    std::vector<bool> found_;
    std::vector<std::optional<Digest>> others_; ///< digests that mirrors' files have instead
};

} // namespace

std::string locked_name(const DistributionSpec& spec) {
    const std::string& name = spec.name();
    return std::holds_alternative<CpanRelease>(spec.from) ? name.substr(name.rfind('/') + 1) : name;
}

std::string refresh_bundle(const PerlBundle& bundle) {
    return fmt::format("'kiln artifact lock {}'", bundle.name);
}

PoolInput bundle_input(
    const PerlBundle& bundle,
    const LockedSource& source,
    const std::string& snapshot,
    const InputContext& in) {
    PoolInput input{
        fmt::format("{} {}", source.name, source.version), source.sha256, source.size, {}};
    const auto find_urls = [&bundle, &source, &snapshot, &in] {
        return urls_of(bundle, source, snapshot, in);
    };
    if (in.offline || in.pool.has(input)) {
        input.find_urls = find_urls; // if it turns out to be damaged
    } else {
        input.urls = find_urls(); // a mirror that is missing is an error whatever else is available
    }
    input.purpose = source.archive.empty() ? HttpPurpose::user_url : HttpPurpose::apt_mirror;
    return input;
}

std::vector<LockedSource> fetch_first_of_each(
    const PerlBundle& bundle,
    const std::vector<std::vector<LockedSource>>& releases,
    const std::string& snapshot,
    const InputContext& in) {
    Search search(releases);
    FetchOptions options;
    options.offline = in.offline;
    options.refresh = refresh_bundle(bundle);
    for (auto open = search.open(); !open.empty(); open = search.open()) {
        std::vector<PoolInput> inputs;
        for (const std::size_t i : open) {
            inputs.push_back(bundle_input(bundle, search.current(i), snapshot, in));
        }
        std::map<Digest, Digest> replaced;
        try {
            in.pool.fetch(inputs, in.http, options, in.console);
        } catch (const FetchError& error) {
            in.console.debug(error.message()); // what is missing is looked for elsewhere
            replaced = error.replaced;
        }
        for (std::size_t k = 0; k < open.size(); ++k) {
            if (in.pool.has(inputs[k])) {
                search.found(open[k]);
            } else {
                if (const auto other = replaced.find(inputs[k].sha256); other != replaced.end()) {
                    search.has_other_content(open[k], other->second);
                }
                search.try_next(open[k]);
            }
        }
    }
    search.require_all(bundle);
    search.report(in.console);
    return search.result();
}

} // namespace kiln
