// SPDX-License-Identifier: MIT
//
// DigitalOcean's API, version 2 (https://docs.digitalocean.com/reference/api/): requests with JSON,
// repeated only where that is safe, and what its errors say. Knows nothing of images and droplets.
#pragma once

#include "base/error.hpp"
#include "base/http/http.hpp"
#include "publish/digitalocean/request_pace.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

inline constexpr std::string_view kDigitalOceanApi = "https://api.digitalocean.com";

/// The API answered, and the answer is no (exit code 5).
class ApiRefusal : public ErrorOfKind<ApiRefusal> {
  public:
    ApiRefusal(std::string message, int status, std::string id)
        : ErrorOfKind(std::move(message), ExitCode::remote_refused), status_(status),
          id_(std::move(id)) {}

    [[nodiscard]] int status() const noexcept { return status_; }

    /// The API's word for the error, such as "not_found"; may be empty.
    [[nodiscard]] const std::string& id() const noexcept { return id_; }

  private:
    int status_;
    std::string id_;
};

/// The API does one thing to an image, a droplet or a volume at a time, and says so with status 422
/// and in words only: "try again", "pending event". The same request may be taken later.
[[nodiscard]] bool may_work_later(const ApiRefusal& refusal);

/// A request that changes something may have had its effect or not: the answer was lost, or came
/// from something between kiln and the API. Whoever sent it has to look.
class UnclearOutcome : public ErrorOfKind<UnclearOutcome> {
  public:
    using ErrorOfKind::ErrorOfKind;
};

struct ApiOptions {
    std::string base_url = std::string(kDigitalOceanApi);
    /// Of requests that may be repeated: 6 tries, 1 to 30 s apart.
    RetryPolicy retry = default_retry();
    PaceClock clock = {};

    [[nodiscard]] static RetryPolicy default_retry();
};

/// Safe to use from several threads.
class DigitalOceanApi {
  public:
    using Json = nlohmann::ordered_json;

    /// `http` must outlive this. The token is sent to the base URL's origin and nowhere else.
    /// Throws UsageError unless that is an https: URL, or http: on this machine, without login and
    /// query.
    DigitalOceanApi(HttpClient& http, const std::string& token, ApiOptions options = {});

    /// `path` begins with "/v2/"; `what` completes "cannot ..." in messages. Throws ApiRefusal,
    /// TransferError, Error (exit code 5) for answers that are not what the specification says.
    [[nodiscard]] Json get(const std::string& path, const std::string& what);
    /// The same; nothing for status 404.
    [[nodiscard]] std::optional<Json> find(const std::string& path, const std::string& what);
    /// All items of the list `member`, over all pages. `path` has a query or none. Throws also when
    /// there are more than kMostItems, or a page is on another server.
    [[nodiscard]] std::vector<Json>
    list(const std::string& path, const std::string& member, const std::string& what);
    /// Not repeated but for 429, with which the API says that it did nothing. Throws UnclearOutcome
    /// when it may have had its effect all the same.
    [[nodiscard]] Json post(const std::string& path, const Json& body, const std::string& what);
    /// As get(): putting the same twice is putting it once.
    [[nodiscard]] Json put(const std::string& path, const Json& body, const std::string& what);
    /// As get(); status 404 is taken as success, for what is gone is removed.
    void remove(const std::string& path, const std::string& what);

    [[nodiscard]] const std::string& base_url() const noexcept { return base_; }

    /// For those who wait for something to happen.
    [[nodiscard]] const PaceClock& clock() const noexcept { return options_.clock; }

    static constexpr std::size_t kMostItems = 20'000;

  private:
    struct Answer {
        HttpResponse response;
        std::string body;
    };

    Answer send_once(std::string_view method, const std::string& url, const std::string& body);
    Answer send(std::string_view method, const std::string& url, const std::string& body);
    Answer send_once_only(const std::string& url, const std::string& body, const std::string& what);
    [[nodiscard]] Json read(const Answer& answer, const std::string& what) const;
    [[nodiscard]] ApiRefusal refused(const Answer& answer, const std::string& what) const;
    [[nodiscard]] std::string next_page(const Json& page, const std::string& url) const;

    HttpClient& http_;
    std::string authorization_;
    ApiOptions options_;
    std::string base_;
    RequestPace pace_;
};

} // namespace kiln
