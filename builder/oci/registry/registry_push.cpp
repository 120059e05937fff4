// SPDX-License-Identifier: MIT
//
// What RegistryClient sends. An upload is a session on the registry: each answer names where its
// next request goes, and a request whose answer was lost is never sent there again, since nobody
// knows how much of it arrived. Either the registry says how far it got, or the blob is sent whole
// in a session of its own.
#include "base/error.hpp"
#include "base/http/http_policy.hpp"
#include "base/text.hpp"
#include "oci/registry/registry.hpp"
#include "oci/registry/registry_answer.hpp"
#include "oci/registry/registry_json.hpp"
#include "oci/registry/registry_login.hpp"
#include "oci/registry/registry_upload.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace kiln {

namespace {

/// Of one request, when the whole was too large: proxies often allow 10 MB or more.
constexpr std::uint64_t kUsualChunk = std::uint64_t{8} << 20U;

constexpr int kTooLarge = 413;

bool is_lost_session(int status) {
    return status == 404 || status == 416;
}

/// `Range: 0-99`, as a registry writes it without "bytes=": how many bytes it has. Nothing for 0-0,
/// which registries write both for one byte and for none.
std::optional<std::uint64_t> received(const HttpResponse& response) {
    const std::string_view range = response.header("range").value_or("");
    const std::size_t dash = range.find('-');
    const auto last =
        dash == std::string_view::npos ? std::nullopt : parse_unsigned(range.substr(dash + 1));
    return last && *last > 0 ? std::optional(*last + 1) : std::nullopt;
}

/// Texts of `Warning: 299 - "TEXT"` (distribution-spec, "Warnings").
std::vector<std::string> warnings_of(const HttpResponse& response) {
    constexpr std::size_t kMost = 5;
    std::vector<std::string> out;
    for (const HttpHeader& header : response.headers) {
        const bool is_warning = header.name.size() == 7 && header.value.starts_with("299 ");
        const std::size_t quote = header.value.find('"');
        if (is_warning && quote != std::string::npos && out.size() < kMost) {
            const std::string_view text = std::string_view(header.value).substr(quote + 1);
            out.push_back(excerpt(text.substr(0, text.rfind('"'))));
        }
    }
    return out;
}

} // namespace

void RegistryClient::want_push(const std::vector<std::string>& mount_from) {
    login_->want(fmt::format("repository:{}:pull,push", repository_.name));
    for (const std::string& from : mount_from) {
        login_->want(fmt::format("repository:{}:pull", from));
    }
}

bool RegistryClient::has_blob(const Digest& digest) {
    return has_blob(OciDescriptor{"", digest, 0});
}

bool RegistryClient::has_blob(const OciDescriptor& blob) {
    HttpRequest request = this->request("blobs/" + blob.digest.to_string());
    request.method = "HEAD";
    request.follow_redirects = false;
    const HttpResponse response = send(std::move(request)).response;
    if (response.status >= 500 || response.status == 429) {
        throw refused(
            fmt::format("does not say whether it has blob {}", blob.digest.to_string()), response);
    }
    constexpr std::array kRedirects{301, 302, 303, 307, 308};
    if (std::find(kRedirects.begin(), kRedirects.end(), response.status) != kRedirects.end()) {
        return true; // it is where the registry keeps its blobs
    }
    if (response.status != 200 ||
        response.header("content-type").value_or("").starts_with("text/html")) {
        return false;
    }
    const auto size = response.header("content-length");
    if (blob.size > 0 && size && parse_unsigned(*size) != blob.size) {
        return false;
    }
    require_digest(
        repository_.host, fmt::format("blob {}", blob.digest.to_string()), response, blob.digest);
    return true;
}

/// Begins a session; with `mount_from` the registry may answer that it has taken the blob from
/// there (status 201).
HttpResponse RegistryClient::begin_upload(const Digest& digest, const std::string& mount_from) {
    HttpRequest begin = request("blobs/uploads/");
    begin.method = "POST";
    if (!mount_from.empty()) {
        begin.url += fmt::format(
            "?mount={}&from={}", percent_encoded(digest.to_string()), percent_encoded(mount_from));
        try {
            HttpResponse response = send(std::move(begin), OpenSource{}, Repeat::no).response;
            if (response.status == 201 || response.status == 202) {
                return response;
            }
        } catch (const RegistryRefusal&) { // such as: the login may not read that repository
        }
        return begin_upload(digest, "");
    }
    HttpResponse response = send(std::move(begin), OpenSource{}, Repeat::no).response;
    if (is_transient_status(response.status)) {
        return response;
    }
    if (response.status != 202 || !response.header("location")) {
        throw refused("takes no upload", response);
    }
    return response;
}

HttpRequest RegistryClient::upload_request(
    const std::string& method, const std::string& location, std::uint64_t bytes) {
    HttpRequest request = request_for(location);
    request.method = method;
    request.body_size = bytes;
    request.headers.push_back({"Content-Type", "application/octet-stream"});
    return request;
}

/// The newest Location, on the URL of the request whose answer named it.
std::string RegistryClient::next_location(const HttpResponse& response, const std::string& asked) {
    const auto from = Url::parse(asked);
    KILN_CHECK(from);
    const auto location = response.header("location");
    return location ? follow_reference(HttpPurpose::registry, *from, *location).text() : asked;
}

std::string RegistryClient::closing(const std::string& location, const Digest& digest) {
    const auto url = Url::parse(location);
    KILN_CHECK(url);
    return url->with_query("digest=" + percent_encoded(digest.to_string())).text();
}

/// The blob in one request.
HttpResponse RegistryClient::send_whole(
    const OciDescriptor& blob, UploadSource& content, const std::string& location) {
    HttpRequest upload = upload_request("PUT", closing(location, blob.digest), blob.size);
    if (blob.size == 0) {
        return send(std::move(upload), OpenSource{}, Repeat::no).response;
    }
    return send(std::move(upload), content.part(0, blob.size), Repeat::no).response;
}

/// How far the registry got with a session of which an answer was lost; nothing when it has
/// forgotten it.
std::optional<std::uint64_t> RegistryClient::ask_session(std::string& location) {
    HttpRequest ask = request_for(location);
    const HttpResponse response = send(std::move(ask)).response;
    if (response.status != 204 && response.status != 202) {
        return std::nullopt;
    }
    location = next_location(response, location);
    return received(response);
}

/// The blob in several requests; one that fails is followed by the question how much arrived.
HttpResponse RegistryClient::send_chunks(
    const OciDescriptor& blob, UploadSource& content, std::string location, std::uint64_t chunk) {
    for (std::uint64_t done = 0; done < blob.size;) {
        bool is_first = true;
        std::uint64_t bytes = 0;
        const HttpResponse response = with_retries(retry_, [&] {
            HttpResponse answer;
            if (!std::exchange(is_first, false)) {
                const auto arrived = ask_session(location);
                if (!arrived || *arrived > blob.size) {
                    answer.status = 404; // it is lost: the whole begins once more
                    return answer;
                }
                done = *arrived;
            }
            bytes = std::min(chunk, blob.size - done);
            if (bytes == 0) {
                answer.status = 202; // only the answer was lost
                return answer;
            }
            HttpRequest patch = upload_request("PATCH", location, bytes);
            patch.headers.push_back(
                {"Content-Range", fmt::format("{}-{}", done, done + bytes - 1)});
            return send(std::move(patch), content.part(done, bytes), Repeat::no).response;
        });
        if (response.status != 202) {
            return response;
        }
        location = next_location(response, location);
        done += bytes;
    }
    HttpRequest close = upload_request("PUT", closing(location, blob.digest), 0);
    return send(std::move(close), OpenSource{}, Repeat::no).response;
}

BlobOutcome RegistryClient::push_blob(
    const OciDescriptor& blob, const OpenSource& open, const BlobUpload& upload) {
    if (upload.ask_first && has_blob(blob)) {
        return BlobOutcome::was_there;
    }
    UploadSource content(blob, open, upload.on_bytes);
    std::uint64_t chunk = upload.chunk_bytes;
    std::vector<std::string> mount_from = upload.mount_from;
    std::erase(mount_from, repository_.name);
    BlobOutcome outcome = BlobOutcome::uploaded;
    bool is_first = true;
    const HttpResponse done = with_retries(retry_, [&] {
        if (!std::exchange(is_first, false) && upload.ask_first && has_blob(blob)) {
            HttpResponse there; // only the answer was lost
            there.status = 201;
            return there;
        }
        HttpResponse begun = begin_upload(blob.digest, mount_from.empty() ? "" : mount_from.back());
        while (begun.status == 202 && !mount_from.empty()) {
            mount_from.pop_back(); // that repository does not have it
            if (!mount_from.empty()) {
                begun = begin_upload(blob.digest, mount_from.back());
            }
        }
        if (begun.status == 201) {
            outcome = BlobOutcome::mounted;
        }
        if (begun.status != 202) {
            return begun;
        }
        const std::string location =
            next_location(begun, base().text() + "v2/" + repository_.name + "/blobs/uploads/");
        HttpResponse response = chunk == 0 ? send_whole(blob, content, location)
                                           : send_chunks(blob, content, location, chunk);
        if (response.status == kTooLarge && chunk == 0 && blob.size > kUsualChunk) {
            chunk = kUsualChunk;
            throw TransferError("the registry finds a blob too large for one request", true);
        }
        if (is_lost_session(response.status)) {
            throw TransferError(
                refused("lost an upload", response).message(), true, ExitCode::remote_refused);
        }
        return response;
    });
    if (done.status != 201) {
        throw refused(fmt::format("rejected blob {}", blob.digest.to_string()), done);
    }
    require_digest(
        repository_.host, fmt::format("blob {}", blob.digest.to_string()), done, blob.digest);
    return outcome;
}

PushedManifest RegistryClient::push_manifest(
    const std::string& reference, std::string_view text, std::string_view media_type) {
    HttpRequest request = this->request("manifests/" + reference);
    request.method = "PUT";
    request.headers.push_back({"Content-Type", std::string(media_type)});
    request.body_size = text.size();
    const Answer answer = send(
        std::move(request), [&] { return std::make_unique<MemorySource>(as_byte_span(text)); });
    const std::string what = fmt::format("manifest '{}'", reference);
    if (answer.response.status != 201) {
        throw refused("rejected " + what, answer.response);
    }
    PushedManifest out{
        sha256(text),
        answer.response.header("oci-subject").has_value(),
        warnings_of(answer.response)};
    require_digest(repository_.host, what, answer.response, out.digest);
    return out;
}

} // namespace kiln
