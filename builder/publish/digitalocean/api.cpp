// SPDX-License-Identifier: MIT
#include "publish/digitalocean/api.hpp"

#include "base/http/http_policy.hpp"
#include "base/http/remote_json.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace kiln {

namespace {

using Json = nlohmann::ordered_json;

/// A page of 200 images is about 200 KiB.
constexpr std::uint64_t kLargestAnswer = std::uint64_t{8} << 20U;
/// What the answer may take is bounded by its size, see HttpOptions.
constexpr std::uint64_t kUsualAnswer = std::uint64_t{1} << 20U;
constexpr std::size_t kLongestToken = 4096;
constexpr int kNotFound = 404;
constexpr int kTooManyRequests = 429;

std::string checked_base(const std::string& text) {
    const auto url = Url::parse(text);
    if (!url || url->has_user() || text.find_first_of("?#") != std::string::npos) {
        throw UsageError(fmt::format(
            "'{}' is not a URL of an API (--api-url): expected https://HOST", redact_url(text)));
    }
    try {
        require_allowed(HttpPurpose::api, *url);
    } catch (const TransferError& error) {
        throw UsageError(error.message() + " (--api-url)");
    }
    return text.substr(0, text.find_last_not_of('/') + 1);
}

std::string checked_header(const std::string& token) {
    const bool is_plain =
        std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c <= '~'; });
    if (token.empty() || token.size() > kLongestToken || !is_plain) {
        // The text itself must not be shown, whatever it is.
        throw UsageError("the token for DigitalOcean's API is not valid: expected one line of "
                         "letters, digits and punctuation");
    }
    return "Bearer " + token;
}

struct ApiMessage {
    std::string id;
    std::string text;
};

/// {"id", "message"} or {"error", "messages"}; nothing of what is neither, such as a proxy's page.
ApiMessage message_in(const std::string& body) {
    ApiMessage out;
    const auto text_of = [](const Json& json, const char* key) {
        const auto found = json.find(key);
        return found != json.end() && found->is_string() ? found->get<std::string>()
                                                         : std::string();
    };
    try {
        read_remote_json(body, "the error", [&](const Json& json) {
            if (!json.is_object()) {
                return;
            }
            out = {text_of(json, "id"), text_of(json, "message")};
            if (out.text.empty()) {
                out.text = text_of(json, "error");
            }
            if (const auto all = json.find("messages"); all != json.end() && all->is_array()) {
                constexpr std::size_t kMost = 5;
                for (std::size_t i = 0; i < std::min(all->size(), kMost); ++i) {
                    if (all->at(i).is_string()) {
                        out.text += (out.text.empty() ? "" : "; ") + all->at(i).get<std::string>();
                    }
                }
            }
        });
    } catch (const Error&) {
        return {};
    }
    return out;
}

struct StatusHint {
    int status;
    std::string_view hint;
};

constexpr auto kHints = std::to_array<StatusHint>({
    {401, "the API does not know this token; make one in the control panel under API, Tokens"},
    {403, "the token lacks a scope; docs/publish.md lists the scopes that each command needs"},
    {kTooManyRequests, "the token has reached its limit of requests; try again later"},
});

} // namespace

bool may_work_later(const ApiRefusal& refusal) {
    constexpr int kUnprocessable = 422;
    constexpr std::array kWords{"try again", "pending", "in progress", "currently"};
    // Not in "cannot create the droplet 'pending-1': ", which are kiln's and the user's words.
    const std::string& message = refusal.message();
    std::string text = message.substr(std::min(message.find(": "), message.size()));
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) {
        return static_cast<char>(std::tolower(c));
    });
    return refusal.status() == kUnprocessable &&
           std::any_of(kWords.begin(), kWords.end(), [&](const char* word) {
               return text.find(word) != std::string::npos;
           });
}

RetryPolicy ApiOptions::default_retry() {
    RetryPolicy policy;
    policy.attempts = 6;
    policy.first_delay = std::chrono::seconds(1);
    policy.max_delay = std::chrono::seconds(30);
    return policy;
}

DigitalOceanApi::DigitalOceanApi(HttpClient& http, const std::string& token, ApiOptions options)
    : http_(http), authorization_(checked_header(token)), options_(std::move(options)),
      base_(checked_base(options_.base_url)), pace_(options_.clock) {}

DigitalOceanApi::Answer DigitalOceanApi::send_once(
    std::string_view method, const std::string& url, const std::string& body) {
    pace_.wait_for_turn();
    LimitedSink sink(
        kLargestAnswer,
        remote_error(fmt::format(
            "the response of DigitalOcean's API is larger than {}", format_size(kLargestAnswer))));
    MemorySource source(as_byte_span(body));
    HttpRequest request;
    request.method = method;
    request.url = url;
    request.purpose = HttpPurpose::api;
    request.follow_redirects = false;
    request.expected_size = kUsualAnswer;
    request.headers = {{"Authorization", authorization_}, {"Accept", "application/json"}};
    if (!body.empty()) {
        request.headers.push_back({"Content-Type", "application/json"});
        request.body = &source;
        request.body_size = body.size();
    }
    Answer answer;
    answer.response = http_.send(request, sink);
    answer.body = answer.response.ok() ? sink.take() : answer.response.error_body;
    pace_.observe(answer.response);
    return answer;
}

DigitalOceanApi::Answer
DigitalOceanApi::send(std::string_view method, const std::string& url, const std::string& body) {
    Answer answer;
    answer.response = with_retries(options_.retry, [&] {
        answer = send_once(method, url, body);
        return answer.response;
    });
    return answer;
}

DigitalOceanApi::Answer DigitalOceanApi::send_once_only(
    const std::string& url, const std::string& body, const std::string& what) {
    Answer answer;
    answer.response = with_retries(options_.retry, [&] {
        try {
            answer = send_once("POST", url, body);
        } catch (const TransferError& error) {
            if (!error.transient()) {
                throw;
            }
            throw UnclearOutcome(
                fmt::format("no answer when asked to {}: {}", what, error.message()));
        }
        if (const int status = answer.response.status;
            status != kTooManyRequests && is_transient_status(status)) {
            throw UnclearOutcome(
                fmt::format("no clear answer when asked to {}: status {}", what, status));
        }
        return answer.response;
    });
    return answer;
}

ApiRefusal DigitalOceanApi::refused(const Answer& answer, const std::string& what) const {
    const int status = answer.response.status;
    const ApiMessage message = message_in(answer.body);
    ApiRefusal refusal(
        fmt::format(
            "cannot {}: {} (status {}{})",
            what,
            message.text.empty() ? "DigitalOcean's API gave no reason" : excerpt(message.text),
            status,
            message.id.empty() ? "" : ", " + excerpt(message.id)),
        status,
        message.id);
    for (const StatusHint& hint : kHints) {
        if (hint.status == status) {
            refusal.set_hint_if_empty(std::string(hint.hint));
        }
    }
    return refusal;
}

Json DigitalOceanApi::read(const Answer& answer, const std::string& what) const {
    if (!answer.response.ok()) {
        throw refused(answer, what);
    }
    Json out;
    read_remote_json(
        answer.body,
        fmt::format("the answer of DigitalOcean's API when asked to {}", what),
        [&](const Json& json) {
            if (!json.is_object()) {
                throw Error("expected an object");
            }
            out = json;
        });
    return out;
}

Json DigitalOceanApi::get(const std::string& path, const std::string& what) {
    return read(send("GET", base_ + path, {}), what);
}

std::optional<Json> DigitalOceanApi::find(const std::string& path, const std::string& what) {
    const Answer answer = send("GET", base_ + path, {});
    if (answer.response.status == kNotFound) {
        return std::nullopt;
    }
    return read(answer, what);
}

std::string DigitalOceanApi::next_page(const Json& page, const std::string& url) const {
    const Json* at = &page;
    for (const char* key : {"links", "pages", "next"}) {
        if (!at->is_object() || !at->contains(key)) {
            return {};
        }
        at = &at->at(key);
    }
    if (!at->is_string()) {
        return {};
    }
    const auto here = Url::parse(url);
    const auto next = here->resolve(at->get<std::string>());
    // The token would go wherever the link says.
    if (!next || next->origin() != here->origin() || next->has_user()) {
        throw remote_error(fmt::format(
            "the next page of '{}' is on another server: '{}'",
            redact_url(url),
            redact_url(at->get<std::string>())));
    }
    return next->text() == here->text() ? std::string() : next->text();
}

std::vector<Json>
DigitalOceanApi::list(const std::string& path, const std::string& member, const std::string& what) {
    constexpr const char* kPageSize = "per_page=200";
    std::vector<Json> out;
    std::string url = base_ + path + (path.find('?') == std::string::npos ? "?" : "&") + kPageSize;
    constexpr unsigned kMostPages = 1000;
    for (unsigned pages = 0; !url.empty() && pages < kMostPages; ++pages) {
        const Json page = read(send("GET", url, {}), what);
        const auto items = page.find(member);
        if (items == page.end() || !items->is_array()) {
            throw remote_error(fmt::format(
                "the answer of DigitalOcean's API when asked to {} has no list '{}'",
                what,
                member));
        }
        out.insert(out.end(), items->begin(), items->end());
        if (out.size() > kMostItems) {
            throw remote_error(fmt::format("cannot {}: more than {} items", what, kMostItems));
        }
        url = next_page(page, url);
    }
    return out;
}

Json DigitalOceanApi::post(const std::string& path, const Json& body, const std::string& what) {
    return read(send_once_only(base_ + path, body.dump(), what), what);
}

Json DigitalOceanApi::put(const std::string& path, const Json& body, const std::string& what) {
    return read(send("PUT", base_ + path, body.dump()), what);
}

void DigitalOceanApi::remove(const std::string& path, const std::string& what) {
    const Answer answer = send("DELETE", base_ + path, {});
    if (!answer.response.ok() && answer.response.status != kNotFound) {
        throw refused(answer, what);
    }
}

} // namespace kiln
