// SPDX-License-Identifier: MIT
#include "base/http/http.hpp"
#include "base/http/http_policy.hpp"
#include "base/http/http_transfer.hpp"
#include "base/interrupt.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <mutex>
#include <optional>
#include <utility>

namespace kiln {

namespace {

using Milliseconds = std::chrono::milliseconds;

void init_curl_once() {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

/// Where a redirect leads; nothing when the answer is none.
std::optional<std::string_view>
redirect_of(const HttpRequest& request, const HttpResponse& response) {
    constexpr std::array kRedirects{301, 302, 303, 307, 308};
    const bool is_redirect =
        std::find(kRedirects.begin(), kRedirects.end(), response.status) != kRedirects.end();
    if (!is_redirect || !request.follow_redirects || request.method != "GET") {
        return std::nullopt;
    }
    return response.header("location");
}

/// Counts down over all hops of a request.
class Deadline {
  public:
    explicit Deadline(Milliseconds time) : end_(Clock::now() + time) {}

    /// At least one: 0 would mean for ever to libcurl.
    [[nodiscard]] Milliseconds left() const {
        return std::max(
            std::chrono::duration_cast<Milliseconds>(end_ - Clock::now()), Milliseconds(1));
    }

  private:
    using Clock = std::chrono::steady_clock;
    Clock::time_point end_;
};

} // namespace

/// Handles that are not in use; each keeps its open connections.
struct CurlHttpClient::Idle {
    std::mutex mutex;
    std::vector<CurlHandle> handles;

    CurlHandle take() {
        {
            const std::lock_guard lock(mutex);
            if (!handles.empty()) {
                CurlHandle handle = std::move(handles.back());
                handles.pop_back();
                curl_easy_reset(handle.get());
                return handle;
            }
        }
        CurlHandle handle(curl_easy_init());
        KILN_CHECK(handle != nullptr);
        return handle;
    }

    void give_back(CurlHandle handle) {
        const std::lock_guard lock(mutex);
        handles.push_back(std::move(handle));
    }
};

CurlHttpClient::CurlHttpClient(HttpOptions options)
    : options_(std::move(options)), idle_(std::make_unique<Idle>()) {
    init_curl_once();
}

CurlHttpClient::~CurlHttpClient() = default;

HttpResponse CurlHttpClient::send(const HttpRequest& request, Sink& sink) {
    throw_if_interrupted();
    auto url = Url::parse(request.url);
    if (!url) {
        throw TransferError(fmt::format("'{}' is not a valid URL", redact_url(request.url)), false);
    }
    require_allowed(request.purpose, *url);
    const Deadline deadline(
        time_limit(options_, std::max(request.expected_size, request.body_size)));
    CurlHandle handle = idle_->take();
    Hop hop{std::move(*url), request.headers, deadline.left()};
    for (unsigned hops = 0;; ++hops) {
        HttpResponse response = Transfer(handle.get(), request, hop, sink).run(options_);
        const auto location = redirect_of(request, response);
        if (!location) {
            idle_->give_back(std::move(handle));
            return response;
        }
        if (hops == options_.most_redirects) {
            throw TransferError(
                fmt::format(
                    "cannot fetch '{}': more than {} redirects",
                    redact_url(request.url),
                    options_.most_redirects),
                false,
                ExitCode::remote_refused);
        }
        Url next = follow_reference(request.purpose, hop.url, *location);
        hop = {next, headers_after_hop(hop.headers, hop.url, next), deadline.left()};
        curl_easy_reset(handle.get());
    }
}

} // namespace kiln
