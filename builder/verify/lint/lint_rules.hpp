// SPDX-License-Identifier: MIT
//
// The tables behind check/lint: which paths and contents break which rule. Policy only, no engine.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace kiln {

inline constexpr std::string_view kOneKey = "every instance would have the same key";

/// A file that must not exist.
struct PathRule {
    enum class Applies {
        always,
        when_not_empty, ///< an empty regular file is how an image says "not yet"
    };

    std::string_view rule;
    /// fnmatch(3) pattern, '*' does not match '/'. Without a slash it is matched against the last
    /// part of the path, else against the whole path.
    std::string_view pattern;
    Applies applies;
    std::string_view why;
};

[[nodiscard]] std::span<const PathRule> path_rules();

/// A place below which any regular file that is not empty breaks a rule, however deep it is.
struct PlaceRule {
    std::string_view rule;
    std::string_view place; ///< ends in a slash
    std::string_view why;
};

[[nodiscard]] std::span<const PlaceRule> place_rules();

/// A text that must not occur in a file.
struct ContentFault {
    std::string_view rule;
    std::string why;
};

/// What is wrong with the content of etc/machine-id and the like, if anything. Nothing for files
/// that no content rule knows.
[[nodiscard]] std::optional<ContentFault>
check_known_content(std::string_view path, std::string_view content);

/// Whether a file that programs make for some readers only holds nothing that must stay secret, or
/// is judged by another rule.
[[nodiscard]] bool is_harmless(std::string_view path);

/// Whether files here are configuration or state, in which secrets and traces are looked for.
[[nodiscard]] bool is_scanned_place(std::string_view path);
/// Larger files are not looked into.
inline constexpr std::size_t kMaxScannedSize = std::size_t{1} << 20U;

} // namespace kiln
