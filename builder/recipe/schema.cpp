// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "recipe/yaml/shape.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace kiln {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kVariableRef = "#/$defs/variable";

/// A scalar that must look a certain way may be a ${VARIABLE} instead.
Json or_variable(Json schema) {
    return {{"anyOf", Json::array({std::move(schema), Json{{"$ref", kVariableRef}}})}};
}

/// As a file would have it: sizes and the like with their units.
Json default_of(const Field& field, const Value& defaults) {
    switch (field.shape->kind) {
    case ShapeKind::boolean:
    case ShapeKind::integer:
    case ShapeKind::list:
        return defaults.at(field.name).to_json();
    default:
        return field.default_text;
    }
}

Json schema_of_object(const Shape& shape) {
    const Value defaults = Value::of_map({}, {}, defaults_of(shape));
    Json properties = Json::object();
    Json required = Json::array();
    for (const Field& field : shape.fields) {
        Json property = subschema_of(*field.shape);
        const std::string_view without_it =
            field.default_text.empty() ? field.otherwise : field.default_text;
        property["description"] = without_it.empty()
                                      ? std::string(field.doc)
                                      : fmt::format("{} (default: {})", field.doc, without_it);
        if (!field.default_text.empty()) {
            property["default"] = default_of(field, defaults);
        }
        properties[std::string(field.name)] = std::move(property);
        if (field.need == Need::required) {
            required.push_back(field.name);
        }
    }
    Json out{{"type", "object"}, {"properties", std::move(properties)}};
    if (!required.empty()) {
        out["required"] = std::move(required);
    }
    out["additionalProperties"] = false;
    return out;
}

Json schema_of_text(const Shape& shape) {
    // Plain numbers and booleans are read as the text they are written as.
    if (shape.pattern != nullptr) {
        return or_variable(
            {{"type", Json::array({"string", "number"})}, {"pattern", shape.pattern->regex}});
    }
    Json out{{"type", Json::array({"string", "number", "boolean"})}};
    if (!shape.may_be_empty) {
        out["minLength"] = 1;
    }
    return out;
}

Json schema_of_integer(const Shape& shape) {
    Json out{{"type", "integer"}, {"minimum", shape.minimum}};
    if (shape.maximum != std::numeric_limits<std::int64_t>::max()) {
        out["maximum"] = shape.maximum;
    }
    return or_variable(std::move(out));
}

Json schema_of_collection(const Shape& shape) {
    if (shape.kind == ShapeKind::list) {
        Json out{{"type", "array"}, {"items", subschema_of(*shape.element)}};
        if (!shape.may_be_empty) {
            out["minItems"] = 1;
        }
        return out;
    }
    Json out{
        {"type", "object"},
        {"propertyNames", {{"pattern", shape.pattern->regex}}},
        {"additionalProperties", subschema_of(*shape.element)}};
    if (!shape.may_be_empty) {
        out["minProperties"] = 1;
    }
    return out;
}

} // namespace

Json variable_schema() {
    return {{"type", "string"}, {"pattern", "\\$\\{[a-z]"}};
}

Json subschema_of(const Shape& shape) {
    switch (shape.kind) {
    case ShapeKind::string:
        return schema_of_text(shape);
    case ShapeKind::integer:
        return schema_of_integer(shape);
    case ShapeKind::boolean:
        return or_variable({{"type", "boolean"}});
    case ShapeKind::size:
        return or_variable(
            {{"type", Json::array({"string", "integer"})},
             {"pattern", "^[0-9]+ *(B|[KMGT]i?B)?$"}});
    case ShapeKind::duration:
        return or_variable({{"type", "string"}, {"pattern", "^[0-9]+(ms|s|m|h)$"}});
    case ShapeKind::file_mode:
        // A plain 0644 is a number to other readers of YAML.
        return or_variable(
            {{"type", Json::array({"string", "integer"})}, {"pattern", "^[0-7]{3,5}$"}});
    case ShapeKind::choice: {
        Json choices = Json::array();
        for (const std::string_view choice : shape.choices) {
            choices.push_back(choice);
        }
        return or_variable({{"enum", std::move(choices)}});
    }
    case ShapeKind::list:
    case ShapeKind::map:
        return schema_of_collection(shape);
    case ShapeKind::object:
        return schema_of_object(shape);
    case ShapeKind::one_of: {
        Json variants = Json::array();
        for (const Shape* variant : shape.variants) {
            variants.push_back(subschema_of(*variant));
        }
        return {{"anyOf", std::move(variants)}};
    }
    case ShapeKind::deferred:
        return {{"$ref", fmt::format("#/$defs/{}", shape.name)}};
    }
    return true;
}

Json schema_of(const Shape& shape, std::string_view title) {
    Json out{{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", title}};
    out.update(subschema_of(shape));
    out["$defs"] = {{"variable", variable_schema()}};
    return out;
}

std::string markdown_table(const Shape& shape) {
    KILN_CHECK(shape.kind == ShapeKind::object);
    std::string out = "| key | value | default | meaning |\n|---|---|---|---|\n";
    for (const Field& field : shape.fields) {
        out += fmt::format(
            "| `{}` | {} | {} | {} |\n",
            field.name,
            describe(*field.shape),
            field.need == Need::required  ? "required"
            : !field.default_text.empty() ? fmt::format("`{}`", field.default_text)
                                          : std::string(field.otherwise),
            field.doc);
    }
    return out;
}

} // namespace kiln
