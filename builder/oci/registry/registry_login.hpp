// SPDX-License-Identifier: MIT
//
// How a client proves to one registry who it is: Basic, or a Bearer token from the server that the
// registry's challenge names (distribution-spec's "token authentication"). The login is for one
// registry; it goes to the token server that this registry names, over https or on this machine.
#pragma once

#include "base/http/http.hpp"
#include "base/http/url.hpp"
#include "oci/registry/registry.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace kiln {

class RegistryLogin {
  public:
    /// `http` must outlive this; `host` is for messages.
    RegistryLogin(
        HttpClient& http, std::string host, std::optional<RegistryCredentials> credentials);

    /// The Authorization header for a WWW-Authenticate that the registry at `base` sent. Throws
    /// Error with exit code 5.
    [[nodiscard]] std::string answer(std::string_view challenge, const Url& base) const;

  private:
    [[nodiscard]] std::string basic() const;
    [[nodiscard]] std::string fetch_token(std::string_view challenge, const Url& base) const;

    HttpClient& http_;
    std::string host_;
    std::optional<RegistryCredentials> credentials_;
};

} // namespace kiln
