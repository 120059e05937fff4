// SPDX-License-Identifier: MIT
//
// An HttpClient without a network: answers by URL, can cut connections and ignore ranges, and
// remembers what it was asked.
#pragma once

#include "base/http/http.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace kiln::test {

class FakeHttpClient final : public HttpClient {
  public:
    struct Answer {
        int status = 200;
        std::string body = {};
        bool ranges = true; ///< false: a range is ignored and the whole body sent
        int cuts = 0;       ///< so many requests end half-way through what is left
        int busy = 0;       ///< so many requests get status 503 first
        std::vector<HttpHeader> headers = {};
    };

    struct Seen {
        std::string method;
        std::string url;
        std::uint64_t offset = 0;
        std::string body;
        std::vector<HttpHeader> headers;
    };

    /// URLs without an answer get 404.
    void answer(const std::string& url, Answer answer) {
        const std::lock_guard lock(mutex_);
        answers_[url] = std::move(answer);
    }

    [[nodiscard]] std::vector<Seen> seen() const {
        const std::lock_guard lock(mutex_);
        return seen_;
    }

    HttpResponse send(const HttpRequest& request, Sink& sink) override {
        std::string sent;
        if (request.body != nullptr) {
            MemorySink body;
            copy(*request.body, body);
            sent = body.text();
        }
        bool cut = false;
        const Answer answer = take(request, std::move(sent), cut);
        HttpResponse response;
        response.status = answer.status;
        response.headers = answer.headers;
        if (answer.status >= 400) {
            response.error_body = answer.body;
            return response;
        }
        if (request.offset > 0 && answer.ranges && request.offset >= answer.body.size()) {
            response.status = 416;
            return response;
        }
        if (request.offset > 0 && answer.ranges) {
            response.status = 206;
            response.body_offset = request.offset;
        }
        if (request.on_response) {
            request.on_response(response);
        }
        const std::string_view rest = std::string_view(answer.body).substr(response.body_offset);
        sink.write_text(cut ? rest.substr(0, rest.size() / 2) : rest);
        if (cut) {
            throw TransferError(fmt::format("cannot fetch '{}': cut off", request.url), true);
        }
        return response;
    }

  private:
    Answer take(const HttpRequest& request, std::string body, bool& cut) {
        const std::lock_guard lock(mutex_);
        seen_.push_back(
            {request.method, request.url, request.offset, std::move(body), request.headers});
        const auto found = answers_.find(request.url);
        if (found == answers_.end()) {
            return {404, "not here"};
        }
        if (found->second.busy > 0) {
            --found->second.busy;
            return {503, "busy"};
        }
        cut = found->second.cuts > 0;
        found->second.cuts -= cut ? 1 : 0;
        return found->second;
    }

    mutable std::mutex mutex_;
    std::map<std::string, Answer> answers_;
    std::vector<Seen> seen_;
};

/// Retries that do not wait; `waits` counts them.
inline RetryPolicy impatient(unsigned attempts = 5, std::vector<int>* waits = nullptr) {
    RetryPolicy policy;
    policy.attempts = attempts;
    policy.random = [] { return 1.0; };
    policy.wait = [waits](std::chrono::milliseconds delay) {
        if (waits != nullptr) {
            waits->push_back(static_cast<int>(delay.count()));
        }
    };
    return policy;
}

} // namespace kiln::test
