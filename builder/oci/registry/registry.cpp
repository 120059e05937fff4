// SPDX-License-Identifier: MIT
#include "oci/registry/registry.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/registry/registry_answer.hpp"
#include "oci/registry/registry_json.hpp"
#include "oci/registry/registry_login.hpp"

#include <fmt/format.h>

#include <utility>

namespace kiln {

namespace {

/// The base of all requests: never anything that a host name could smuggle in.
Url url_of(std::string_view scheme, const std::string& host) {
    auto url = Url::parse(fmt::format("{}://{}/", scheme, host));
    if (!url || url->has_user()) {
        throw UsageError(fmt::format("'{}' is not a valid registry host", excerpt(host)));
    }
    return std::move(*url);
}

/// Docker Hub is called by one name and answers at another.
const std::string& api_host(const std::string& host) {
    static const std::string kDockerHub = "registry-1.docker.io";
    return host == "docker.io" || host == "index.docker.io" ? kDockerHub : host;
}

} // namespace

RegistryClient::RegistryClient(
    HttpClient& http,
    RegistryRepository repository,
    std::optional<RegistryCredentials> credentials,
    RetryPolicy retry)
    : http_(http), repository_(std::move(repository)),
      login_(
          std::make_unique<RegistryLogin>(http, repository_.host, std::move(credentials), retry)),
      retry_(std::move(retry)), base_mutex_(std::make_unique<std::mutex>()) {}

RegistryClient::RegistryClient(RegistryClient&&) noexcept = default;

RegistryClient::~RegistryClient() = default;

Url RegistryClient::find_base() {
    Url secure = url_of("https", api_host(repository_.host));
    if (!secure.is_loopback()) {
        return secure;
    }
    Url plain = url_of("http", repository_.host);
    std::optional<Url> found;
    try {
        static_cast<void>(with_retries(retry_, [&] {
            HttpResponse none;
            try {
                AnswerSink ignored;
                static_cast<void>(http_.send(request_for(secure.text() + "v2/"), ignored));
                found = secure;
            } catch (const TransferError&) { // of TLS: what is wanted, if there is nothing else
                if (!is_registry(plain)) {
                    throw;
                }
                found = plain;
            }
            return none;
        }));
    } catch (const TransferError& error) {
        throw remote_error(error.message());
    }
    return std::move(*found);
}

/// distribution-spec, "Determining Support": a server of TLS answers 400 to a request without.
bool RegistryClient::is_registry(const Url& base) {
    try {
        AnswerSink ignored;
        const int status = http_.send(request_for(base.text() + "v2/"), ignored).status;
        return status == 200 || status == 401 || is_transient_status(status);
    } catch (const TransferError&) {
        return false;
    }
}

const Url& RegistryClient::base() {
    const std::lock_guard lock(*base_mutex_);
    if (!base_) {
        base_ = find_base();
    }
    return *base_;
}

HttpRequest RegistryClient::request_for(std::string url) {
    HttpRequest request;
    request.url = std::move(url);
    request.purpose = HttpPurpose::registry;
    request.expected_size = kLargestAnswer;
    return request;
}

HttpRequest RegistryClient::request(const std::string& path) {
    return request_for(fmt::format("{}v2/{}/{}", base().text(), repository_.name, path));
}

bool RegistryClient::is_ours(const std::string& url) {
    const auto parsed = Url::parse(url);
    return parsed && parsed->origin() == base().origin();
}

RegistryRefusal
RegistryClient::refused(const std::string& what, const HttpResponse& response) const {
    return kiln::refused(repository_.host, what, response);
}

/// One request, with retries if it may be repeated. `begin` is called before every attempt: it
/// rewinds the request's body and gives a sink without anything of an earlier attempt.
///
/// Challenges are answered twice at most: a token may be too old, and its successor not be for what
/// this request does.
HttpResponse
RegistryClient::send(HttpRequest request, const std::function<Sink&()>& begin, Repeat repeat) {
    const std::vector<HttpHeader> plain = request.headers;
    std::string used;
    const auto attempt = [&] {
        request.headers = plain;
        // An upload may go to a storage server that the registry names; the login is not for it.
        used = is_ours(request.url) ? login_->current(base()) : std::string();
        if (!used.empty()) {
            request.headers.push_back({"Authorization", used});
        }
        return http_.send(request, begin());
    };
    RetryPolicy policy = retry_;
    if (repeat == Repeat::no) {
        policy.attempts = 1;
    }
    HttpResponse response = with_retries(policy, attempt);
    // A redirect may have led to somebody else, whose challenge would send the login where they
    // say.
    for (int answers = 0; answers < 2 && response.status == 401 && is_ours(response.url);
         ++answers) {
        if (login_->answer(response, used, base()).empty()) {
            break;
        }
        response = with_retries(policy, attempt);
    }
    if (response.status == 401 || response.status == 403) {
        throw refused("rejected the login", response);
    }
    return response;
}

RegistryClient::Answer
RegistryClient::send(HttpRequest request, const OpenSource& open, Repeat repeat) {
    std::optional<AnswerSink> body;

    // The request keeps the address of its source over all attempts.
    class Reopened final : public Source {
      public:
        std::unique_ptr<Source> below;

        std::size_t read(std::span<std::byte> buffer) override { return below->read(buffer); }
    } content;

    if (open) {
        request.body = &content;
    }
    HttpResponse response = send(
        std::move(request),
        [&]() -> Sink& {
            if (open) {
                content.below = open();
            }
            return body.emplace();
        },
        repeat);
    return {std::move(response), body->text()};
}

} // namespace kiln
