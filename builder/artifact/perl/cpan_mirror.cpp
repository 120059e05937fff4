// SPDX-License-Identifier: MIT
#include "artifact/perl/cpan_mirror.hpp"

#include "archive/archive_reader.hpp"
#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/text.hpp"
#include "debian/mirrors.hpp"
#include "resolve/upstream_release.hpp"

#include <fmt/format.h>

#include <regex>
#include <span>
#include <vector>

namespace kiln {

namespace {

/// What a small file may grow to: 02packages is about 20 MB and a tenth of that as gzip.
constexpr std::uint64_t kLargestIndex = 256U << 20U;
constexpr const char* kIndexPath = "modules/02packages.details.txt.gz";

std::string decompressed(std::string_view text, const std::string& name) {
    MemorySource raw(as_byte_span(text));
    DecompressSource source(raw, name);
    LimitedSink out(
        kLargestIndex,
        Error(
            fmt::format("'{}' is larger than {}", name, format_size(kLargestIndex)),
            ExitCode::remote_refused));
    copy(source, out);
    return out.take();
}

} // namespace

CpanChecksum find_cpan_checksum(const std::string& checksums, const std::string& file) {
    const std::size_t entry = checksums.find(fmt::format("'{}' => {{", file));
    if (entry == std::string::npos) {
        return {};
    }
    const std::string text = checksums.substr(entry, checksums.find('}', entry) - entry);
    static const std::regex kDigest("'sha256' => '([0-9a-f]{64})'");
    static const std::regex kFolder("'cpan_path' => '([^']*)'");
    CpanChecksum out;
    std::smatch match;
    if (std::regex_search(text, match, kDigest)) {
        out.sha256 = Digest::parse(match[1].str());
    }
    if (std::regex_search(text, match, kFolder)) {
        out.folder = match[1].str();
    }
    return out;
}

namespace {

/// "authors/id/J/JD/JDOE/Some-Dist-1.0.tar.gz" -> "J/JD/JDOE"
std::string_view author_folder(std::string_view path) {
    constexpr std::string_view kAuthors = "authors/id/";
    const std::size_t slash = path.rfind('/');
    return path.starts_with(kAuthors) && slash > kAuthors.size()
               ? path.substr(kAuthors.size(), slash - kAuthors.size())
               : std::string_view();
}

} // namespace

std::string version_in_path(const std::string& path) {
    static const std::regex kVersion("-(v?[0-9][0-9A-Za-z._]*?)\\.(tar\\.[a-z0-9]+|tgz)$");
    std::smatch match;
    return std::regex_search(path, match, kVersion) ? match[1].str() : std::string();
}

std::string CpanMirror::fetch_text(const std::string& path) const {
    return http_get_text(in_.http, join_url(in_.cpan.url, path), kLargestIndex);
}

std::optional<CpanEntry> CpanMirror::find(const std::string& module) {
    if (!is_given()) {
        return std::nullopt;
    }
    if (!index_) {
        index_ = CpanIndex::parse(decompressed(fetch_text(kIndexPath), kIndexPath), kIndexPath);
        in_.console.debug(fmt::format("{} modules in the CPAN mirror's index", index_->size()));
    }
    return index_->find(module);
}

LockedSource CpanMirror::pin(const std::string& path) {
    const std::string content = fetch_text(path);
    const TempDir folder(temporary_root(), "kiln-cpan");
    const fs::path file = folder.path() / "release";
    write_file(file, content);
    LockedSource out;
    out.kind = kCpanSource;
    out.name = path.substr(path.rfind('/') + 1);
    out.version = version_in_path(path);
    out.location = path;
    out.size = content.size();
    out.sha256 = sha256(content);
    if (!in_.cpan.keyring.empty()) {
        verify_checksums(path, out.sha256);
        has_verified_ = true;
    } else if (!has_warned_ && !in_.cpan.url.starts_with("file:")) {
        in_.console.warning(fmt::format(
            "CPAN signatures are not verified for '{}': no --cpan-keyring given",
            redact_url(in_.cpan.url)));
        has_warned_ = true;
    }
    static_cast<void>(in_.pool.add(file));
    return out;
}

void CpanMirror::verify_checksums(const std::string& path, const Digest& digest) const {
    const std::size_t slash = path.rfind('/');
    const std::string where = path.substr(0, slash) + "/CHECKSUMS";
    const TempDir folder(temporary_root(), "kiln-cpan");
    const fs::path file = folder.path() / "CHECKSUMS";
    const fs::path text = folder.path() / "text";
    write_file(file, fetch_text(where));
    const ProcessResult result = in_.processes.run(
        {"gpgv",
         {"--keyring",
          fs::absolute(in_.cpan.keyring).string(),
          "--output",
          text.string(),
          file.string()}});
    if (!result.ok()) {
        throw Error(
            fmt::format("'{}' is not signed by any key in '{}'", where, in_.cpan.keyring.string()))
            .with_details(last_lines(result.output));
    }
    // What gpgv wrote is what is signed; nothing else of the file counts.
    const CpanChecksum stated = find_cpan_checksum(read_text_file(text), path.substr(slash + 1));
    if (stated.sha256 != digest) {
        throw Error(fmt::format(
            "checksum mismatch for '{}': {}, the author's CHECKSUMS has {}",
            path,
            digest.to_string(),
            stated.sha256 ? stated.sha256->to_string() : "nothing"));
    }
    if (!stated.folder) {
        in_.console.warning(
            fmt::format("'{}' has no 'cpan_path': it may belong to another author", where));
    } else if (*stated.folder != author_folder(path)) {
        throw Error(fmt::format(
            "'{}' is for directory '{}', not '{}': it belongs to another author",
            where,
            printable(*stated.folder),
            author_folder(path)));
    }
}

void CpanMirror::warn_unused_keyring() const {
    if (!in_.cpan.keyring.empty() && !has_verified_) {
        in_.console.notice(fmt::format(
            "the keyring '{}' was not used: no release was downloaded from CPAN",
            in_.cpan.keyring.string()));
    }
}

} // namespace kiln
