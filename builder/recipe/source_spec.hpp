// SPDX-License-Identifier: MIT
//
// A source as a recipe or a definition of a program names it: a git commit, a directory or a
// tarball, and where each of them is.
#pragma once

#include "base/io/digest.hpp"
#include "recipe/yaml/shape.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <variant>

namespace kiln {

namespace fs = std::filesystem;

struct GitSource {
    std::string url;        ///< as the file has it: a URL, HOST:PATH or a path
    std::string commit;     ///< 40 hexadecimal digits
    fs::path base_dir = {}; ///< what a relative path starts from; empty: the current directory
};

struct DirectorySource {
    fs::path path;
};

struct TarballSource {
    std::string location; ///< as the file has it: a URL or a path
    Digest sha256;
    unsigned strip = 0;     ///< leading path components to remove
    fs::path base_dir = {}; ///< as in GitSource
};

struct SourceSpec {
    std::string name;
    std::variant<GitSource, DirectorySource, TarballSource> from;
    SourcePos pos;
};

/// `path` as seen from `base_dir`, without needless dots.
[[nodiscard]] fs::path resolve_path(const fs::path& base_dir, const std::string& path);

/// One source, in one of the three forms.
[[nodiscard]] const Shape& source_shape();

/// The same, or the path of a directory alone.
[[nodiscard]] const Shape& source_or_path_shape();

/// Reads a value of either shape; `base_dir` is its file's.
[[nodiscard]] SourceSpec
read_source(const std::string& name, const Value& value, const fs::path& base_dir);

/// Reports a directory or tarball that is there and is something else, such as a device: reading it
/// could hang or never end. What is absent is missed where it is used.
void check_source(const SourceSpec& source, Diagnostics& diags);
/// The same for any path that must lead to a file of this kind.
void check_file_kind(
    const fs::path& path, fs::file_type kind, const SourcePos& pos, Diagnostics& diags);

/// Whether git takes the text for scp's form HOST:PATH.
[[nodiscard]] bool is_ssh_place(std::string_view url);

/// What git is given: the URL, or the path made absolute.
[[nodiscard]] std::string git_address(const GitSource& source);
/// The URL, or the file: URL of the path.
[[nodiscard]] std::string tarball_url(const TarballSource& source);

} // namespace kiln
