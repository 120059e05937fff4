// SPDX-License-Identifier: MIT
//
// JSON that people may have touched (locks): a reader that keeps positions and reports every fault
// with file, line and column. Numbers are unsigned integers; nothing else occurs in our files.
#pragma once

#include "base/diagnostics.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

struct JsonNode {
    enum class Type { null, boolean, number, string, array, object };

    struct Member;

    Type type = Type::null;
    SourcePos pos;
    std::string text;            ///< strings
    std::uint64_t number = 0;    ///< numbers, and 0 or 1 for booleans
    std::vector<JsonNode> items; ///< arrays
    std::vector<Member> members; ///< objects, in the order of the file
};

struct JsonNode::Member {
    std::string key;
    SourcePos pos;
    JsonNode value;
};

/// Reads one document; nothing when there was a syntax fault, which is then in `diagnostics`.
[[nodiscard]] std::optional<JsonNode>
parse_strict_json(std::shared_ptr<const SourceFile> file, Diagnostics& diagnostics);

/// Takes the members of an object one by one and reports missing, unknown and duplicate keys and
/// wrong types. Getters return a default value after a fault.
class JsonFields {
  public:
    /// `what` is for messages: "package".
    JsonFields(const JsonNode& node, std::string what, Diagnostics& diagnostics);

    [[nodiscard]] std::string text(std::string_view key);
    [[nodiscard]] std::string optional_text(std::string_view key);
    [[nodiscard]] std::uint64_t number(std::string_view key);
    /// False when it is absent.
    [[nodiscard]] bool flag(std::string_view key);
    [[nodiscard]] const std::vector<JsonNode>& list(std::string_view key);
    /// Empty when it is absent.
    [[nodiscard]] const std::vector<JsonNode>& optional_list(std::string_view key);
    /// Null when it is absent.
    [[nodiscard]] const JsonNode* optional_object(std::string_view key);
    [[nodiscard]] std::vector<std::string> texts(std::string_view key);
    /// Position of a member's value, or of the object.
    [[nodiscard]] SourcePos pos_of(std::string_view key) const;
    /// Reports keys that nobody asked for.
    void finish();

  private:
    const JsonNode* take(std::string_view key, JsonNode::Type type, bool required);

    const JsonNode& node_;
    std::string what_;
    Diagnostics& diagnostics_;
    std::vector<std::string_view> asked_;
};

/// A JSON string with its quotes: only '"', '\\' and control characters are escaped.
[[nodiscard]] std::string quote_json(std::string_view text);

} // namespace kiln
