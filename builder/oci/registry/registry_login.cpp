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

/// Tokens are a few KiB; servers refuse headers of more than 8 to 64 KiB.
constexpr std::size_t kLongestToken = std::size_t{32} << 10U;

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

/// NAME="VALUE" in a challenge (RFC 9110, 11.6.1).
std::string parameter(std::string_view challenge, std::string_view name) {
    const std::string start = fmt::format("{}=\"", name);
    const std::size_t begin = challenge.find(start);
    if (begin == std::string_view::npos) {
        return {};
    }
    const std::string_view rest = challenge.substr(begin + start.size());
    return std::string(rest.substr(0, rest.find('"')));
}

/// b64token of RFC 6750 and what else servers use, but nothing that ends a header.
bool is_token(std::string_view text) {
    return !text.empty() && text.size() <= kLongestToken &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

} // namespace

RegistryLogin::RegistryLogin(
    HttpClient& http, std::string host, std::optional<RegistryCredentials> credentials)
    : http_(http), host_(std::move(host)), credentials_(std::move(credentials)) {}

std::string RegistryLogin::answer(std::string_view challenge, const Url& base) const {
    if (challenge.starts_with("Bearer ")) {
        return "Bearer " + fetch_token(challenge, base);
    }
    if (challenge.starts_with("Basic ") && credentials_) {
        return basic();
    }
    throw remote_error(fmt::format("registry '{}' requires a login", host_))
        .with_hint("run 'docker login', or set KILN_REGISTRY_HOST, KILN_REGISTRY_USER and "
                   "KILN_REGISTRY_PASSWORD");
}

std::string RegistryLogin::basic() const {
    return "Basic " + encode_base64(credentials_->user + ":" + credentials_->password);
}

std::string RegistryLogin::fetch_token(std::string_view challenge, const Url& base) const {
    const std::string realm = parameter(challenge, "realm");
    if (realm.empty()) {
        throw remote_error(fmt::format("registry '{}' did not name a token server", host_));
    }
    HttpRequest request;
    request.purpose = HttpPurpose::registry;
    request.expected_size = kLargestAnswer;
    Url url = follow_reference(HttpPurpose::registry, base, realm);
    for (const char* name : {"service", "scope"}) {
        if (const std::string value = parameter(challenge, name); !value.empty()) {
            url = url.with_query(fmt::format("{}={}", name, percent_encoded(value)));
        }
    }
    request.url = url.text();
    if (credentials_) {
        request.headers.push_back({"Authorization", basic()});
    }
    AnswerSink body;
    const HttpResponse response = http_.send(request, body);
    if (!response.ok()) {
        throw refused(host_, "did not return a token", response);
    }
    std::string token;
    read_remote_json(
        body.text(), fmt::format("the token of registry '{}'", host_), [&](auto& json) {
            token = json.at(json.contains("token") ? "token" : "access_token")
                        .template get<std::string>();
        });
    if (!is_token(token)) {
        throw remote_error(fmt::format("registry '{}' sent a malformed token", host_));
    }
    return token;
}

} // namespace kiln
