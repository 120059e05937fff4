// SPDX-License-Identifier: MIT
//
// What RegistryClient fetches.
#include "base/error.hpp"
#include "base/http/http_policy.hpp"
#include "base/text.hpp"
#include "oci/registry/registry.hpp"
#include "oci/registry/registry_answer.hpp"
#include "oci/registry/registry_json.hpp"
#include "oci/registry/registry_login.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace kiln {

/// Passes a blob on and compares it with its descriptor. What came before a transfer broke off
/// counts, if the next one begins there.
class VerifyingSink final : public Sink {
  public:
    /// `rewind` is called when everything comes once more; it gives a sink without content.
    VerifyingSink(
        const OciDescriptor& blob,
        std::function<Sink&()> rewind,
        std::function<void(std::int64_t)> on_bytes)
        : blob_(blob), rewind_(std::move(rewind)), on_bytes_(std::move(on_bytes)),
          below_(&rewind_()), hash_(std::in_place) {}

    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

    /// The next bytes are those from `offset` on.
    void go_to(std::uint64_t offset) {
        if (offset == size_) {
            return;
        }
        if (offset != 0) {
            throw remote_error(fmt::format(
                "the registry sent blob {} from byte {} on, not from {}",
                blob_.digest.to_string(),
                offset,
                size_));
        }
        count(-static_cast<std::int64_t>(size_));
        size_ = 0;
        hash_.emplace();
        below_ = &rewind_();
    }

    void write(Bytes bytes) override {
        size_ += bytes.size();
        if (size_ > blob_.size) {
            throw remote_error(fmt::format(
                "blob {} is larger than the {} bytes in its manifest",
                blob_.digest.to_string(),
                blob_.size));
        }
        hash_->update(bytes);
        below_->write(bytes);
        count(static_cast<std::int64_t>(bytes.size()));
    }

    void finish() override {
        const Digest found = hash_->finish();
        if (size_ != blob_.size || found != blob_.digest) {
            throw remote_error(fmt::format(
                "checksum mismatch: the registry sent {} bytes with digest {} for blob {} of {} "
                "bytes",
                size_,
                found.to_string(),
                blob_.digest.to_string(),
                blob_.size));
        }
        below_->finish();
    }

  private:
    void count(std::int64_t bytes) const {
        if (on_bytes_) {
            on_bytes_(bytes);
        }
    }

    const OciDescriptor& blob_;
    std::function<Sink&()> rewind_;
    std::function<void(std::int64_t)> on_bytes_;
    Sink* below_;
    std::optional<Sha256> hash_;
    std::uint64_t size_ = 0;
};

namespace {

/// What a blob may be said to have: above any image that is shipped, below what fills a disk.
constexpr std::uint64_t kLargestBlob = std::uint64_t{64} << 30U;

void require_size(const OciDescriptor& blob, std::uint64_t most) {
    if (blob.size > most) {
        throw remote_error(fmt::format(
            "blob {} of {} bytes is larger than the {} allowed",
            blob.digest.to_string(),
            blob.size,
            format_size(most)));
    }
}

std::string accepted(ManifestKind kind) {
    std::string out(media_type::kManifest);
    if (kind == ManifestKind::any) {
        for (const auto type :
             {media_type::kIndex, media_type::kDockerManifest, media_type::kDockerList}) {
            out += ", " + std::string(type);
        }
    }
    return out;
}

/// Where a list goes on: the URL of `Link: <URL>; rel="next"`.
std::string next_link(const HttpResponse& response) {
    const std::string_view link = response.header("link").value_or("");
    const std::size_t end = link.find('>');
    if (!link.starts_with('<') || end == std::string_view::npos ||
        link.find("rel=\"next\"", end) == std::string_view::npos) {
        return {};
    }
    return std::string(link.substr(1, end - 1));
}

} // namespace

std::optional<RegistryManifest>
RegistryClient::manifest(const std::string& reference, ManifestKind kind) {
    HttpRequest request = this->request("manifests/" + reference);
    request.headers.push_back({"Accept", accepted(kind)});
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
    require_digest(
        repository_.host, fmt::format("manifest '{}'", reference), answer.response, out.digest);
    return out;
}

void RegistryClient::fetch(const OciDescriptor& blob, VerifyingSink& sink) {
    HttpRequest request = this->request("blobs/" + blob.digest.to_string());
    // 0 would mean "not known", and give a registry an hour to send nothing.
    request.expected_size = std::max<std::uint64_t>(blob.size, 1);
    request.on_response = [&](const HttpResponse& response) { sink.go_to(response.body_offset); };
    const HttpResponse response = with_retries(retry_, [&] {
        if (blob.size > 0 && sink.size() == blob.size) {
            HttpResponse whole; // only the end of the last transfer was lost
            whole.status = 200;
            return whole;
        }
        request.offset = sink.size();
        return send(request, [&]() -> Sink& { return sink; }, Repeat::no);
    });
    if (response.status != 200 && response.status != 206) {
        throw refused(fmt::format("did not return blob {}", blob.digest.to_string()), response);
    }
    sink.finish();
}

void RegistryClient::fetch_blob(
    const OciDescriptor& blob,
    const fs::path& file,
    const std::function<void(std::int64_t)>& on_bytes) {
    require_size(blob, kLargestBlob);
    const std::uintmax_t room = fs::space(file.parent_path()).available;
    if (blob.size > room) {
        throw Error(fmt::format(
            "blob {} of {} does not fit into '{}', which has {} left",
            blob.digest.to_string(),
            format_size(blob.size),
            file.parent_path().string(),
            format_size(room)));
    }
    std::optional<AtomicFile> target;
    VerifyingSink sink(blob, [&]() -> Sink& { return target.emplace(file); }, on_bytes);
    fetch(blob, sink);
    target->commit();
}

std::string RegistryClient::fetch_text(const OciDescriptor& blob) {
    require_size(blob, kLargestAnswer);
    std::optional<AnswerSink> text;
    VerifyingSink sink(blob, [&]() -> Sink& { return text.emplace(); }, {});
    fetch(blob, sink);
    return text->text();
}

std::string RegistryClient::referrers_page(const Digest& subject, std::string& next) {
    HttpRequest request =
        next.empty() ? this->request("referrers/" + subject.to_string()) : request_for(next);
    request.headers.push_back({"Accept", std::string(media_type::kIndex)});
    next.clear();
    const std::string asked = request.url;
    const Answer answer = send(std::move(request));
    const std::string_view type = answer.response.header("content-type").value_or("");
    // Whoever does not know the request answers 404, or with a page for people.
    if (answer.response.status != 200 || !type.starts_with(media_type::kIndex)) {
        return {};
    }
    if (const std::string link = next_link(answer.response); !link.empty()) {
        const auto from = Url::parse(asked);
        KILN_CHECK(from);
        const Url url = follow_reference(HttpPurpose::registry, *from, link);
        next = is_ours(url.text()) ? url.text() : std::string();
    }
    return answer.body;
}

} // namespace kiln
