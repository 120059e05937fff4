// SPDX-License-Identifier: MIT
//
// What a command would do to a remote, without doing it: questions are sent, what would change
// something is not and gets an answer made up for it. And the list of all requests that people see.
#pragma once

#include "base/http/http.hpp"
#include "base/http/http_trace.hpp"

#include <nlohmann/json_fwd.hpp>

#include <functional>
#include <iosfwd>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

/// An answer of a remote to which everything is right.
struct PretendedAnswer {
    HttpResponse response;
    std::string body = {};
};

class DryRunHttpClient final : public HttpClient {
  public:
    /// Nothing for a request that is sent. May be called from several threads.
    using Pretend = std::function<std::optional<PretendedAnswer>(const HttpRequest&)>;

    /// `below` must outlive this.
    DryRunHttpClient(HttpClient& below, Pretend pretend)
        : below_(below), pretend_(std::move(pretend)) {}

    HttpResponse send(const HttpRequest& request, Sink& sink) override;

  private:
    HttpClient& below_;
    Pretend pretend_;
};

/// What a dry run shows, in the order of the requests.
class RequestList {
  public:
    /// Whether a request of that method and URL is sent by the dry run.
    using IsSent = std::function<bool(std::string_view method, std::string_view url)>;

    explicit RequestList(IsSent is_sent) : is_sent_(std::move(is_sent)) {}

    void add(const TracedRequest& request);

    /// "GET https://... -> 200", "PUT https://... 1.2 MiB -> not sent".
    void print(std::ostream& out) const;
    [[nodiscard]] nlohmann::ordered_json json() const;

  private:
    IsSent is_sent_;
    std::mutex mutex_;
    std::vector<TracedRequest> requests_;
};

} // namespace kiln
