// SPDX-License-Identifier: MIT
//
// What a piece of a recipe may look like, as data: one constant table is what the strict checker,
// the JSON Schema for editors and the tables in docs/recipe.md are made from. Knows no recipe key.
//
//     inline constexpr auto kFields = std::to_array<Field>({
//         {"packages", &kPackageList, Need::required, "packages to install"},
//         {"recommends", &kBoolean, Need::optional, "install recommended ones too", "false"},
//         {"jobs", &kCount, Need::optional, "threads", {}, "as many as there are CPUs"},
//     });
//     inline constexpr Shape kOptions = object_of(kFields);
#pragma once

#include "recipe/yaml/value.hpp"
#include "recipe/yaml/yaml.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

namespace kiln {

struct Shape;

/// A kind of name or text. Matched as a whole; longer than kMaxPatternText never matches.
struct Pattern {
    std::string_view what;  ///< for messages, with article: "a package name"
    std::string_view regex; ///< ECMAScript, with ^ and $
    std::string_view rule;  ///< for hints: "lower-case letters, digits, '+', '-', '.'"
};

constexpr std::size_t kMaxPatternText = 1024;

enum class Need { optional, required };

/// One key of a map.
struct Field {
    std::string_view name;
    const Shape* shape;
    Need need = Need::optional;
    std::string_view doc;
    /// What holds when it is not given, as a file would have it: Value::at() gives it then.
    std::string_view default_text = {};
    /// The same in words, where no file could say it: "as many as there are CPUs". At most one of
    /// the two is given.
    std::string_view otherwise = {};
};

enum class ShapeKind {
    string,    ///< any text, or one that matches `pattern`
    integer,   ///< decimal, minimum..maximum
    boolean,   ///< plain true or false
    size,      ///< "512MiB"; an integer of bytes, minimum..maximum
    duration,  ///< "1500ms", "30s", "5m", "2h"; an integer of milliseconds
    file_mode, ///< "0644", octal, quoted or plain; an integer
    choice,    ///< one of `choices`
    list,      ///< of `element`
    map,       ///< keys matching `pattern`, values of `element`
    object,    ///< `fields` and no other keys
    one_of,    ///< one of `variants`, see below
    deferred,  ///< a list that the caller checks; in a schema "#/$defs/NAME"
};

struct Shape {
    ShapeKind kind = ShapeKind::string;
    /// How messages call an object ("recipe", "stage 'packages'").
    std::string_view name = {};
    const Pattern* pattern = nullptr;
    std::int64_t minimum = 0;
    std::int64_t maximum = std::numeric_limits<std::int64_t>::max();
    std::span<const std::string_view> choices = {};
    /// Words that are right elsewhere, not misspelt choices, and what to say to them.
    std::span<const std::string_view> others = {};
    std::string_view others_hint = {};
    const Shape* element = nullptr;
    std::span<const Field> fields = {};
    /// ParsedMirror apart by what the file has there (text, list, map); several objects by their
    /// first field, which each requires and no other has.
    std::span<const Shape* const> variants = {};
    bool may_be_empty = true; ///< of strings, lists and maps
};

[[nodiscard]] constexpr Shape text_like(const Pattern& pattern) {
    return {.kind = ShapeKind::string, .pattern = &pattern, .may_be_empty = false};
}

[[nodiscard]] constexpr Shape integer_between(std::int64_t minimum, std::int64_t maximum) {
    return {.kind = ShapeKind::integer, .minimum = minimum, .maximum = maximum};
}

[[nodiscard]] constexpr Shape choice_of(std::span<const std::string_view> choices) {
    return {.kind = ShapeKind::choice, .choices = choices};
}

[[nodiscard]] constexpr Shape list_of(const Shape* element, bool may_be_empty = true) {
    return {.kind = ShapeKind::list, .element = element, .may_be_empty = may_be_empty};
}

[[nodiscard]] constexpr Shape map_of(const Pattern& keys, const Shape* element) {
    return {.kind = ShapeKind::map, .pattern = &keys, .element = element};
}

[[nodiscard]] constexpr Shape object_of(std::span<const Field> fields, std::string_view name = {}) {
    return {.kind = ShapeKind::object, .name = name, .fields = fields};
}

[[nodiscard]] constexpr Shape
one_of(std::span<const Shape* const> variants, std::string_view name = {}) {
    return {.kind = ShapeKind::one_of, .name = name, .variants = variants};
}

inline constexpr Shape kText{.kind = ShapeKind::string, .may_be_empty = false};
inline constexpr Shape kTextOrEmpty{.kind = ShapeKind::string};
inline constexpr Shape kTextList = list_of(&kTextOrEmpty);
inline constexpr Shape kBoolean{.kind = ShapeKind::boolean};
inline constexpr Shape kSize{.kind = ShapeKind::size};
inline constexpr Shape kDuration{.kind = ShapeKind::duration};
inline constexpr Shape kFileMode{.kind = ShapeKind::file_mode};

/// Checks `node` against `shape` and reports every fault. When none was reported, the value is as
/// the shape says; otherwise it has holes and must not be used.
[[nodiscard]] Value validate(const YamlNode& node, const Shape& shape, Diagnostics& diags);

/// The defaults of an object's fields, for maps that no file has.
[[nodiscard]] Defaults defaults_of(const Shape& object);
/// A map as of a file that gives none of the object's keys, which requires none.
[[nodiscard]] Value empty_object(const Shape& object);

/// JSON Schema, draft 2020-12, of files of this shape. Every scalar may hold a ${VARIABLE}.
[[nodiscard]] nlohmann::ordered_json schema_of(const Shape& shape, std::string_view title);
/// The same as a piece of a larger schema, which must have variable_schema() as
/// "#/$defs/variable".
[[nodiscard]] nlohmann::ordered_json subschema_of(const Shape& shape);
[[nodiscard]] nlohmann::ordered_json variable_schema();

/// "list of package names", "size such as 512MiB": a shape in a few words.
[[nodiscard]] std::string describe(const Shape& shape);
/// A Markdown table of an object's keys: key, value, default, meaning.
[[nodiscard]] std::string markdown_table(const Shape& shape);

} // namespace kiln
