// SPDX-License-Identifier: MIT
//
// Shows every request of a client and what became of it, without anything secret: no headers, no
// body, of the query only what the caller allows.
#pragma once

#include "base/http/http.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

/// A request that was answered or failed; may be shown to anybody.
struct TracedRequest {
    std::string method;
    std::string url;        ///< without login; of its query only the allowed parameters
    std::uint64_t sent = 0; ///< bytes of the body
    int status = 0;         ///< 0: the transfer failed
};

/// A URL for people: login replaced by '***', and of the query the parameters that are named. The
/// others may hold what an upload location or a signed URL is protected by.
[[nodiscard]] std::string
shown_url(std::string_view url, const std::vector<std::string_view>& parameters);

class TracedHttpClient final : public HttpClient {
  public:
    using Show = std::function<void(const TracedRequest&)>;

    /// `below` must outlive this. `show` may be called from several threads, one at a time for each
    /// of them. `parameters` are the names that a query may show.
    TracedHttpClient(HttpClient& below, std::vector<std::string_view> parameters, Show show);
    HttpResponse send(const HttpRequest& request, Sink& sink) override;

  private:
    HttpClient& below_;
    std::vector<std::string_view> parameters_;
    Show show_;
};

} // namespace kiln
