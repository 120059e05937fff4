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
#include "base/process/process.hpp"
#include "oci/oci_model.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

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

struct RegistryCredentials {
    std::string user;
    std::string password;
};

/// KILN_REGISTRY_USER and KILN_REGISTRY_PASSWORD when KILN_REGISTRY_HOST is `host`, else what
/// `docker login` or `podman login` left for the host: $REGISTRY_AUTH_FILE,
/// $DOCKER_CONFIG/config.json, ~/.docker/config.json. Credential helpers are not asked. Throws
/// UsageError when a user is set without a host, since a login must not go to whatever registry a
/// recipe names, and Error when a file cannot be understood.
[[nodiscard]] std::optional<RegistryCredentials>
find_registry_credentials(const std::string& host, const Environment& env);

struct RegistryManifest {
    std::string text;
    Digest digest; ///< of the text
};

class RegistryLogin;

/// Every method throws Error with exit code 5 when the registry refuses or is none, in its own
/// words where it has any, and TransferError when it cannot be reached.
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

    /// By tag or digest ("sha256:..."); nothing when there is none. What comes for a digest has
    /// that digest.
    [[nodiscard]] std::optional<RegistryManifest> manifest(const std::string& reference);
    /// Writes a blob to a new file; it has the size and the digest that the descriptor says.
    void fetch_blob(const OciDescriptor& blob, const fs::path& file);
    /// The same into memory, for small ones.
    [[nodiscard]] std::string fetch_text(const OciDescriptor& blob);

    [[nodiscard]] bool has_blob(const Digest& digest);
    /// Uploads a blob unless the registry has it. `open` may be called more than once.
    void push_blob(const OciDescriptor& blob, const std::function<std::unique_ptr<Source>()>& open);
    /// Under a tag or its digest; returns its digest.
    Digest
    push_manifest(const std::string& reference, std::string_view text, std::string_view media_type);

  private:
    struct Answer {
        HttpResponse response;
        std::string body;
    };

    [[nodiscard]] const Url& base();
    [[nodiscard]] Url find_base();
    [[nodiscard]] bool is_registry(const Url& base);
    /// For the registry's own origin, where the login may go.
    [[nodiscard]] bool is_ours(const std::string& url);
    [[nodiscard]] static HttpRequest request_for(std::string url);
    /// GET of a path of the repository.
    [[nodiscard]] HttpRequest request(const std::string& path);
    HttpResponse send(HttpRequest request, const std::function<Sink&()>& begin);
    Answer send(HttpRequest request);
    void fetch(const OciDescriptor& blob, const std::function<Sink&()>& begin);
    [[nodiscard]] Error refused(const std::string& what, const HttpResponse& response) const;

    HttpClient& http_;
    RegistryRepository repository_;
    std::unique_ptr<RegistryLogin> login_;
    RetryPolicy retry_;
    std::optional<Url> base_; ///< "https://HOST/"; none until the first request
    std::string authorization_;
};

} // namespace kiln
