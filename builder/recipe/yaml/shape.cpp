// SPDX-License-Identifier: MIT
#include "recipe/yaml/shape.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <regex>
#include <utility>

namespace kiln {

namespace {

using Kind = YamlNode::Kind;

std::string_view describe_kind(Kind kind) {
    switch (kind) {
    case Kind::null:
        return "nothing";
    case Kind::scalar:
        return "text";
    case Kind::list:
        return "a list";
    case Kind::map:
        return "a map";
    case Kind::invalid:
        break;
    }
    return "something else";
}

/// What the file must have for a shape.
Kind node_kind_of(const Shape& shape) {
    switch (shape.kind) {
    case ShapeKind::list:
    case ShapeKind::deferred:
        return Kind::list;
    case ShapeKind::map:
    case ShapeKind::object:
        return Kind::map;
    default:
        return Kind::scalar;
    }
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
    const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
    if (digits.size() > 1 && digits[0] == '0') {
        return std::nullopt; // reads as octal elsewhere
    }
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

std::optional<std::int64_t> parse_duration_ms(std::string_view text) {
    static constexpr std::array<std::pair<std::string_view, std::int64_t>, 4> kUnits{
        {{"ms", 1}, {"s", 1000}, {"m", 60 * 1000}, {"h", 60 * 60 * 1000}}};
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto number = parse_unsigned(text.substr(0, digits));
    constexpr std::uint64_t kLongest = 1'000'000'000;
    for (const auto& [unit, factor] : kUnits) {
        if (number && *number <= kLongest && text.substr(digits) == unit) {
            return static_cast<std::int64_t>(*number) * factor;
        }
    }
    return std::nullopt;
}

/// Permission bits with setuid, setgid and sticky: "0644", "4755".
std::optional<std::int64_t> parse_mode(std::string_view text) {
    const auto mode = parse_unsigned(text, 8);
    if (!mode || *mode > 07777 || text.size() < 3 || text.size() > 5) {
        return std::nullopt;
    }
    return static_cast<std::int64_t>(*mode);
}

/// Whether values must match the patterns of their shapes. Literals of shapes do, as a test says;
/// compiling the patterns takes longer than all the rest.
enum class Patterns { checked, trusted };

class Validator {
  public:
    explicit Validator(Diagnostics& diags, Patterns patterns = Patterns::checked)
        : diags_(diags), patterns_(patterns) {}

    /// `what` is how messages call the node.
    Value check(const YamlNode& node, const Shape& shape, const std::string& what) {
        if (node.kind == Kind::invalid) {
            return {};
        }
        if (shape.kind == ShapeKind::one_of) {
            return check_one_of(node, shape, what);
        }
        if (node.kind == Kind::null) {
            diags_.error(node.pos, what + " has no value", expectation(shape));
            return {};
        }
        if (node.kind != node_kind_of(shape)) {
            wrong(node, shape, what, std::string(describe_kind(node.kind)));
            return {};
        }
        switch (shape.kind) {
        case ShapeKind::deferred:
            return {};
        case ShapeKind::list:
            return check_list(node, shape, what);
        case ShapeKind::map:
            return check_map(node, shape, what);
        case ShapeKind::object:
            return check_object(node, shape, what);
        case ShapeKind::boolean:
            return check_boolean(node, shape, what);
        case ShapeKind::string:
        case ShapeKind::choice:
            return check_text(node, shape, what);
        default:
            return check_number(node, shape, what);
        }
    }

    /// Of an object's fields; made once for all maps of that shape.
    Defaults defaults_of(const Shape& shape) {
        Defaults& known = defaults_[shape.fields.data()];
        if (known == nullptr) {
            std::vector<Member> out;
            for (const Field& field : shape.fields) {
                if (!field.default_text.empty()) {
                    out.push_back({std::string(field.name), {}, literal(field)});
                } else if (is_optional_section(field)) {
                    const Value section = Value::of_map({}, {}, defaults_of(*field.shape));
                    out.push_back({std::string(field.name), {}, section});
                }
            }
            known = std::make_shared<const std::vector<Member>>(std::move(out));
        }
        return known;
    }

  private:
    static bool is_optional_section(const Field& field) {
        return field.need == Need::optional && field.shape->kind == ShapeKind::object &&
               std::ranges::none_of(field.shape->fields, [](const Field& inner) {
                   return inner.need == Need::required;
               });
    }

    static Value literal(const Field& field) {
        Diagnostics faults;
        const auto node = parse_yaml(
            std::make_shared<const SourceFile>(
                SourceFile{std::string(field.name), std::string(field.default_text)}),
            faults);
        KILN_CHECK(node.has_value());
        Value value = Validator(faults, Patterns::trusted).check(*node, *field.shape, "default");
        KILN_CHECK(!faults.has_errors());
        return value;
    }

    static std::string expectation(const Shape& shape) {
        return fmt::format("it takes {}", describe(shape));
    }

    void wrong(
        const YamlNode& node,
        const Shape& shape,
        const std::string& what,
        const std::string& found,
        std::string hint = {}) {
        if (diags_.is_full()) { // counted; nobody reads its words
            diags_.error(node.pos, {});
            return;
        }
        diags_.error(
            node.pos,
            fmt::format("{} must be {}, not {}", what, describe(shape), found),
            std::move(hint));
    }

    static std::string quote(const YamlNode& node) {
        constexpr std::size_t kShown = 60;
        const std::string_view line = std::string_view(node.text).substr(0, node.text.find('\n'));
        return line.size() > kShown || line.size() < node.text.size()
                   ? fmt::format("'{}...'", line.substr(0, kShown))
                   : fmt::format("'{}'", line);
    }

    void
    check_not_empty(const YamlNode& node, const Shape& shape, const std::string& what, bool empty) {
        if (empty && !shape.may_be_empty) {
            diags_.error(node.pos, what + " is empty", expectation(shape));
        }
    }

    bool matches(const Pattern& pattern, const std::string& text) {
        if (patterns_ == Patterns::trusted) {
            return true;
        }
        if (text.size() > kMaxPatternText) {
            return false;
        }
        auto found = compiled_.find(&pattern);
        if (found == compiled_.end()) {
            found =
                compiled_
                    .emplace(
                        &pattern, std::regex(std::string(pattern.regex), std::regex::ECMAScript))
                    .first;
        }
        return std::regex_match(text, found->second);
    }

    Value check_text(const YamlNode& node, const Shape& shape, const std::string& what) {
        if (shape.kind == ShapeKind::choice) {
            if (std::find(shape.choices.begin(), shape.choices.end(), node.text) ==
                shape.choices.end()) {
                const bool is_other =
                    std::ranges::find(shape.others, node.text) != shape.others.end();
                wrong(
                    node,
                    shape,
                    what,
                    quote(node),
                    is_other ? std::string(shape.others_hint)
                             : did_you_mean(node.text, shape.choices));
            }
        } else if (node.text.empty()) {
            check_not_empty(node, shape, what, true);
        } else if (shape.pattern != nullptr && !matches(*shape.pattern, node.text)) {
            wrong(node, shape, what, quote(node), std::string(shape.pattern->rule));
        }
        return Value::of_string(node.text, node.pos);
    }

    Value check_boolean(const YamlNode& node, const Shape& shape, const std::string& what) {
        static constexpr std::array<std::string_view, 2> kWords{"true", "false"};
        if (node.quoted || (node.text != "true" && node.text != "false")) {
            const bool in_quotes = node.text == "true" || node.text == "false";
            std::string hint = in_quotes ? "remove the quotes" : did_you_mean(node.text, kWords);
            wrong(
                node,
                shape,
                what,
                in_quotes ? "text in quotes" : quote(node),
                hint.empty() ? "write true or false" : std::move(hint));
        }
        return Value::of_boolean(node.text == "true", node.pos);
    }

    Value check_number(const YamlNode& node, const Shape& shape, const std::string& what) {
        std::optional<std::int64_t> number;
        std::string hint;
        switch (shape.kind) {
        case ShapeKind::size:
            if (const auto size = parse_size(node.text); size && *size <= kLargest) {
                number = static_cast<std::int64_t>(*size);
            }
            hint = "units are KiB, MiB, GiB, TiB and KB, MB, GB, TB";
            break;
        case ShapeKind::duration:
            number = parse_duration_ms(node.text);
            hint = "units are ms, s, m and h";
            break;
        case ShapeKind::file_mode:
            number = parse_mode(node.text);
            hint = "three or four octal digits";
            break;
        default:
            number = node.quoted ? std::nullopt : parse_integer(node.text);
            hint = node.quoted && parse_integer(node.text) ? "remove the quotes" : "";
            break;
        }
        if (!number || *number < shape.minimum || *number > shape.maximum) {
            wrong(node, shape, what, quote(node), std::move(hint));
        }
        return Value::of_integer(number.value_or(0), node.pos);
    }

    Value check_list(const YamlNode& node, const Shape& shape, const std::string& what) {
        check_not_empty(node, shape, what, node.items.empty());
        std::vector<Value> items;
        for (const YamlNode& item : node.items) {
            items.push_back(check(item, *shape.element, "entry of " + what));
        }
        return Value::of_list(std::move(items), node.pos);
    }

    Value check_map(const YamlNode& node, const Shape& shape, const std::string& what) {
        check_not_empty(node, shape, what, node.members.empty());
        std::vector<Member> members;
        for (const YamlMember& member : node.members) {
            if (!matches(*shape.pattern, member.key.text)) {
                diags_.error(
                    member.key.pos,
                    fmt::format(
                        "key of {} must be {}, not {}",
                        what,
                        shape.pattern->what,
                        quote(member.key)),
                    std::string(shape.pattern->rule));
            }
            members.push_back(
                {member.key.text,
                 member.key.pos,
                 check(member.value, *shape.element, fmt::format("'{}'", member.key.text))});
        }
        return Value::of_map(std::move(members), node.pos);
    }

    Value check_object(const YamlNode& node, const Shape& shape, const std::string& what) {
        const std::string name = shape.name.empty() ? what : std::string(shape.name);
        std::vector<std::string_view> known;
        for (const Field& field : shape.fields) {
            known.push_back(field.name);
        }
        std::vector<Member> members;
        std::vector<std::string> misspelt;
        for (const YamlMember& member : node.members) {
            const auto field =
                std::find_if(shape.fields.begin(), shape.fields.end(), [&](const Field& candidate) {
                    return candidate.name == member.key.text;
                });
            if (field == shape.fields.end()) {
                report_unknown_key(member.key, name, known);
                if (!diags_.is_full()) {
                    misspelt.push_back(suggest(member.key.text, known).value_or(""));
                }
                continue;
            }
            members.push_back(
                {member.key.text,
                 member.key.pos,
                 check(member.value, *field->shape, fmt::format("'{}'", member.key.text))});
        }
        for (const Field& field : shape.fields) {
            const bool reported =
                std::find(misspelt.begin(), misspelt.end(), field.name) != misspelt.end();
            if (field.need == Need::required && node.find(field.name) == nullptr && !reported) {
                diags_.error(
                    node.pos,
                    fmt::format("missing key '{}' in {}", field.name, name),
                    fmt::format("{}: {}", field.name, field.doc));
            }
        }
        return Value::of_map(std::move(members), node.pos, defaults_of(shape));
    }

    void report_unknown_key(
        const YamlNode& key, const std::string& name, std::span<const std::string_view> known) {
        if (diags_.is_full()) {
            diags_.error(key.pos, {});
            return;
        }
        std::string hint = did_you_mean(key.text, known);
        if (hint.empty()) {
            hint = fmt::format("known keys: {}", fmt::join(known, ", "));
        }
        diags_.error(
            key.pos, fmt::format("unknown key '{}' in {}", key.text, name), std::move(hint));
    }

    Value check_one_of(const YamlNode& node, const Shape& shape, const std::string& what) {
        std::vector<const Shape*> candidates;
        for (const Shape* variant : shape.variants) {
            if (node_kind_of(*variant) == node.kind) {
                candidates.push_back(variant);
            }
        }
        if (candidates.size() == 1) {
            return check(node, *candidates[0], what);
        }
        const std::string name = shape.name.empty() ? what : std::string(shape.name);
        if (candidates.empty()) {
            wrong(node, shape, what, std::string(describe_kind(node.kind)));
            return {};
        }
        std::vector<std::string> deciding;
        const Shape* chosen = nullptr;
        const YamlNode* first = nullptr;
        for (const Shape* candidate : candidates) {
            const std::string_view key = candidate->fields.front().name;
            deciding.push_back(fmt::format("'{}'", key));
            if (node.find(key) != nullptr && first == nullptr) {
                chosen = candidate;
                first = node.find(key);
            }
        }
        if (chosen == nullptr) {
            diags_.error(node.pos, fmt::format("{} needs one of {}", name, join(deciding, ", ")));
            return {};
        }
        return check(node, *chosen, name);
    }

    static constexpr auto kLargest =
        static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

    Diagnostics& diags_;
    Patterns patterns_;
    std::map<const Pattern*, std::regex> compiled_;
    std::map<const Field*, Defaults> defaults_; ///< by the first of an object's fields
};

} // namespace

Value validate(const YamlNode& node, const Shape& shape, Diagnostics& diags) {
    return Validator(diags).check(
        node, shape, shape.name.empty() ? "the file" : std::string(shape.name));
}

Defaults defaults_of(const Shape& object) {
    KILN_CHECK(object.kind == ShapeKind::object);
    Diagnostics unused;
    return Validator(unused).defaults_of(object);
}

Value empty_object(const Shape& object) {
    return Value::of_map({}, {}, defaults_of(object));
}

} // namespace kiln
