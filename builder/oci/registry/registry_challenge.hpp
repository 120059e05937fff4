// SPDX-License-Identifier: MIT
//
// What a registry says it wants of a login (WWW-Authenticate, RFC 9110 11.6.1), and what a token
// gives access to (the scopes of distribution-spec's token authentication). Texts and values only.
#pragma once

#include "base/http/http.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

struct AuthChallenge {
    std::string scheme;                            ///< in lower case: "basic", "bearer"
    std::map<std::string, std::string> parameters; ///< by name in lower case, without quotes

    /// "" when there is none.
    [[nodiscard]] std::string parameter(const std::string& name) const;
};

/// All challenges of one header, which may hold several separated by commas. What does not follow
/// the grammar ends the list.
[[nodiscard]] std::vector<AuthChallenge> parse_challenges(std::string_view header);

/// The first challenge of that scheme in all WWW-Authenticate headers of an answer.
[[nodiscard]] std::optional<AuthChallenge>
find_challenge(const HttpResponse& response, std::string_view scheme);

/// What tokens are for: "repository:NAME:pull,push", each resource once with all its actions.
class RegistryScopes {
  public:
    /// One scope or a list separated by blanks, as challenges have it; what is none is left out.
    void add(std::string_view list);
    void add(const RegistryScopes& other);

    /// One text a resource, sorted: for equal sets the same list.
    [[nodiscard]] std::vector<std::string> list() const;

    [[nodiscard]] bool empty() const noexcept { return actions_.empty(); }

    bool operator==(const RegistryScopes&) const = default;

  private:
    std::map<std::string, std::set<std::string>> actions_; ///< by "TYPE:NAME"
};

} // namespace kiln
