// SPDX-License-Identifier: MIT
#include "resolve/apt_directory.hpp"

#include "base/error.hpp"
#include "base/io/digest.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>

namespace kiln {

namespace {

/// apt ends a connection that is silent for half a minute, not one that drips.
constexpr std::chrono::hours kAptTime{1};

/// One directory for each set of archives, so that recipes for different suites do not throw away
/// each other's lists.
fs::path prepare_directory(const SolveRequest& request) {
    FieldHasher hash("kiln.apt-lists.v1");
    hash.field("architecture", request.architecture);
    const auto add = [&](std::string_view what, const SolveArchive& archive) {
        hash.field(what, archive.base)
            .field("suite", archive.id.suite)
            .field("keyring", archive.keyring.string());
        for (const std::string& component : archive.id.components) {
            hash.field("component", component);
        }
    };
    for (const SolveArchive& archive : request.archives) {
        add("base", archive);
    }
    for (const SolveArchive& archive : request.source_archives) {
        add("source base", archive);
    }
    const fs::path path = fs::absolute(request.cache) / hash.finish().hex().substr(0, 16);
    for (const char* below :
         {"etc/sources.list.d", "empty", "state/lists/partial", "cache/archives/partial", "log"}) {
        fs::create_directories(path / below);
    }
    return path;
}

/// The mirrors on this machine, for no_proxy: apt compares names only, so 127.0.0.2 is another one.
std::string loopback_hosts(const SolveRequest& request) {
    std::vector<std::string> out;
    for (const auto* archives : {&request.archives, &request.source_archives}) {
        for (const SolveArchive& archive : *archives) {
            if (const auto url = Url::parse(archive.base); url && url->is_loopback()) {
                out.push_back(url->host());
            }
        }
    }
    return join(out, ",");
}

bool is_message(std::string_view line) {
    constexpr std::array<std::string_view, 4> kPrefixes{"E:", "W:", "Err:", "  "};
    return std::any_of(kPrefixes.begin(), kPrefixes.end(), [&](std::string_view each) {
        return line.starts_with(each);
    });
}

/// apt's errors and warnings, in its words.
std::vector<std::string> messages_of(std::string_view output) {
    std::vector<std::string> out;
    for (std::string& line : split_lines(output)) {
        if (is_message(line)) {
            out.push_back(std::move(line));
        }
    }
    return out.empty() ? last_lines(output) : out;
}

bool speaks_of_signatures(std::string_view output) {
    constexpr std::array<std::string_view, 8> kWords{
        "is not signed",
        "NO_PUBKEY",
        "BADSIG",
        "EXPKEYSIG",
        "REVKEYSIG",
        "KEYEXPIRED",
        "invalid signature",
        "signature verification"};
    return std::any_of(kWords.begin(), kWords.end(), [&](std::string_view each) {
        return output.find(each) != std::string_view::npos;
    });
}

std::optional<AptInstall> parse_install(std::string_view line) {
    constexpr std::string_view kStart = "Inst ";
    const std::size_t open = line.find(" (");
    const std::size_t close = line.find(')', std::min(open, line.size()));
    if (!line.starts_with(kStart) || close == std::string_view::npos) {
        return std::nullopt;
    }
    AptInstall out;
    const std::string_view head = line.substr(kStart.size(), open - kStart.size());
    out.package = std::string(head.substr(0, head.find_first_of(" :")));
    out.replaces = head.find('[') != std::string_view::npos;
    const std::string_view inside = line.substr(open + 2, close - open - 2);
    out.version = std::string(inside.substr(0, inside.find(' ')));
    const std::size_t bracket = inside.rfind('[');
    if (bracket == std::string_view::npos || !inside.ends_with(']')) {
        return std::nullopt;
    }
    out.architecture = std::string(inside.substr(bracket + 1, inside.size() - bracket - 2));
    return out;
}

void append_pin(std::string& out, std::string_view package, std::string_view pin, int priority) {
    out += fmt::format("Package: {}\nPin: {}\nPin-Priority: {}\n\n", package, pin, priority);
}

/// A repository without "dists": sources.list(5) has a path that ends in '/' for its suite.
bool is_flat(const SolveArchive& archive) {
    return archive.id.suite.ends_with('/');
}

/// A paragraph of a .sources file; `type` is "deb" or "deb-src".
std::string
source_text(const SolveArchive& archive, const char* type, const std::string& architecture) {
    if (!fs::exists(archive.keyring)) {
        throw Error(fmt::format(
                        "keyring '{}' of archive '{}' does not exist",
                        archive.keyring.string(),
                        archive.id.name))
            .with_hint("install the package debian-archive-keyring for Debian's keys");
    }
    Deb822Paragraph source;
    source.set("Types", type);
    source.set("URIs", archive.base + "/");
    source.set("Suites", archive.id.suite);
    if (!is_flat(archive)) {
        source.set("Components", join(archive.id.components, " "));
    }
    if (archive.allow_expired) {
        source.set("Check-Valid-Until", "no");
    }
    source.set("Architectures", architecture);
    source.set("Signed-By", archive.keyring.string());
    return source.to_string() + "\n";
}

std::string status_text(const std::vector<Deb822Paragraph>& installed) {
    std::string out;
    for (Deb822Paragraph paragraph : installed) {
        for (const char* field : {"Filename", "Size", "MD5sum", "SHA1", "SHA256"}) {
            paragraph.erase(field);
        }
        paragraph.set("Status", "install ok installed");
        out += paragraph.to_string() + "\n";
    }
    return out;
}

} // namespace

std::vector<AptInstall> parse_simulation(std::string_view output) {
    std::vector<AptInstall> out;
    for (const std::string& line : split_lines(output)) {
        if (auto install = parse_install(line)) {
            out.push_back(std::move(*install));
        }
    }
    return out;
}

std::int64_t parse_release_date(std::string_view release, const std::string& name) {
    constexpr std::array<std::string_view, 12> kMonths{
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto fail = [&]() -> Error { return Error(fmt::format("'{}' has no valid date", name)); };
    std::vector<std::string> words;
    for (const std::string& line : split_lines(release)) {
        if (line.starts_with("Date:")) {
            words = deb822_words(std::string_view(line).substr(5));
            break;
        }
    }
    // As apt, which takes no other zone.
    constexpr std::array<std::string_view, 4> kZones{"UTC", "GMT", "Z", "+0000"};
    if (words.size() != 6 || std::find(kZones.begin(), kZones.end(), words[5]) == kZones.end()) {
        throw fail();
    }
    const auto month = std::find(kMonths.begin(), kMonths.end(), words[2]);
    const std::vector<std::string> clock = split(words[4], ':');
    const auto day = parse_unsigned(words[1]);
    const auto year = parse_unsigned(words[3]);
    if (month == kMonths.end() || !day || !year || *year > 9999 || clock.size() != 3) {
        throw fail();
    }
    const std::chrono::year_month_day date(
        std::chrono::year(static_cast<int>(*year)),
        std::chrono::month(static_cast<unsigned>(month - kMonths.begin()) + 1),
        std::chrono::day(static_cast<unsigned>(*day)));
    const auto hours = parse_unsigned(clock[0]);
    const auto minutes = parse_unsigned(clock[1]);
    const auto seconds = parse_unsigned(clock[2]);
    if (!date.ok() || !hours || !minutes || !seconds || *hours > 23 || *minutes > 59 ||
        *seconds > 60) {
        throw fail();
    }
    const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
    return days * 86400 + static_cast<std::int64_t>(*hours * 3600 + *minutes * 60 + *seconds);
}

AptDirectory::AptDirectory(const SolveRequest& request, ProcessRunner& runner)
    : request_(request), runner_(runner), path_(prepare_directory(request)),
      lock_(path_ / "kiln.lock", FileLock::Mode::exclusive) {
    write_configuration();
    write_sources();
    write_preferences();
}

void AptDirectory::write_configuration() const {
    std::string text;
    const auto set = [&](std::string_view name, std::string_view value) {
        text += fmt::format("{} \"{}\";\n", name, value);
    };
    const std::string empty = (path_ / "empty").string();
    set("Dir", path_.string());
    set("Dir::State", "state");
    set("Dir::State::lists", "lists");
    set("Dir::State::status", (path_ / "state/status").string());
    set("Dir::Cache", "cache");
    set("Dir::Log", "log");
    set("Dir::Etc", "etc");
    set("Dir::Etc::sourceparts", "sources.list.d");
    set("Dir::Etc::preferences", "preferences");
    // Nothing of the host: neither its configuration nor its keys nor its passwords.
    for (const char* file : {"sourcelist", "main", "netrc", "trusted"}) {
        set(fmt::format("Dir::Etc::{}", file), "/dev/null");
    }
    for (const char* directory : {"parts", "preferencesparts", "trustedparts", "netrcparts"}) {
        set(fmt::format("Dir::Etc::{}", directory), empty);
    }
    set("APT::Architecture", request_.architecture);
    text += fmt::format("APT::Architectures {{ \"{}\"; }};\n", request_.architecture);
    set("APT::Get::Assume-Yes", "true");
    set("APT::Update::Error-Mode", "any");
    set("APT::Sandbox::User", "root"); // the cache may lie where user _apt cannot look
    set("Acquire::Languages", "none");
    set("Acquire::PDiffs", "false");
    set("Acquire::Retries", "3");
    set("Acquire::AllowInsecureRepositories", "false");
    set("Acquire::AllowDowngradeToInsecureRepositories", "false");
    set("Acquire::Check-Valid-Until", "true");
    for (const char* method : {"http", "https"}) {
        set(fmt::format("Acquire::{}::Timeout", method), "30");
    }
    for (const AptSetting& setting : request_.proxy_settings) {
        set(setting.name, setting.value);
    }
    write_file_atomically(path_ / "apt.conf", text);
}

void AptDirectory::write_sources() const {
    std::string text;
    for (const SolveArchive& archive : request_.archives) {
        text += source_text(archive, "deb", request_.architecture);
    }
    for (const SolveArchive& archive : request_.source_archives) {
        text += source_text(archive, "deb-src", request_.architecture);
    }
    write_file_atomically(path_ / "etc/sources.list.d/kiln.sources", text);
}

void AptDirectory::write_preferences() const {
    constexpr int kAboveAll = 30'000; // apt_preferences(5): above 1000 even downgrades
    std::string text;
    for (const LockedPackage& kept : request_.keep) {
        append_pin(text, kept.package, "version " + kept.version, kAboveAll);
    }
    for (const SolvePin& pin : request_.pins) {
        const bool kept =
            std::any_of(request_.keep.begin(), request_.keep.end(), [&](const LockedPackage& each) {
                return each.package == pin.package;
            });
        if (kept) {
            continue;
        }
        if (!pin.version.empty()) {
            append_pin(text, pin.package, "version " + pin.version, pin.priority);
            continue;
        }
        // A Release file has a code name and a suite; recipes may use either.
        append_pin(text, pin.package, "release n=" + pin.suite, pin.priority);
        append_pin(text, pin.package, "release a=" + pin.suite, pin.priority);
    }
    write_file_atomically(path_ / "etc/preferences", text);
}

ProcessResult AptDirectory::apt_get(std::vector<std::string> args) {
    Command command{"apt-get", std::move(args), clean_environment()};
    command.timeout = kAptTime;
    command.env["APT_CONFIG"] = (path_ / "apt.conf").string();
    command.env["TMPDIR"] = temporary_root().string();
    // apt reads the variables where its settings have no proxy, and no_proxy always.
    command.env.merge(proxy_variables(request_.proxies, loopback_hosts(request_)));
    try {
        return runner_.run(command);
    } catch (SystemError& error) {
        error.set_hint_if_empty(
            "'kiln lock' requires apt; 'kiln bake' with an existing lock does not");
        throw;
    }
}

void AptDirectory::update() {
    write_file_atomically(path_ / "state/status", "");
    const ProcessResult result = apt_get({"-q", "update"});
    if (result.ok()) {
        return;
    }
    if (result.timed_out) {
        throw ProcessError("'apt-get update'", result);
    }
    const bool signature = speaks_of_signatures(result.output);
    throw Error(
        signature ? "an archive is not signed by any key in its keyring"
                  : "apt could not download the package lists")
        .with_details(messages_of(result.output))
        .with_hint(
            signature
                ? "the package lists were discarded; check the mirror and the keyring in the recipe"
                : "check the mirror (--mirror, KILN_MIRROR or the host's apt sources)");
}

std::vector<AptDirectory::List> AptDirectory::lists(Index which) {
    const ProcessResult result = apt_get(
        {"indextargets",
         "--format",
         "$(SOURCESENTRY)|$(COMPONENT)|$(FILENAME)",
         which == Index::packages ? "Created-By: Packages" : "Created-By: Sources"});
    if (!result.ok()) {
        throw ProcessError("'apt-get indextargets'", result);
    }
    std::vector<List> out;
    for (const std::string& line : split_lines(result.output)) {
        out.push_back(read_target(line, which));
    }
    return out;
}

/// `line` is "/path/kiln.sources:2|COMPONENT|FILE": the second paragraph, which is that of the
/// second archive.
AptDirectory::List AptDirectory::read_target(const std::string& line, Index which) const {
    const std::vector<std::string> fields = split(line, '|');
    const auto entry = parse_unsigned(fields[0].substr(fields[0].rfind(':') + 1));
    const std::size_t first = which == Index::packages ? 0 : request_.archives.size();
    const auto& archives = which == Index::packages ? request_.archives : request_.source_archives;
    if (fields.size() != 3 || !entry || *entry <= first || *entry > first + archives.size()) {
        throw Error(fmt::format("apt returned an unexpected package list: '{}'", line));
    }
    const SolveArchive& archive = archives[*entry - 1 - first];
    // "..._dists_SUITE_COMPONENT_binary-ARCH_Packages" beside "..._dists_SUITE_InRelease"; of a
    // flat repository "..._Packages" beside "..._InRelease".
    std::string component = fields[1];
    std::replace(component.begin(), component.end(), '/', '_');
    const std::string index = which == Index::packages ? "Packages" : "Sources";
    const std::string tail =
        is_flat(archive) ? index
        : which == Index::packages
            ? fmt::format("{}_binary-{}_Packages", component, request_.architecture)
            : fmt::format("{}_source_Sources", component);
    if (!fields[2].ends_with(tail)) {
        throw Error(fmt::format("unknown name of a package list: '{}'", fields[2]));
    }
    const std::string prefix = fields[2].substr(0, fields[2].size() - tail.size());
    fs::path release = prefix + "InRelease";
    if (!fs::exists(release)) {
        release = prefix + "Release";
    }
    return {static_cast<std::size_t>(*entry - 1) - first, fields[2], release};
}

std::vector<AptInstall> AptDirectory::simulate(
    const std::vector<std::string>& install,
    const std::vector<Deb822Paragraph>& installed,
    bool recommends) {
    write_file_atomically(path_ / "state/status", status_text(installed));
    std::vector<std::string> args{
        "-s",
        "--no-remove",
        "-o",
        fmt::format("APT::Install-Recommends={}", recommends),
        "-o",
        "APT::Install-Suggests=false",
        "install",
        "--"};
    args.insert(args.end(), install.begin(), install.end());
    const ProcessResult result = apt_get(std::move(args));
    if (!result.ok()) {
        throw Error("apt could not resolve the dependencies")
            .with_details(last_lines(result.output, 30));
    }
    return parse_simulation(result.output);
}

} // namespace kiln
