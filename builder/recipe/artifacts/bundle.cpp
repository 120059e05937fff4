// SPDX-License-Identifier: MIT
#include "recipe/artifacts/bundle.hpp"

#include "base/error.hpp"
#include "recipe/chain.hpp"
#include "recipe/merge.hpp"
#include "recipe/recipe_shape.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>
#include <map>

namespace kiln {

namespace {

constexpr Pattern kUpstreamVersionPattern{
    "an upstream version", "^[0-9][A-Za-z0-9.+~-]*$", "as in the name of the tarball: 4.050"};
constexpr Shape kUpstreamVersion = text_like(kUpstreamVersionPattern);
constexpr Field kNeedsField{
    "needs",
    &kTextList,
    Need::optional,
    "further distributions in this list that it depends on, missing in its metadata"};
constexpr Field kReplacesField{
    "replaces",
    &kLine,
    Need::optional,
    "name of the distribution in the extended bundle that this one replaces"};
constexpr auto kDebianFields = std::to_array<Field>({
    {"source", &kPackageName, Need::required, "a Debian source package"},
    {"suite",
     &kSuite,
     Need::optional,
     "suite to take it from",
     {},
     "the first suite in `sources` that has it"},
    {"version",
     &kUpstreamVersion,
     Need::optional,
     "the upstream version",
     {},
     "the version in the suite"},
    kNeedsField,
    kReplacesField,
});
constexpr Shape kDebian = object_of(kDebianFields, "Debian source");
/// Perl itself needs nothing.
constexpr Shape kPerlDebian = object_of(std::span(kDebianFields).first(3), "Debian source");

constexpr Pattern kCpanPathPattern{
    "a CPAN path",
    "^authors/id/[A-Z]/[A-Z][A-Z0-9-]/[A-Z][A-Z0-9-]+/([A-Za-z0-9._+-]+/)*[A-Za-z0-9._+-]+"
    "\\.(tar\\.gz|tgz|tar\\.xz|tar\\.bz2)$",
    "such as authors/id/J/JD/JDOE/Some-Dist-1.02.tar.gz"};
constexpr Shape kCpanPath = text_like(kCpanPathPattern);
constexpr auto kCpanFields = std::to_array<Field>({
    {"cpan", &kCpanPath, Need::required, "path of the release on a CPAN mirror"},
    {"sha256", &kSha256Text, Need::required, "SHA-256 digest of the file"},
    kNeedsField,
    kReplacesField,
});
constexpr Shape kCpan = object_of(kCpanFields, "CPAN release");
constexpr Shape kPerlCpan = object_of(std::span(kCpanFields).first(2), "CPAN release");
constexpr Pattern kModulePattern{
    "a perl module", "^[A-Za-z_][A-Za-z0-9_]*(::[A-Za-z0-9_]+)*$", "such as Process::Status"};
constexpr Shape kModule = text_like(kModulePattern);
constexpr auto kModuleFields = std::to_array<Field>({
    {"module",
     &kModule,
     Need::required,
     "a module; 'kiln artifact lock' looks up its distribution on a CPAN mirror"},
    kNeedsField,
    kReplacesField,
});
constexpr Shape kCpanModule = object_of(kModuleFields, "CPAN module");
constexpr std::array<const Shape*, 4> kDistributionForms{
    &kPackageName, &kDebian, &kCpan, &kCpanModule};
constexpr std::array<const Shape*, 2> kPerlForms{&kPerlDebian, &kPerlCpan};
constexpr Shape kPerl = one_of(kPerlForms, "perl");
constexpr Shape kDistribution = one_of(kDistributionForms, "distribution");
constexpr Shape kDistributions = list_of(&kDistribution);

DistributionSpec read_distribution(const Value& value) {
    if (value.kind() == Value::Kind::string) {
        return {DebianSource{value.as_string(), {}, {}}, {}, {}, value.pos()};
    }
    DistributionSpec out{
        {}, value.strings_or_empty("needs"), value.string_or_empty("replaces"), value.pos()};
    if (const Value* cpan = value.find("cpan")) {
        const auto digest = Digest::parse(value.at("sha256").as_string());
        KILN_CHECK(digest.has_value());
        out.from = CpanRelease{cpan->as_string(), *digest};
    } else if (const Value* module = value.find("module")) {
        out.from = CpanModule{module->as_string()};
    } else {
        out.from = DebianSource{
            value.at("source").as_string(),
            value.string_or_empty("suite"),
            value.string_or_empty("version")};
    }
    return out;
}

auto find_distribution(std::vector<DistributionSpec>& among, const std::string& name) {
    return std::ranges::find(among, name, &DistributionSpec::name);
}

/// `added` take the places of those with their names, and of those that they replace.
void merge_distributions(
    std::vector<DistributionSpec>& there, std::vector<DistributionSpec> added, Diagnostics& diags) {
    for (const DistributionSpec& spec : added) {
        if (spec.replaces.empty()) {
            continue;
        }
        const auto replaced = find_distribution(there, spec.replaces);
        if (replaced == there.end()) {
            diags.error(
                spec.pos,
                fmt::format("'{}' replaces '{}', which does not exist", spec.name(), spec.replaces),
                "it must be in a bundle that this one extends");
        } else {
            there.erase(replaced);
        }
    }
    for (DistributionSpec& spec : added) {
        if (const auto same = find_distribution(there, spec.name()); same != there.end()) {
            *same = std::move(spec);
        } else {
            there.push_back(std::move(spec));
        }
    }
}

/// Takes over what one file gives: distributions are added; all else replaces what was there.
void merge_into(
    PerlBundle& bundle, const Value& value, const fs::path& base_dir, Diagnostics& diags) {
    bundle.name = value.at("bundle").as_string();
    value.copy_given("summary", bundle.summary);
    value.copy_given("prefix", bundle.prefix);
    merge_build_root(bundle.root, value, base_dir);
    if (const Value* sources = value.find("sources")) {
        bundle.source_archives = read_archives(*sources, base_dir);
    }
    if (const Value* perl = value.find("perl")) {
        bundle.perl = read_distribution(*perl);
    }
    if (const Value* cpanfile = value.find("cpanfile")) {
        bundle.cpanfiles.push_back(resolve_path(base_dir, cpanfile->as_string()));
    }
    if (const Value* distributions = value.find("distributions")) {
        std::vector<DistributionSpec> added;
        std::ranges::transform(
            distributions->as_list(), std::back_inserter(added), read_distribution);
        merge_distributions(bundle.distributions, std::move(added), diags);
    }
}

/// One file must not name a distribution twice; in another one it is a change.
void check_names(const Value& value, Diagnostics& diags) {
    const Value* distributions = value.find("distributions");
    if (distributions == nullptr) {
        return;
    }
    std::map<std::string, SourcePos> seen;
    for (const Value& item : distributions->as_list()) {
        const DistributionSpec spec = read_distribution(item);
        const auto [first, added] = seen.emplace(spec.name(), spec.pos);
        if (!added) {
            diags.error(
                spec.pos,
                fmt::format("duplicate distribution '{}'", spec.name()),
                fmt::format("the first is at {}", first->second.to_string()));
        }
    }
}

/// What some file of the chain must give.
void check_completeness(const std::vector<Value>& values, Diagnostics& diags) {
    for (const char* key : {"prefix", "archives", "sources", "build", "perl"}) {
        const bool given = std::any_of(
            values.begin(), values.end(), [&](const Value& value) { return value.contains(key); });
        if (!given) {
            diags.error(
                values.front().pos(),
                fmt::format("missing key '{}' in bundle", key),
                values.size() > 1 ? "none of the extended files has it either" : "");
        }
    }
}

} // namespace

const std::string& DistributionSpec::name() const {
    if (const auto* debian = std::get_if<DebianSource>(&from)) {
        return debian->package;
    }
    if (const auto* module = std::get_if<CpanModule>(&from)) {
        return module->module;
    }
    return std::get<CpanRelease>(from).path;
}

const Shape& bundle_shape() {
    static const auto kFields = std::to_array<Field>({
        {"kiln", &kFormatVersion, Need::required, "version of this format: 1"},
        {"bundle", &kName, Need::required, "name of the bundle"},
        {"summary", &kLine, Need::optional, "one-line description"},
        {"extends", &kPath, Need::optional, "bundle to extend, relative to this file"},
        kArchitectureField,
        {"prefix",
         &kPrefix,
         Need::optional,
         "installation path in an image; required in one of the extended files"},
        {"archives",
         &archives_shape(),
         Need::optional,
         "apt archives for the packages of the build root"},
        {"sources",
         &archives_shape(),
         Need::optional,
         "archives to search for source packages, in order of preference"},
        {"build", &build_shape(), Need::optional, "the build root"},
        {"perl", &kPerl, Need::optional, "perl: a Debian source package or a CPAN release"},
        {"distributions",
         &kDistributions,
         Need::optional,
         "distributions to build: names of Debian source packages, or maps; in any order"},
        {"cpanfile",
         &kPath,
         Need::optional,
         "cpanfile, relative to this file, with modules that the bundle must provide"},
    });
    static const Shape kShape = object_of(kFields, "bundle");
    return kShape;
}

nlohmann::ordered_json bundle_schema() {
    return schema_of(bundle_shape(), "kiln perl bundle");
}

std::optional<PerlBundle> load_bundle(const fs::path& path, Diagnostics& diags) {
    FileChain chain = load_chain(path, "bundles", resolve_path, diags);
    std::vector<Value> values;
    for (const ChainFile& file : chain.files) {
        values.push_back(validate(file.tree, bundle_shape(), diags));
    }
    if (diags.has_errors() || values.empty()) {
        return std::nullopt;
    }
    for (const Value& value : values) {
        check_names(value, diags);
    }
    check_completeness(values, diags);
    if (diags.has_errors()) {
        return std::nullopt;
    }
    PerlBundle bundle;
    for (std::size_t i = chain.files.size(); i-- > 0;) {
        merge_into(bundle, values[i], chain.files[i].path.parent_path(), diags);
    }
    if (diags.has_errors()) {
        return std::nullopt;
    }
    bundle.files = std::move(chain.named);
    return bundle;
}

} // namespace kiln
