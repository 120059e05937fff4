// SPDX-License-Identifier: MIT
#include "recipe/source_spec.hpp"

#include "base/error.hpp"
#include "base/http/url.hpp"
#include "recipe/yaml/patterns.hpp"

#include <fmt/format.h>

#include <array>
#include <system_error>

namespace kiln {

namespace {

constexpr Shape kCommit = text_like(kGitCommitPattern);
constexpr auto kGitFields = std::to_array<Field>({
    {"git",
     &kUrlOrPath,
     Need::required,
     "URL of a git repository, HOST:PATH, or a path relative to this file"},
    {"commit", &kCommit, Need::required, "full commit id (40 hexadecimal digits)"},
});
constexpr Shape kGit = object_of(kGitFields, "git source");
constexpr auto kDirectoryFields = std::to_array<Field>({
    {"directory", &kPath, Need::required, "a directory, relative to this file"},
});
constexpr Shape kDirectory = object_of(kDirectoryFields, "directory source");
constexpr Shape kStrip = integer_between(0, 16);
constexpr auto kTarballFields = std::to_array<Field>({
    {"tarball", &kUrlOrPath, Need::required, "URL, or path relative to this file"},
    {"sha256", &kSha256Text, Need::required, "SHA-256 digest of the file"},
    {"strip", &kStrip, Need::optional, "leading path components to remove", "0"},
});
constexpr Shape kTarball = object_of(kTarballFields, "tarball source");
constexpr std::array<const Shape*, 3> kSourceForms{&kGit, &kDirectory, &kTarball};
constexpr Shape kSource = one_of(kSourceForms, "source");
constexpr std::array<const Shape*, 4> kProgramSourceForms{&kPath, &kGit, &kDirectory, &kTarball};
constexpr Shape kProgramSource = one_of(kProgramSourceForms, "source");

bool is_url(std::string_view text) {
    return text.find("://") != std::string_view::npos;
}

} // namespace

fs::path resolve_path(const fs::path& base_dir, const std::string& path) {
    return (base_dir / path).lexically_normal();
}

const Shape& source_shape() {
    return kSource;
}

const Shape& source_or_path_shape() {
    return kProgramSource;
}

SourceSpec read_source(const std::string& name, const Value& value, const fs::path& base_dir) {
    SourceSpec source{name, {}, value.pos()};
    if (value.kind() == Value::Kind::string) {
        source.from = DirectorySource{resolve_path(base_dir, value.as_string())};
    } else if (const Value* git = value.find("git")) {
        source.from = GitSource{git->as_string(), value.at("commit").as_string(), base_dir};
    } else if (const Value* directory = value.find("directory")) {
        source.from = DirectorySource{resolve_path(base_dir, directory->as_string())};
    } else {
        const auto digest = Digest::parse(value.at("sha256").as_string());
        KILN_CHECK(digest.has_value());
        source.from = TarballSource{
            value.at("tarball").as_string(),
            *digest,
            static_cast<unsigned>(value.at("strip").as_integer()),
            base_dir};
    }
    return source;
}

void check_file_kind(
    const fs::path& path, fs::file_type kind, const SourcePos& pos, Diagnostics& diags) {
    std::error_code ignored;
    const fs::file_status status = fs::status(path, ignored);
    if (fs::exists(status) && status.type() != kind) {
        diags.error(
            pos,
            fmt::format(
                "'{}' is not a {}",
                path.string(),
                kind == fs::file_type::regular ? "regular file" : "directory"));
    }
}

void check_source(const SourceSpec& source, Diagnostics& diags) {
    if (const auto* folder = std::get_if<DirectorySource>(&source.from)) {
        check_file_kind(folder->path, fs::file_type::directory, source.pos, diags);
    } else if (const auto* tarball = std::get_if<TarballSource>(&source.from)) {
        const auto path = is_url(tarball->location)
                              ? path_of_file_url(tarball->location)
                              : resolve_path(tarball->base_dir, tarball->location);
        if (path) {
            check_file_kind(*path, fs::file_type::regular, source.pos, diags);
        }
    }
}

bool is_ssh_place(std::string_view url) {
    const std::size_t colon = url.find(':');
    return colon != std::string_view::npos && colon > 0 && url.find('/') > colon;
}

std::string git_address(const GitSource& source) {
    if (is_url(source.url) || is_ssh_place(source.url)) {
        return source.url;
    }
    return fs::absolute(resolve_path(source.base_dir, source.url)).string();
}

std::string tarball_url(const TarballSource& source) {
    return is_url(source.location) ? source.location
                                   : file_url(resolve_path(source.base_dir, source.location));
}

} // namespace kiln
