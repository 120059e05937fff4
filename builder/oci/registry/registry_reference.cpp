// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/registry/registry.hpp"

#include <fmt/format.h>

#include <regex>

namespace kiln {

RegistryReference parse_registry_reference(std::string_view text) {
    static const std::regex kForm(
        "^((?:[A-Za-z0-9.-]+|\\[[0-9A-Fa-f:.]+\\])(?::[0-9]+)?)/"
        "([a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*)"
        "(?::([A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?"
        "(?:@(sha256:[0-9a-f]{64}))?$");
    const std::string copy(text);
    std::smatch match;
    // std::regex recurses for every character.
    constexpr std::size_t kLongest = 1024;
    if (copy.size() > kLongest || !std::regex_match(copy, match, kForm)) {
        throw UsageError(fmt::format(
            "'{}' is not a valid registry reference: expected "
            "HOST[:PORT]/NAME[:TAG][@sha256:DIGEST]",
            excerpt(text)));
    }
    RegistryReference out{{match[1].str(), match[2].str()}, match[3].str(), std::nullopt};
    if (match[4].matched) {
        out.digest = Digest::parse(match[4].str());
    }
    return out;
}

} // namespace kiln
