// SPDX-License-Identifier: MIT
#include "publish/registry.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <openssl/evp.h>

#include <span>
#include <vector>

namespace kiln {

namespace {

/// Far above any manifest; distribution-spec asks registries to take 4 MiB.
constexpr std::size_t kLargestAnswer = 8U << 20U;

Error remote_error(std::string message) {
    return Error(std::move(message), ExitCode::remote_refused);
}

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

/// Keeps a small body in memory.
class BodySink final : public Sink {
  public:
    void write(Bytes bytes) override {
        if (text_.size() + bytes.size() > kLargestAnswer) {
            throw remote_error("the registry's answer is larger than any manifest");
        }
        text_ += as_text(bytes);
    }

    [[nodiscard]] const std::string& text() const noexcept { return text_; }

  private:
    std::string text_;
};

/// Passes a blob on and compares it with its descriptor.
class VerifyingSink final : public Sink {
  public:
    VerifyingSink(const OciDescriptor& blob, Sink& below) : blob_(blob), below_(below) {}

    void write(Bytes bytes) override {
        size_ += bytes.size();
        if (size_ > blob_.size) {
            throw remote_error(fmt::format(
                "blob {} is larger than the {} bytes that its manifest says",
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
                "the registry sent {} bytes with digest {} for blob {} of {} bytes",
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

std::string percent_encoded(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                              (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
        out += is_plain
                   ? std::string(1, c)
                   : fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
    return out;
}

bool is_this_machine(std::string_view host) {
    return host == "localhost" || host.starts_with("localhost:") || host.starts_with("127.");
}

/// The messages of an error answer: {"errors": [{"code": ..., "message": ...}]}.
std::string messages_in(const std::string& body) {
    const auto json = nlohmann::json::parse(body, nullptr, false);
    std::vector<std::string> out;
    if (json.is_object() && json.contains("errors") && json.at("errors").is_array()) {
        for (const auto& error : json.at("errors")) {
            out.push_back(fmt::format(
                "{} {}",
                error.value("code", std::string()),
                error.value("message", std::string())));
        }
    }
    return join(out, "; ");
}

} // namespace

RegistryClient::RegistryClient(
    HttpClient& http,
    RegistryRepository repository,
    std::optional<RegistryCredentials> credentials,
    RetryPolicy retry)
    : http_(http), repository_(std::move(repository)), credentials_(std::move(credentials)),
      retry_(std::move(retry)) {}

std::string RegistryClient::find_base() {
    const std::string secure = "https://" + repository_.host;
    if (!is_this_machine(repository_.host)) {
        return secure;
    }
    try {
        BodySink ignored;
        static_cast<void>(http_.send({.url = secure + "/v2/"}, ignored));
        return secure;
    } catch (const TransferError& error) {
        const std::string plain = "http://" + repository_.host;
        if (is_registry(plain)) {
            return plain;
        }
        throw remote_error(error.message()); // of TLS: what is wanted
    }
}

/// distribution-spec, "Determining Support": a server of TLS answers 400 to a request without.
bool RegistryClient::is_registry(const std::string& base) {
    try {
        BodySink ignored;
        const int status = http_.send({.url = base + "/v2/"}, ignored).status;
        return status == 200 || status == 401;
    } catch (const TransferError&) {
        return false;
    }
}

std::string RegistryClient::url(const std::string& path) {
    if (base_.empty()) {
        base_ = find_base();
    }
    return fmt::format("{}/v2/{}/{}", base_, repository_.name, path);
}

std::string RegistryClient::fetch_token(std::string_view challenge) {
    const std::string realm = parameter(challenge, "realm");
    if (!realm.starts_with("https://") && !realm.starts_with("http://")) {
        throw remote_error(
            fmt::format("registry '{}' names no place that gives tokens", repository_.host));
    }
    HttpRequest request;
    request.url = fmt::format(
        "{}?service={}&scope={}",
        realm,
        percent_encoded(parameter(challenge, "service")),
        percent_encoded(parameter(challenge, "scope")));
    if (credentials_) {
        request.headers.push_back(
            {"Authorization",
             "Basic " + encode_base64(credentials_->user + ":" + credentials_->password)});
    }
    BodySink body;
    const HttpResponse response = http_.send(request, body);
    const auto json = nlohmann::json::parse(body.text(), nullptr, false);
    for (const char* key : {"token", "access_token"}) {
        if (response.ok() && json.is_object() && json.contains(key) && json.at(key).is_string()) {
            return json.at(key).get<std::string>();
        }
    }
    throw refused("gives no token", response, body.text());
}

std::string RegistryClient::answer_challenge(std::string_view challenge) {
    if (challenge.starts_with("Bearer ")) {
        return "Bearer " + fetch_token(challenge);
    }
    if (challenge.starts_with("Basic ") && credentials_) {
        return "Basic " + encode_base64(credentials_->user + ":" + credentials_->password);
    }
    throw remote_error(fmt::format("registry '{}' wants a login", repository_.host))
        .with_hint("log in with 'docker login', or set KILN_REGISTRY_USER and "
                   "KILN_REGISTRY_PASSWORD");
}

Error RegistryClient::refused(
    const std::string& what, const HttpResponse& response, const std::string& body) const {
    const std::string messages =
        messages_in(response.error_body.empty() ? body : response.error_body);
    return remote_error(fmt::format(
        "registry '{}' {}: status {}{}",
        repository_.host,
        what,
        response.status,
        messages.empty() ? "" : ", " + messages));
}

/// One request with retries; a challenge is answered once. `begin` is called before every attempt:
/// it rewinds the request's body and gives a sink without anything of an earlier attempt.
HttpResponse RegistryClient::send(HttpRequest request, const std::function<Sink&()>& begin) {
    const std::vector<HttpHeader> plain = request.headers;
    const auto attempt = [&] {
        request.headers = plain;
        if (!authorization_.empty()) {
            request.headers.push_back({"Authorization", authorization_});
        }
        return http_.send(request, begin());
    };
    HttpResponse response = with_retries(retry_, attempt);
    if (response.status == 401) {
        const auto challenge = response.header("www-authenticate");
        authorization_ = answer_challenge(challenge.value_or(""));
        response = with_retries(retry_, attempt);
    }
    if (response.status == 401 || response.status == 403) {
        throw refused("refuses the login", response, "");
    }
    return response;
}

RegistryClient::Answer RegistryClient::send(HttpRequest request) {
    std::optional<BodySink> body;
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
    HttpRequest request;
    request.url = url("manifests/" + reference);
    request.headers.push_back({"Accept", std::string(media_type::kManifest)});
    Answer answer = send(std::move(request));
    if (answer.response.status == 404) {
        return std::nullopt;
    }
    if (!answer.response.ok()) {
        throw refused(fmt::format("does not give '{}'", reference), answer.response, answer.body);
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
    HttpRequest request;
    request.url = url("blobs/" + blob.digest.to_string());
    std::optional<VerifyingSink> verifying;
    const HttpResponse response =
        send(std::move(request), [&]() -> Sink& { return verifying.emplace(blob, begin()); });
    if (!response.ok()) {
        throw refused(fmt::format("does not give blob {}", blob.digest.to_string()), response, "");
    }
    verifying->finish();
}

void RegistryClient::fetch_blob(const OciDescriptor& blob, const fs::path& file) {
    std::optional<AtomicFile> target;
    fetch(blob, [&]() -> Sink& { return target.emplace(file); });
    target->commit();
}

std::string RegistryClient::fetch_text(const OciDescriptor& blob) {
    std::optional<BodySink> text;
    fetch(blob, [&]() -> Sink& { return text.emplace(); });
    return text->text();
}

bool RegistryClient::has_blob(const Digest& digest) {
    HttpRequest request;
    request.method = "HEAD";
    request.url = url("blobs/" + digest.to_string());
    return send(std::move(request)).response.ok();
}

void RegistryClient::push_blob(
    const OciDescriptor& blob, const std::function<std::unique_ptr<Source>()>& open) {
    if (has_blob(blob.digest)) {
        return;
    }
    HttpRequest begin;
    begin.method = "POST";
    begin.url = url("blobs/uploads/");
    const Answer begun = send(std::move(begin));
    const auto location = begun.response.header("location");
    if (begun.response.status != 202 || !location) {
        throw refused("takes no upload", begun.response, begun.body);
    }
    std::string target(*location);
    if (target.starts_with('/')) {
        target = base_ + target;
    }
    HttpRequest upload;
    upload.method = "PUT";
    upload.url = fmt::format(
        "{}{}digest={}",
        target,
        target.find('?') == std::string::npos ? '?' : '&',
        percent_encoded(blob.digest.to_string()));
    upload.headers.push_back({"Content-Type", "application/octet-stream"});
    upload.body_size = blob.size;
    ReopenedSource content(open);
    upload.body = &content;
    const Answer done = send(std::move(upload));
    if (done.response.status != 201) {
        throw refused(
            fmt::format("does not take blob {}", blob.digest.to_string()),
            done.response,
            done.body);
    }
}

Digest RegistryClient::push_manifest(
    const std::string& reference, std::string_view text, std::string_view media_type) {
    HttpRequest request;
    request.method = "PUT";
    request.url = url("manifests/" + reference);
    request.headers.push_back({"Content-Type", std::string(media_type)});
    request.body_size = text.size();
    ReopenedSource body([&] { return std::make_unique<MemorySource>(as_byte_span(text)); });
    request.body = &body;
    const Answer answer = send(std::move(request));
    if (answer.response.status != 201) {
        throw refused(
            fmt::format("does not take manifest '{}'", reference), answer.response, answer.body);
    }
    return sha256(text);
}

} // namespace kiln
