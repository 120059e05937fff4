// SPDX-License-Identifier: MIT
//
// YAML, strictly: one document, no anchors, aliases, merge keys or tags, no duplicate keys, every
// key and value with its place in the file. What a scalar means (number, size, name) is not known
// here: its text is kept as written. The parser below is yaml-cpp, seen by yaml.cpp alone.
#pragma once

#include "base/diagnostics.hpp"
#include "base/io/file.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

struct YamlMember;

struct YamlNode {
    /// `invalid` is where something was refused and already reported.
    enum class Kind { null, scalar, list, map, invalid };

    Kind kind = Kind::null;
    std::string text;    ///< of a scalar, unescaped
    bool quoted = false; ///< scalar in quotes or block form: never a number or a boolean
    SourcePos pos;
    std::size_t offset = 0;          ///< of `pos` in the file's text, in bytes
    std::vector<YamlNode> items;     ///< of a list
    std::vector<YamlMember> members; ///< of a map, in the order of the file

    /// The value under a key of a map, or null.
    [[nodiscard]] const YamlNode* find(std::string_view key) const;
};

struct YamlMember {
    YamlNode key; ///< always a scalar
    YamlNode value;
};

/// Nesting beyond this is refused.
constexpr std::size_t kMaxYamlDepth = 32;
/// Larger files are refused: nobody writes them by hand.
constexpr std::size_t kMaxYamlBytes = 1U << 20U;
/// Keys and values in one file. Each takes up some hundred bytes of memory.
constexpr std::size_t kMaxYamlNodes = 250'000;

/// Parses one document. Faults go to `diags`; nothing is returned when the text could not be read
/// to its end (a tree with `invalid` nodes or first values of duplicate keys otherwise).
[[nodiscard]] std::optional<YamlNode>
parse_yaml(std::shared_ptr<const SourceFile> file, Diagnostics& diags);

/// Reads and parses the file `path`, called so in messages. Throws SystemError when it cannot be
/// read, Error (exit code 3) when it is not a regular file, Interrupted after a signal.
[[nodiscard]] std::optional<YamlNode> load_yaml(const fs::path& path, Diagnostics& diags);

} // namespace kiln
