// SPDX-License-Identifier: MIT
//
// How a client proves to one registry who it is: Basic, or a Bearer token from the server that the
// registry's challenge names (distribution-spec's "token authentication"). The login is for one
// registry; it goes to the token server that this registry names, over https or on this machine.
#pragma once

#include "base/http/http.hpp"
#include "base/http/url.hpp"
#include "oci/registry/registry.hpp"
#include "oci/registry/registry_challenge.hpp"

#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace kiln {

/// Safe to use from several threads: one of them gets a new token, the others wait for it.
class RegistryLogin {
  public:
    /// `http` must outlive this; `host` is for messages.
    RegistryLogin(
        HttpClient& http,
        std::string host,
        std::optional<RegistryCredentials> credentials,
        RetryPolicy retry = {});

    /// What every token is asked for beside what a challenge says, so that one serves for a whole
    /// push.
    void want(std::string_view scopes);

    /// The Authorization header for a request to the registry at `base`; "" before the first
    /// challenge. A token that is about to expire is renewed first. Throws as answer() does.
    [[nodiscard]] std::string current(const Url& base);

    /// The Authorization header for a request that was refused (status 401) although it carried
    /// `used`. "" when another one would be refused as well, such as Basic with the same password.
    /// Throws Error with exit code 5, and TransferError.
    [[nodiscard]] std::string
    answer(const HttpResponse& refused, const std::string& used, const Url& base);

  private:
    struct Token {
        std::string text;
        std::chrono::seconds life{0};
    };

    [[nodiscard]] std::string basic() const;
    void renew(const Url& base, const RegistryScopes& challenged);
    [[nodiscard]] HttpRequest token_request(const Url& realm, const RegistryScopes& scopes) const;
    [[nodiscard]] Token fetch_token(const Url& realm, const RegistryScopes& scopes);
    [[nodiscard]] Token read_token(const std::string& text) const;

    HttpClient& http_;
    std::string host_;
    std::optional<RegistryCredentials> credentials_;
    RetryPolicy retry_;
    std::mutex mutex_; ///< guards what is below
    RegistryScopes wanted_;
    std::optional<AuthChallenge> bearer_; ///< the last challenge; where tokens come from
    std::string authorization_;
    std::chrono::steady_clock::time_point renew_at_;
};

} // namespace kiln
