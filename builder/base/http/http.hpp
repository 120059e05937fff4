// SPDX-License-Identifier: MIT
//
// HTTP as an interface, and libcurl behind it: one request, streamed, with resume, limits on
// time, headers and redirects, and a bounded number of retries. A request says what it is for, and
// that decides where it may go (base/http/http_policy.hpp). Knows nothing of pools, mirrors or
// APIs.
#pragma once

#include "base/error.hpp"
#include "base/http/url.hpp"
#include "base/io/stream.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

struct HttpHeader {
    std::string name;
    std::string value;
    bool operator==(const HttpHeader&) const = default;
};

/// What a request is for: which protocols it and its redirects may use, and whose proxy. No
/// redirect leads to a file: or from https: to http:, whatever the purpose.
enum class HttpPurpose {
    web,        ///< http: and https:
    user_url,   ///< a URL that the user named: file: as well
    apt_mirror, ///< the same, by way of the proxies of apt's configuration
    registry,   ///< https:, and http: on this machine
    api,        ///< a cloud's API: the same, and never anywhere else
    local,      ///< a server on this machine, never by way of a proxy
};

/// What came back. Statuses of 300 and above are answers, not exceptions. file: URLs answer 200 or
/// 404.
struct HttpResponse {
    int status = 0;
    /// Of the last answer in a chain of redirects, and where that came from.
    std::vector<HttpHeader> headers;
    std::string url;
    /// Where in the resource the body begins: the requested offset for status 206, else 0.
    std::uint64_t body_offset = 0;
    /// The body of an answer of 300 and above, at most 64 KiB of it; the sink gets nothing then.
    std::string error_body;

    [[nodiscard]] bool ok() const noexcept { return status >= 200 && status < 300; }

    /// The last header of that name, in any letter case.
    [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
};

struct HttpRequest {
    std::string method = "GET";
    std::string url;
    HttpPurpose purpose = HttpPurpose::web;
    std::vector<HttpHeader> headers = {}; ///< of them only Accept reaches another origin
    std::uint64_t offset = 0;             ///< first byte wanted; more than 0 sends a Range header
    /// Bytes of the answer, which may take as long as that many need; 0: not known.
    std::uint64_t expected_size = 0;
    Source* body = nullptr; ///< not owned; sent with `body_size` as its length
    std::uint64_t body_size = 0;
    bool follow_redirects = true; ///< of GET
    /// Called once before the first byte of a body that goes to the sink (look at body_offset: a
    /// server may ignore a range).
    std::function<void(const HttpResponse&)> on_response = {};
};

/// The transfer itself failed: no connection, cut off, stalled. With exit code 5: the server did
/// what no server may, such as a redirect to a file or headers without end.
class TransferError : public ErrorOfKind<TransferError> {
  public:
    TransferError(std::string message, bool transient, ExitCode code = ExitCode::failed)
        : ErrorOfKind(std::move(message), code), transient_(transient) {}

    /// Trying again may help.
    [[nodiscard]] bool transient() const noexcept { return transient_; }

  private:
    bool transient_;
};

class HttpClient {
  public:
    HttpClient() = default;
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;
    virtual ~HttpClient() = default;

    /// One request, without retries; follows redirects of GET. The body of an answer below 300 goes
    /// to `sink` (which is not finished). Throws TransferError, Interrupted, or what the sink
    /// throws. Safe to call from several threads.
    virtual HttpResponse send(const HttpRequest& request, Sink& sink) = 0;
};

struct HttpOptions {
    std::string user_agent; ///< empty: "kiln/VERSION"
    /// The URL of the proxy for a request, empty for none; null: never one. Not asked for this
    /// machine. libcurl itself does not look at the environment.
    std::function<std::string(HttpPurpose, const Url&)> proxy;
    std::string no_proxy; ///< hosts that are reached directly, in the form of the variable no_proxy
    /// File with the certificates that servers are checked against, in PEM form; empty: libcurl's.
    std::string ca_file;
    /// Whoever answers is believed; only for servers that were just started, here or in a cloud,
    /// and for requests that tell them nothing.
    bool any_certificate = false;
    std::chrono::seconds connect_timeout{15}; ///< names, proxies and TLS included
    /// A transfer slower than this for that long counts as stalled.
    std::uint64_t stall_bytes_per_second = 1024;
    std::chrono::seconds stall_timeout{60};
    /// A whole request may take its size at this rate and the time beside it.
    std::uint64_t slowest_rate = std::uint64_t{64} << 10U; ///< bytes per second
    std::chrono::milliseconds time_beside_size = std::chrono::minutes(10);
    std::chrono::milliseconds time_without_size = std::chrono::hours(1);
    unsigned most_redirects = 5;
    /// Of one answer, those of interim answers (1xx) included.
    std::size_t most_headers = 256;
    std::size_t most_header_bytes = std::size_t{256} << 10U;
};

/// libcurl; connections are kept and used again.
class CurlHttpClient final : public HttpClient {
  public:
    explicit CurlHttpClient(HttpOptions options = {});
    ~CurlHttpClient() override;
    HttpResponse send(const HttpRequest& request, Sink& sink) override;

  private:
    struct Idle;
    HttpOptions options_;
    std::unique_ptr<Idle> idle_;
};

/// Exponential backoff with full jitter: each wait is drawn from [0, delay), and the delay doubles.
struct RetryPolicy {
    unsigned attempts = 5;                              ///< in all, the first included
    std::chrono::milliseconds first_delay{500};         ///< doubled each time
    std::chrono::milliseconds max_delay{20'000};        ///< bounds the doubling
    std::chrono::milliseconds max_retry_after{120'000}; ///< of what Retry-After may ask for
    /// Waits; throws Interrupted. Replaceable so that tests need not wait.
    std::function<void(std::chrono::milliseconds)> wait;
    /// The part of a delay that is waited, from 0 to 1. Safe to call from several threads.
    std::function<double()> random;

    RetryPolicy();
};

/// 408, 429, 500, 502, 503, 504.
[[nodiscard]] bool is_transient_status(int status) noexcept;

/// Calls `attempt` until it answers with something else than a transient status or fails for good.
/// Returns the last answer or throws the last TransferError. `attempt` must be able to run again.
/// A Retry-After (seconds or a date) is waited for, up to the policy's limit.
HttpResponse with_retries(const RetryPolicy& policy, const std::function<HttpResponse()>& attempt);

/// GET of something small into memory, with retries. Throws Error "cannot fetch 'URL': ..." unless
/// the status is 200; never takes more than `limit` bytes. The URL is one that the user named.
[[nodiscard]] std::string http_get_text(
    HttpClient& client,
    const std::string& url,
    std::uint64_t limit,
    const RetryPolicy& policy = {});

/// A URL for messages: user name and password replaced by '***', query cut off, printable.
[[nodiscard]] std::string redact_url(std::string_view url);

} // namespace kiln
