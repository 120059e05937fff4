// SPDX-License-Identifier: MIT
#include "oci/registry/registry_login.hpp"

#include "base/error.hpp"
#include "base/http/http_policy.hpp"
#include "base/text.hpp"
#include "oci/registry/registry_answer.hpp"
#include "oci/registry/registry_json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <openssl/evp.h>

#include <algorithm>
#include <utility>

namespace kiln {

namespace {

using Clock = std::chrono::steady_clock;

/// Tokens are a few KiB; servers refuse headers of more than 8 to 64 KiB.
constexpr std::size_t kLongestToken = std::size_t{32} << 10U;
/// What distribution-spec's token documentation says of a server that says nothing.
constexpr std::uint64_t kUsualLife = 60;
constexpr std::uint64_t kLongestLife = std::uint64_t{24} * 3600;

std::string encode_base64(std::string_view text) {
    std::string out(4 * ((text.size() + 2) / 3) + 1, '\0');
    const int size = EVP_EncodeBlock(
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): OpenSSL's bytes
        reinterpret_cast<unsigned char*>(out.data()),
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast)
        reinterpret_cast<const unsigned char*>(text.data()),
        static_cast<int>(text.size()));
    out.resize(static_cast<std::size_t>(size));
    return out;
}

/// b64token of RFC 6750 and what else servers use, but nothing that ends a header.
bool is_token(std::string_view text) {
    return !text.empty() && text.size() <= kLongestToken &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

} // namespace

RegistryLogin::RegistryLogin(
    HttpClient& http,
    std::string host,
    std::optional<RegistryCredentials> credentials,
    RetryPolicy retry)
    : http_(http), host_(std::move(host)), credentials_(std::move(credentials)),
      retry_(std::move(retry)) {}

void RegistryLogin::want(std::string_view scopes) {
    const std::lock_guard lock(mutex_);
    wanted_.add(scopes);
}

std::string RegistryLogin::current(const Url& base) {
    const std::lock_guard lock(mutex_);
    if (bearer_ && !authorization_.empty() && Clock::now() >= renew_at_) {
        renew(base, {});
    }
    return authorization_;
}

std::string
RegistryLogin::answer(const HttpResponse& refused, const std::string& used, const Url& base) {
    const std::lock_guard lock(mutex_);
    if (authorization_ != used) {
        return authorization_; // another thread has renewed it meanwhile
    }
    if (auto challenge = find_challenge(refused, "bearer")) {
        bearer_ = std::move(challenge);
        RegistryScopes scopes;
        scopes.add(bearer_->parameter("scope"));
        renew(base, scopes);
        return authorization_;
    }
    if (find_challenge(refused, "basic") && credentials_ && credentials_->identity_token.empty()) {
        bearer_.reset();
        authorization_ = basic();
        return authorization_ == used ? std::string() : authorization_;
    }
    throw remote_error(fmt::format("registry '{}' requires a login", host_))
        .with_hint("run 'docker login', or set KILN_REGISTRY_HOST, KILN_REGISTRY_USER and "
                   "KILN_REGISTRY_PASSWORD");
}

std::string RegistryLogin::basic() const {
    return "Basic " + encode_base64(credentials_->user + ":" + credentials_->password);
}

/// Asks for all that was ever wanted or demanded, so that requests of different kinds do not take
/// the token from each other.
void RegistryLogin::renew(const Url& base, const RegistryScopes& challenged) {
    const std::string realm = bearer_->parameter("realm");
    if (realm.empty()) {
        throw remote_error(fmt::format("registry '{}' did not name a token server", host_));
    }
    const Url server = follow_reference(HttpPurpose::registry, base, realm);
    RegistryScopes all = wanted_;
    all.add(challenged);
    Token token;
    try {
        token = fetch_token(server, all);
        wanted_ = all;
    } catch (const RegistryRefusal&) {
        // Some servers give nothing when they do not grant all.
        if (challenged.empty() || all == challenged) {
            throw;
        }
        token = fetch_token(server, challenged);
    }
    authorization_ = "Bearer " + token.text;
    renew_at_ = Clock::now() + token.life * 4 / 5;
}

HttpRequest RegistryLogin::token_request(const Url& realm, const RegistryScopes& scopes) const {
    HttpRequest request;
    request.purpose = HttpPurpose::registry;
    request.expected_size = kLargestAnswer;
    Url url = realm;
    if (const std::string service = bearer_->parameter("service"); !service.empty()) {
        url = url.with_query("service=" + percent_encoded(service));
    }
    for (const std::string& scope : scopes.list()) {
        url = url.with_query("scope=" + percent_encoded(scope));
    }
    request.url = url.text();
    if (credentials_) {
        request.headers.push_back({"Authorization", basic()});
    }
    return request;
}

RegistryLogin::Token RegistryLogin::fetch_token(const Url& realm, const RegistryScopes& scopes) {
    HttpRequest request;
    std::string form; // OAuth2, for identity tokens
    if (credentials_ && !credentials_->identity_token.empty()) {
        request.purpose = HttpPurpose::registry;
        request.expected_size = kLargestAnswer;
        request.url = realm.text();
        request.method = "POST";
        request.headers.push_back({"Content-Type", "application/x-www-form-urlencoded"});
        form = fmt::format(
            "grant_type=refresh_token&client_id=kiln&service={}&scope={}&refresh_token={}",
            percent_encoded(bearer_->parameter("service")),
            percent_encoded(join(scopes.list(), " ")),
            percent_encoded(credentials_->identity_token));
    } else {
        request = token_request(realm, scopes);
    }
    std::optional<AnswerSink> body;
    const HttpResponse response = with_retries(retry_, [&] {
        MemorySource content(as_byte_span(form));
        if (!form.empty()) {
            request.body = &content;
            request.body_size = form.size();
        }
        return http_.send(request, body.emplace());
    });
    if (!response.ok()) {
        throw refused(host_, "did not return a token", response);
    }
    return read_token(body->text());
}

RegistryLogin::Token RegistryLogin::read_token(const std::string& text) const {
    Token token;
    read_remote_json(text, fmt::format("the token of registry '{}'", host_), [&](auto& json) {
        token.text =
            json.at(json.contains("token") ? "token" : "access_token").template get<std::string>();
        std::uint64_t life = kUsualLife;
        if (json.contains("expires_in") && json.at("expires_in").is_number_unsigned()) {
            life = json.at("expires_in").template get<std::uint64_t>();
        }
        token.life = std::chrono::seconds(std::min(life, kLongestLife));
    });
    if (!is_token(token.text)) {
        throw remote_error(fmt::format("registry '{}' sent a malformed token", host_));
    }
    return token;
}

} // namespace kiln
