// SPDX-License-Identifier: MIT
#include "oci/registry/registry.hpp"

#include "base/error.hpp"
#include "base/http/http_policy.hpp"
#include "base/text.hpp"
#include "oci/registry/registry_answer.hpp"
#include "oci/registry/registry_json.hpp"
#include "oci/registry/registry_login.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace kiln {

namespace {

/// What a blob may be said to have: above any image that is shipped, below what fills a disk.
constexpr std::uint64_t kLargestBlob = std::uint64_t{64} << 30U;

/// Passes a blob on and compares it with its descriptor.
class VerifyingSink final : public Sink {
  public:
    VerifyingSink(const OciDescriptor& blob, Sink& below) : blob_(blob), below_(below) {}

    void write(Bytes bytes) override {
        size_ += bytes.size();
        if (size_ > blob_.size) {
            throw remote_error(fmt::format(
                "blob {} is larger than the {} bytes in its manifest",
                blob_.digest.to_string(),
                blob_.size));
        }
        hash_.update(bytes);
        below_.write(bytes);
    }

    void finish() override {
        const Digest found = hash_.finish();
        if (size_ != blob_.size || found != blob_.digest) {
            throw remote_error(fmt::format(
                "checksum mismatch: the registry sent {} bytes with digest {} for blob {} of {} "
                "bytes",
                size_,
                found.to_string(),
                blob_.digest.to_string(),
                blob_.size));
        }
        below_.finish();
    }

  private:
    const OciDescriptor& blob_;
    Sink& below_;
    Sha256 hash_;
    std::uint64_t size_ = 0;
};

/// A request's body that can be read from its beginning again: a request keeps the address of its
/// source over all attempts.
class ReopenedSource final : public Source {
  public:
    explicit ReopenedSource(std::function<std::unique_ptr<Source>()> open)
        : open_(std::move(open)) {}

    void reopen() { source_ = open_(); }

    std::size_t read(std::span<std::byte> buffer) override { return source_->read(buffer); }

  private:
    std::function<std::unique_ptr<Source>()> open_;
    std::unique_ptr<Source> source_;
};

void require_size(const OciDescriptor& blob, std::uint64_t most) {
    if (blob.size > most) {
        throw remote_error(fmt::format(
            "blob {} of {} bytes is larger than the {} allowed",
            blob.digest.to_string(),
            blob.size,
            format_size(most)));
    }
}

/// The base of all requests: never anything that a host name could smuggle in.
Url url_of(std::string_view scheme, const std::string& host) {
    auto url = Url::parse(fmt::format("{}://{}/", scheme, host));
    if (!url || url->has_user()) {
        throw UsageError(fmt::format("'{}' is not a valid registry host", excerpt(host)));
    }
    return std::move(*url);
}

} // namespace

RegistryClient::RegistryClient(
    HttpClient& http,
    RegistryRepository repository,
    std::optional<RegistryCredentials> credentials,
    RetryPolicy retry)
    : http_(http), repository_(std::move(repository)),
      login_(std::make_unique<RegistryLogin>(http, repository_.host, std::move(credentials))),
      retry_(std::move(retry)) {}

RegistryClient::RegistryClient(RegistryClient&&) noexcept = default;

RegistryClient::~RegistryClient() = default;

Url RegistryClient::find_base() {
    Url secure = url_of("https", repository_.host);
    if (!secure.is_loopback()) {
        return secure;
    }
    try {
        AnswerSink ignored;
        static_cast<void>(http_.send(request_for(secure.text() + "v2/"), ignored));
        return secure;
    } catch (const TransferError& error) {
        Url plain = url_of("http", repository_.host);
        if (is_registry(plain)) {
            return plain;
        }
        throw remote_error(error.message()); // of TLS: what is wanted
    }
}

/// distribution-spec, "Determining Support": a server of TLS answers 400 to a request without.
bool RegistryClient::is_registry(const Url& base) {
    try {
        AnswerSink ignored;
        const int status = http_.send(request_for(base.text() + "v2/"), ignored).status;
        return status == 200 || status == 401;
    } catch (const TransferError&) {
        return false;
    }
}

const Url& RegistryClient::base() {
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

Error RegistryClient::refused(const std::string& what, const HttpResponse& response) const {
    return kiln::refused(repository_.host, what, response);
}

/// One request with retries; a challenge is answered once. `begin` is called before every attempt:
/// it rewinds the request's body and gives a sink without anything of an earlier attempt.
HttpResponse RegistryClient::send(HttpRequest request, const std::function<Sink&()>& begin) {
    const std::vector<HttpHeader> plain = request.headers;
    const auto attempt = [&] {
        request.headers = plain;
        // An upload may go to a storage server that the registry names; the login is not for it.
        if (!authorization_.empty() && is_ours(request.url)) {
            request.headers.push_back({"Authorization", authorization_});
        }
        return http_.send(request, begin());
    };
    HttpResponse response = with_retries(retry_, attempt);
    // A redirect may have led to somebody else, whose challenge would send the login where they
    // say.
    if (response.status == 401 && is_ours(response.url)) {
        const auto challenge = response.header("www-authenticate");
        authorization_ = login_->answer(challenge.value_or(""), base());
        response = with_retries(retry_, attempt);
    }
    if (response.status == 401 || response.status == 403) {
        throw refused("rejected the login", response);
    }
    return response;
}

RegistryClient::Answer RegistryClient::send(HttpRequest request) {
    std::optional<AnswerSink> body;
    auto* reopened = dynamic_cast<ReopenedSource*>(request.body);
    HttpResponse response = send(std::move(request), [&]() -> Sink& {
        if (reopened != nullptr) {
            reopened->reopen();
        }
        return body.emplace();
    });
    return {std::move(response), body->text()};
}

std::optional<RegistryManifest> RegistryClient::manifest(const std::string& reference) {
    HttpRequest request = this->request("manifests/" + reference);
    request.headers.push_back({"Accept", std::string(media_type::kManifest)});
    Answer answer = send(std::move(request));
    if (answer.response.status == 404) {
        return std::nullopt;
    }
    if (answer.response.status != 200) { // no part, either
        throw refused(fmt::format("did not return '{}'", reference), answer.response);
    }
    RegistryManifest out{std::move(answer.body), {}};
    out.digest = sha256(out.text);
    if (const auto wanted = Digest::parse(reference);
        reference.starts_with("sha256:") && (!wanted || *wanted != out.digest)) {
        throw remote_error(fmt::format(
            "registry '{}' sent a manifest with digest {} for {}",
            repository_.host,
            out.digest.to_string(),
            reference));
    }
    return out;
}

void RegistryClient::fetch(const OciDescriptor& blob, const std::function<Sink&()>& begin) {
    HttpRequest request = this->request("blobs/" + blob.digest.to_string());
    // 0 would mean "not known", and give a registry an hour to send nothing.
    request.expected_size = std::max<std::uint64_t>(blob.size, 1);
    std::optional<VerifyingSink> verifying;
    const HttpResponse response =
        send(std::move(request), [&]() -> Sink& { return verifying.emplace(blob, begin()); });
    if (response.status != 200) {
        throw refused(fmt::format("did not return blob {}", blob.digest.to_string()), response);
    }
    verifying->finish();
}

void RegistryClient::fetch_blob(const OciDescriptor& blob, const fs::path& file) {
    require_size(blob, kLargestBlob);
    const std::uintmax_t room = fs::space(file.parent_path()).available;
    if (blob.size > room) {
        throw Error(fmt::format(
            "not enough space for blob {} ({}) in '{}': {} available",
            blob.digest.to_string(),
            format_size(blob.size),
            file.parent_path().string(),
            format_size(room)));
    }
    std::optional<AtomicFile> target;
    fetch(blob, [&]() -> Sink& { return target.emplace(file); });
    target->commit();
}

std::string RegistryClient::fetch_text(const OciDescriptor& blob) {
    require_size(blob, kLargestAnswer);
    std::optional<AnswerSink> text;
    fetch(blob, [&]() -> Sink& { return text.emplace(); });
    return text->text();
}

bool RegistryClient::has_blob(const Digest& digest) {
    HttpRequest request = this->request("blobs/" + digest.to_string());
    request.method = "HEAD";
    return send(std::move(request)).response.ok();
}

void RegistryClient::push_blob(
    const OciDescriptor& blob, const std::function<std::unique_ptr<Source>()>& open) {
    if (has_blob(blob.digest)) {
        return;
    }
    HttpRequest begin = request("blobs/uploads/");
    begin.method = "POST";
    const auto from = Url::parse(begin.url);
    KILN_CHECK(from);
    const Answer begun = send(std::move(begin));
    const auto location = begun.response.header("location");
    if (begun.response.status != 202 || !location) {
        throw refused("refused the upload", begun.response);
    }
    HttpRequest upload =
        request_for(follow_reference(HttpPurpose::registry, *from, *location)
                        .with_query("digest=" + percent_encoded(blob.digest.to_string()))
                        .text());
    upload.method = "PUT";
    upload.headers.push_back({"Content-Type", "application/octet-stream"});
    upload.body_size = blob.size;
    ReopenedSource content(open);
    upload.body = &content;
    const Answer done = send(std::move(upload));
    if (done.response.status != 201) {
        throw refused(fmt::format("rejected blob {}", blob.digest.to_string()), done.response);
    }
}

Digest RegistryClient::push_manifest(
    const std::string& reference, std::string_view text, std::string_view media_type) {
    HttpRequest request = this->request("manifests/" + reference);
    request.method = "PUT";
    request.headers.push_back({"Content-Type", std::string(media_type)});
    request.body_size = text.size();
    ReopenedSource body([&] { return std::make_unique<MemorySource>(as_byte_span(text)); });
    request.body = &body;
    const Answer answer = send(std::move(request));
    if (answer.response.status != 201) {
        throw refused(fmt::format("rejected manifest '{}'", reference), answer.response);
    }
    return sha256(text);
}

} // namespace kiln
