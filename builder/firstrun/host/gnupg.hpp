// SPDX-License-Identifier: MIT
//
// gpg as the user pause: the few calls that first-run makes, and reading of its colon listings.
#pragma once

#include "firstrun/host/accounts.hpp"
#include "firstrun/host/host.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kiln::firstrun {

struct SecretKey {
    std::string id; ///< 16 hex digits
    std::string fingerprint;
    std::string user;         ///< the first user id
    char validity = '-';      ///< e expired, r revoked, ...
    std::int64_t expires = 0; ///< seconds since 1970; 0: never

    [[nodiscard]] bool is_expired(std::int64_t now) const {
        return validity == 'e' || (expires != 0 && expires <= now);
    }
};

/// From `gpg --with-colons --list-secret-keys` or `--show-keys`.
[[nodiscard]] std::vector<SecretKey> parse_secret_keys(std::string_view listing);

class Gnupg {
  public:
    Gnupg(Host& host, const Account& user, fs::path home)
        : host_(host), user_(user), home_(std::move(home)) {}

    [[nodiscard]] std::vector<SecretKey> secret_keys();
    /// The public half of this key is there. Starts no agent.
    [[nodiscard]] bool knows(const std::string& fingerprint);
    void generate(const std::string& user_id);
    /// From armored text, which goes to gpg's standard input.
    void import(const std::string& armored);
    /// Signs a text and verifies the signature; returns what went wrong, or "".
    [[nodiscard]] std::string test_signature(const std::string& key_id);
    /// Ends the agent that gpg leaves behind.
    void end_agent() noexcept;

  private:
    [[nodiscard]] Command command(std::vector<std::string> args, std::string input = {}) const;

    Host& host_;
    const Account& user_;
    fs::path home_;
};

/// The secret keys in armored text, without importing it.
[[nodiscard]] std::vector<SecretKey>
keys_in(Host& host, const Account& user, const std::string& armored);

} // namespace kiln::firstrun
