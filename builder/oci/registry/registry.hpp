// SPDX-License-Identifier: MIT
//
// A client of container registries: OCI distribution-spec 1.1, with the authentication of Docker's
// registries (Basic, and Bearer tokens). Moves blobs and manifests by digest and knows nothing of
// what they mean.
#pragma once

#include "base/http/http.hpp"
#include "base/http/url.hpp"
#include "base/io/digest.hpp"
#include "base/io/file.hpp"
#include "oci/oci_model.hpp"
#include "oci/registry/registry_credentials.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

/// "HOST[:PORT]/NAME[/NAME...]", without tag and digest.
struct RegistryRepository {
    std::string host; ///< with the port, if one is given
    std::string name;

    [[nodiscard]] std::string to_string() const { return host + "/" + name; }
};

/// "HOST[:PORT]/NAME[:TAG][@sha256:DIGEST]".
struct RegistryReference {
    RegistryRepository repository;
    std::string tag; ///< empty: none
    std::optional<Digest> digest;
};

/// Throws UsageError that says what is wrong with the text.
[[nodiscard]] RegistryReference parse_registry_reference(std::string_view text);

/// The registry answered with a status that means no. Exit code 5.
class RegistryRefusal : public ErrorOfKind<RegistryRefusal> {
  public:
    RegistryRefusal(std::string message, int status)
        : ErrorOfKind(std::move(message), ExitCode::remote_refused), status_(status) {}

    [[nodiscard]] int status() const noexcept { return status_; }

  private:
    int status_;
};

struct RegistryManifest {
    std::string text;
    Digest digest; ///< of the text
};

/// What may come for a reference.
enum class ManifestKind {
    image, ///< of one image or artifact
    any,   ///< also an index, and Docker's forms of both
};

struct PushedManifest {
    Digest digest;
    /// The registry lists the manifest as a referrer of its subject (OCI-Subject).
    bool subject_is_indexed = false;
    std::vector<std::string> warnings; ///< of the registry, for people
};

enum class BlobOutcome { was_there, mounted, uploaded };

using OpenSource = std::function<std::unique_ptr<Source>()>;

struct BlobUpload {
    /// Repositories of the same registry from which it may take the blob.
    std::vector<std::string> mount_from = {};
    /// The registry is asked whether it has the blob before it is sent.
    bool ask_first = true;
    /// Bytes of one request; 0: the blob goes as one, in chunks only when the registry finds it too
    /// large (status 413).
    std::uint64_t chunk_bytes = 0;
    /// Called with bytes that were sent; less than 0 when they have to be sent again.
    std::function<void(std::int64_t)> on_bytes = {};
};

class RegistryLogin;
class UploadSource;
class VerifyingSink;

/// Every method throws Error with exit code 5 when the registry refuses or is none, in its own
/// words where it has any, and TransferError when it cannot be reached. All may be called from
/// several threads.
class RegistryClient {
  public:
    /// `http` must outlive this. A registry on this machine (Url::is_loopback()) is also spoken to
    /// without TLS, when it does not speak it; others never. `credentials` go to the registry's own
    /// origin and to the token server that it names, to no redirect and no upload location
    /// elsewhere.
    RegistryClient(
        HttpClient& http,
        RegistryRepository repository,
        std::optional<RegistryCredentials> credentials,
        RetryPolicy retry = {});
    RegistryClient(RegistryClient&& other) noexcept;
    RegistryClient(const RegistryClient&) = delete;
    RegistryClient& operator=(const RegistryClient&) = delete;
    RegistryClient& operator=(RegistryClient&&) = delete;
    ~RegistryClient();

    [[nodiscard]] const RegistryRepository& repository() const noexcept { return repository_; }

    /// Asks for tokens with which blobs can be pushed here and mounted from those repositories.
    void want_push(const std::vector<std::string>& mount_from = {});

    /// By tag or digest ("sha256:..."); nothing when there is none. What comes for a digest has
    /// that digest.
    [[nodiscard]] std::optional<RegistryManifest>
    manifest(const std::string& reference, ManifestKind kind = ManifestKind::image);
    /// Writes a blob to a new file; it has the size and the digest that the descriptor says. A
    /// transfer that breaks off goes on where it ended. `on_bytes` as in BlobUpload.
    void fetch_blob(
        const OciDescriptor& blob,
        const fs::path& file,
        const std::function<void(std::int64_t)>& on_bytes = {});
    /// The same into memory, for small ones.
    [[nodiscard]] std::string fetch_text(const OciDescriptor& blob);

    [[nodiscard]] bool has_blob(const Digest& digest);
    /// The same, but not for an answer that states another size.
    [[nodiscard]] bool has_blob(const OciDescriptor& blob);
    /// Gets a blob into the registry. `open` may be called more than once.
    BlobOutcome
    push_blob(const OciDescriptor& blob, const OpenSource& open, const BlobUpload& upload = {});
    /// Under a tag or its digest. Throws RegistryRefusal.
    PushedManifest
    push_manifest(const std::string& reference, std::string_view text, std::string_view media_type);

    /// The index that the registry makes of the manifests which name this one as their subject; ""
    /// when it makes none. `next` is where it goes on, at first "".
    [[nodiscard]] std::string referrers_page(const Digest& subject, std::string& next);

  private:
    struct Answer {
        HttpResponse response;
        std::string body;
    };

    /// Whether a request that failed may be sent once more as it is.
    enum class Repeat { no, yes };

    [[nodiscard]] const Url& base();
    [[nodiscard]] Url find_base();
    [[nodiscard]] bool is_registry(const Url& base);
    /// For the registry's own origin, where the login may go.
    [[nodiscard]] bool is_ours(const std::string& url);
    [[nodiscard]] static HttpRequest request_for(std::string url);
    /// GET of a path of the repository.
    [[nodiscard]] HttpRequest request(const std::string& path);
    HttpResponse
    send(HttpRequest request, const std::function<Sink&()>& begin, Repeat repeat = Repeat::yes);
    /// With the body's content from `open`, if it has one.
    Answer send(HttpRequest request, const OpenSource& open = {}, Repeat repeat = Repeat::yes);
    void fetch(const OciDescriptor& blob, VerifyingSink& sink);

    HttpResponse begin_upload(const Digest& digest, const std::string& mount_from);
    [[nodiscard]] static HttpRequest
    upload_request(const std::string& method, const std::string& location, std::uint64_t bytes);
    [[nodiscard]] static std::string
    next_location(const HttpResponse& response, const std::string& asked);
    [[nodiscard]] static std::string closing(const std::string& location, const Digest& digest);
    HttpResponse
    send_whole(const OciDescriptor& blob, UploadSource& content, const std::string& location);
    HttpResponse send_chunks(
        const OciDescriptor& blob,
        UploadSource& content,
        std::string location,
        std::uint64_t chunk);
    [[nodiscard]] std::optional<std::uint64_t> ask_session(std::string& location);

    [[nodiscard]] RegistryRefusal
    refused(const std::string& what, const HttpResponse& response) const;

    HttpClient& http_;
    RegistryRepository repository_;
    std::unique_ptr<RegistryLogin> login_;
    RetryPolicy retry_;
    std::unique_ptr<std::mutex> base_mutex_;
    std::optional<Url> base_; ///< "https://HOST/"; none until the first request
};

} // namespace kiln
