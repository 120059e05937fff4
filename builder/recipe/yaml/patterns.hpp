// SPDX-License-Identifier: MIT
//
// The kinds of names and texts that recipes are made of.
#pragma once

#include "recipe/yaml/architecture.hpp"
#include "recipe/yaml/shape.hpp"

#include <array>
#include <string_view>

namespace kiln {

inline constexpr Pattern kNamePattern{
    "a name",
    "^[a-z0-9][a-z0-9._-]{0,63}$",
    "lower-case letters, digits, '.', '_' and '-', at most 64"};

inline constexpr Pattern kVariableNamePattern{
    "a variable name",
    "^[a-z][a-z0-9_]{0,63}$",
    "lower-case letters, digits and '_', beginning with a letter"};

/// One line of text without control characters.
inline constexpr Pattern kLinePattern{
    "one line of text", "^[^\\x00-\\x1f\\x7f]+$", "no line breaks"};

/// Debian policy 5.6.7.
inline constexpr Pattern kPackageNamePattern{
    "a package name",
    "^[a-z0-9][a-z0-9+.-]+$",
    "lower-case letters, digits, '+', '-' and '.', at least two"};

inline constexpr Pattern kPackageGlobPattern{
    "a package name or pattern",
    "^[a-z0-9*?][a-z0-9+.*?-]*$",
    "a package name; '*' and '?' match any characters"};

/// Those that useradd(8) of Debian accepts and that need no quotes anywhere: Debian's packages make
/// users such as Debian-exim; Samba's machines end in '$'.
inline constexpr Pattern kUserNamePattern{
    "a user or group name",
    "^[A-Za-z_]([A-Za-z0-9_.-]{0,30}[A-Za-z0-9_$-])?$",
    "letters, digits, '_', '-' and '.', beginning with a letter or '_', at most 32"};

inline constexpr Pattern kAbsolutePathPattern{
    "an absolute path",
    "^/(?!/)(?!.*//)(?!(.*/)?\\.\\.?(/|$))[^\\x00-\\x1f\\x7f]*$",
    "begins with '/', without '//', '.' and '..'"};

/// Ends up in Makefiles and first lines of programs, and paths are compared with it as text.
inline constexpr Pattern kPrefixPattern{
    "a plain absolute path",
    "^(/[A-Za-z0-9_+-][A-Za-z0-9._+-]*)+$",
    "components of letters, digits, '.', '_', '+' and '-', such as /opt/web-perl"};

/// A path inside a directory: cannot leave it.
inline constexpr Pattern kInnerPathPattern{
    "a path inside the directory",
    "^(?!/)(?!.*//)(?!(.*/)?\\.\\.(/|$))[^\\x00-\\x1f\\x7f]+$",
    "relative, without '..'"};

/// A path on the build host, absolute or relative to the file that names it.
inline constexpr Pattern kPathPattern{"a path", "^[^\\x00-\\x1f\\x7f]+$", "no line breaks"};

inline constexpr Pattern kUrlOrPathPattern{
    "a URL or path",
    "^(?!.*://.* )[^\\x00-\\x1f\\x7f]+$",
    "no line breaks, and '%20' for a space in a URL"};

/// A repository of a registry with its host, as in references of images (distribution-spec).
inline constexpr Pattern kRepositoryPattern{
    "a repository",
    "^[A-Za-z0-9.-]+(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+$",
    "HOST[:PORT]/NAME, without a tag"};

inline constexpr Pattern kSha256Pattern{
    "a SHA-256 digest", "^[0-9a-f]{64}$", "64 lower-case hexadecimal digits"};

inline constexpr Pattern kGitCommitPattern{
    "a git commit",
    "^[0-9a-f]{40}$",
    "all 40 hexadecimal digits: branches, tags and abbreviated ids can change"};

inline constexpr Pattern kSuitePattern{
    "a suite",
    "^(/|\\./|(?!(.*/)?\\.\\.?(/|$))[A-Za-z0-9][A-Za-z0-9._+~/-]*)$",
    "such as 'bookworm' or 'bookworm-updates'; '/' or 'folder/' for a flat repository"};

/// What `apt-get install` takes, without patterns of names and versions.
inline constexpr Pattern kPackageWishPattern{
    "a package name",
    "^[a-z0-9][a-z0-9+.-]+(=[0-9][A-Za-z0-9.+:~-]*|/[A-Za-z0-9][A-Za-z0-9._+~/-]*)?$",
    "NAME, NAME=VERSION or NAME/SUITE"};

inline constexpr Pattern kArchiveUrlPattern{
    "a URL", "^(https?|file)://[^\\x00-\\x20\\x7f]+$", "an http:, https: or file: URL"};

inline constexpr Pattern kComponentPattern{
    "a component", "^[a-z][a-z0-9/-]*$", "such as 'main' or 'non-free-firmware'"};

/// POSIX name of an environment variable.
inline constexpr Pattern kEnvironmentNamePattern{
    "an environment variable",
    "^[A-Za-z_][A-Za-z0-9_]*$",
    "letters, digits and '_', not beginning with a digit"};

inline constexpr Pattern kLabelNamePattern{
    "a label", "^[A-Za-z0-9][A-Za-z0-9._/-]*$", "letters, digits, '.', '_', '-' and '/'"};

/// OCI image-spec config.md, "ExposedPorts".
inline constexpr Pattern kPortPattern{
    "a port",
    "^([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
    "(/(tcp|udp))?$",
    "1 to 65535, optionally with '/tcp' or '/udp'"};

/// OCI image-spec config.md, "User": name or id, group too.
inline constexpr Pattern kUserSpecPattern{
    "a user",
    "^([A-Za-z_][A-Za-z0-9_.-]{0,31}|[0-9]{1,10})(:([A-Za-z_][A-Za-z0-9_.-]{0,31}|[0-9]{1,10}))?$",
    "USER or USER:GROUP, by name or number"};

inline constexpr Pattern kSignalPattern{
    "a signal", "^SIG[A-Z0-9]+([+-][0-9]+)?$", "such as SIGTERM or SIGRTMIN+3"};

/// ext4 keeps 16 bytes of label.
inline constexpr Pattern kVolumeLabelPattern{
    "a file system label",
    "^[A-Za-z0-9._-]{1,16}$",
    "letters, digits, '.', '_' and '-', at most 16"};

inline constexpr Shape kName = text_like(kNamePattern);
/// The value of `kiln:` in every kind of file.
inline constexpr Shape kFormatVersion = integer_between(1, 1);
inline constexpr auto kArchitectures = std::to_array<std::string_view>({kDefaultArchitecture});
/// Debian's other ones.
inline constexpr auto kOtherArchitectures = std::to_array<std::string_view>(
    {"all",
     "any",
     "arm64",
     "armel",
     "armhf",
     "i386",
     "loong64",
     "mips64el",
     "mipsel",
     "ppc64el",
     "riscv64",
     "s390x",
     "x86_64",
     "aarch64"});
inline constexpr Shape kArchitecture{
    .kind = ShapeKind::choice,
    .choices = kArchitectures,
    .others = kOtherArchitectures,
    .others_hint = "kiln supports amd64 only"};
inline constexpr Field kArchitectureField{
    "architecture", &kArchitecture, Need::optional, "Debian architecture", kDefaultArchitecture};
inline constexpr Shape kSuite = text_like(kSuitePattern);
inline constexpr Shape kLine = text_like(kLinePattern);
inline constexpr Shape kPackageName = text_like(kPackageNamePattern);
inline constexpr Shape kPackageWish = text_like(kPackageWishPattern);
inline constexpr Shape kPackageGlob = text_like(kPackageGlobPattern);
inline constexpr Shape kUserName = text_like(kUserNamePattern);
inline constexpr Shape kAbsolutePath = text_like(kAbsolutePathPattern);
inline constexpr Shape kPrefix = text_like(kPrefixPattern);
inline constexpr Shape kInnerPath = text_like(kInnerPathPattern);
inline constexpr Shape kPath = text_like(kPathPattern);
inline constexpr Shape kUrlOrPath = text_like(kUrlOrPathPattern);
inline constexpr Shape kSha256Text = text_like(kSha256Pattern);
inline constexpr Shape kRepository = text_like(kRepositoryPattern);
inline constexpr Shape kPort = text_like(kPortPattern);

} // namespace kiln
