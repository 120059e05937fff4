// SPDX-License-Identifier: MIT
#include "firstrun/answers/answers_yaml.hpp"

#include "base/text.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <optional>
#include <set>

namespace kiln::firstrun {

namespace {

std::string place(const std::string& file, const YAML::Mark& mark) {
    return mark.line < 0 ? file : fmt::format("{}:{}:{}", file, mark.line + 1, mark.column + 1);
}

bool takes_list(const std::string& name) {
    const KeySpec* spec = find_spec(name);
    return spec != nullptr && (spec->kind == Kind::host_list || spec->kind == Kind::lines);
}

/// The text of a value, or nothing and a fault.
std::optional<std::string>
value_of(const std::string& file, const std::string& name, const YAML::Node& node, Faults& faults) {
    if (node.IsScalar()) {
        return node.Scalar();
    }
    if (node.IsSequence() && takes_list(name)) {
        std::string out;
        for (const YAML::Node& entry : node) {
            if (!entry.IsScalar()) {
                faults.add(
                    place(file, entry.Mark()), fmt::format("an entry of {} is not a text", name));
                return std::nullopt;
            }
            out += (out.empty() ? "" : "\n") + entry.Scalar();
        }
        return out;
    }
    faults.add(place(file, node.Mark()), fmt::format("{} must be one value", name));
    return std::nullopt;
}

std::vector<GivenAnswer>
answers_of(const std::string& file, const YAML::Node& map, Faults& faults) {
    std::vector<GivenAnswer> out;
    std::set<std::string> seen;
    for (const auto& entry : map) {
        const std::string where = place(file, entry.first.Mark());
        if (!entry.first.IsScalar()) {
            faults.add(where, "a key must be a word");
            continue;
        }
        const std::string name = entry.first.Scalar();
        if (!seen.insert(name).second) {
            faults.add(where, fmt::format("duplicate key '{}'", name));
            continue;
        }
        // The place of an unknown key is the key's, that of a wrong value is the value's.
        if (find_spec(name) == nullptr) {
            out.push_back({name, "", where});
        } else if (entry.second.IsNull()) {
            faults.add(where, fmt::format("{} has no value", name));
        } else if (auto value = value_of(file, name, entry.second, faults)) {
            out.push_back({name, std::move(*value), place(file, entry.second.Mark())});
        }
    }
    return out;
}

} // namespace

std::vector<GivenAnswer>
parse_answers(const std::string& file, const std::string& text, OtherKeys others, Faults& faults) {
    try {
        const YAML::Node root = YAML::Load(text);
        if (root.IsNull()) {
            return {};
        }
        if (!root.IsMap()) {
            faults.add(place(file, root.Mark()), "the file must be a map with the key 'pause'");
            return {};
        }
        std::vector<GivenAnswer> out;
        for (const auto& entry : root) {
            const std::string name = entry.first.IsScalar() ? entry.first.Scalar() : "?";
            if (name == "pause" && entry.second.IsMap()) {
                out = answers_of(file, entry.second, faults);
            } else if (name == "pause" && !entry.second.IsNull()) {
                faults.add(place(file, entry.second.Mark()), "'pause' must be a map of answers");
            } else if (name != "pause" && others == OtherKeys::refused) {
                faults.add(
                    place(file, entry.first.Mark()),
                    fmt::format("unknown key '{}'", name),
                    "answers go below 'pause:'");
            }
        }
        return out;
    } catch (const YAML::Exception& error) {
        faults.add(place(file, error.mark), fmt::format("is not valid YAML: {}", error.msg));
        return {};
    }
}

} // namespace kiln::firstrun
