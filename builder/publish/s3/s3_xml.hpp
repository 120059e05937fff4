// SPDX-License-Identifier: MIT
//
// The XML that an S3 service answers with, as a tree of elements. Parsed by expat within limits;
// document types, and with them entities and everything external, are refused.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

/// Attributes and namespace prefixes are left out: no answer of S3 says anything in them.
struct XmlElement {
    std::string name;
    std::string text; ///< of the element itself, with blanks at its ends removed
    std::vector<XmlElement> children = {};

    /// The first child of that name; null when there is none.
    [[nodiscard]] const XmlElement* child(std::string_view wanted) const;
    /// The text of that child; "" when there is none.
    [[nodiscard]] std::string text_of(std::string_view wanted) const;
};

/// Nothing when the text is not well-formed, has a document type, is nested deeper than 16 levels
/// or has more than 20,000 elements (a page of a list has a few thousand).
[[nodiscard]] std::optional<XmlElement> parse_xml(std::string_view text);

/// A text as the content of an element.
[[nodiscard]] std::string xml_escaped(std::string_view text);

} // namespace kiln
