// SPDX-License-Identifier: MIT
#include "base/http/http.hpp"

#include "base/interrupt.hpp"
#include "base/text.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <ctime>
#include <random>
#include <thread>

namespace kiln {

namespace {

bool same_name(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
        return std::tolower(x) == std::tolower(y);
    });
}

void wait_interruptibly(std::chrono::milliseconds delay) {
    constexpr std::chrono::milliseconds kSlice{50};
    for (auto left = delay; left.count() > 0; left -= kSlice) {
        throw_if_interrupted();
        std::this_thread::sleep_for(std::min(left, kSlice));
    }
}

/// Retry-After: seconds, or a date.
std::optional<std::chrono::milliseconds> retry_after(const HttpResponse& response) {
    const auto value = response.header("retry-after");
    if (!value) {
        return std::nullopt;
    }
    constexpr std::uint64_t kLongest = 3600;
    if (const auto seconds = parse_unsigned(*value)) {
        return std::chrono::seconds(std::min(*seconds, kLongest));
    }
    const std::time_t date = curl_getdate(std::string(*value).c_str(), nullptr);
    const std::time_t now = std::time(nullptr);
    if (date < now) { // -1: not a date
        return std::nullopt;
    }
    return std::chrono::seconds(std::min(static_cast<std::uint64_t>(date - now), kLongest));
}

double draw() {
    thread_local std::minstd_rand engine{std::random_device{}()};
    return std::uniform_real_distribution<double>(0.0, 1.0)(engine);
}

} // namespace

std::optional<std::string_view> HttpResponse::header(std::string_view name) const {
    const auto found = std::find_if(headers.rbegin(), headers.rend(), [&](const HttpHeader& each) {
        return same_name(each.name, name);
    });
    if (found == headers.rend()) {
        return std::nullopt;
    }
    return found->value;
}

RetryPolicy::RetryPolicy() : wait(wait_interruptibly), random(draw) {}

bool is_transient_status(int status) noexcept {
    constexpr std::array kTransient{408, 429, 500, 502, 503, 504};
    return std::find(kTransient.begin(), kTransient.end(), status) != kTransient.end();
}

HttpResponse with_retries(const RetryPolicy& policy, const std::function<HttpResponse()>& attempt) {
    auto delay = policy.first_delay;
    for (unsigned left = std::max(policy.attempts, 1U);; --left) {
        std::optional<std::chrono::milliseconds> wanted;
        try {
            HttpResponse response = attempt();
            if (left == 1 || !is_transient_status(response.status)) {
                return response;
            }
            wanted = retry_after(response);
        } catch (const TransferError& error) {
            if (left == 1 || !error.transient()) {
                throw;
            }
        }
        const auto drawn = std::chrono::milliseconds(
            static_cast<std::int64_t>(static_cast<double>(delay.count()) * policy.random()));
        policy.wait(std::max(drawn, std::min(wanted.value_or(drawn), policy.max_retry_after)));
        delay = std::min(2 * delay, policy.max_delay);
    }
}

std::string http_get_text(
    HttpClient& client, const std::string& url, std::uint64_t limit, const RetryPolicy& policy) {
    LimitedSink sink(
        limit, Error(fmt::format("'{}' is larger than {}", redact_url(url), format_size(limit))));
    const HttpResponse response = with_retries(policy, [&] {
        sink.clear();
        HttpRequest request;
        request.url = url;
        request.purpose = HttpPurpose::user_url;
        return client.send(request, sink);
    });
    if (response.status != 200) {
        throw Error(fmt::format("cannot fetch '{}': status {}", redact_url(url), response.status));
    }
    return sink.take();
}

std::string redact_url(std::string_view url) {
    constexpr std::size_t kLongestUrl = 500;
    std::string out(url.substr(0, url.find_first_of("?#")));
    const std::size_t scheme = out.find("://");
    if (scheme == std::string::npos) {
        return printable(out, kLongestUrl);
    }
    const std::size_t begin = scheme + 3;
    const std::size_t end = std::min(out.find('/', begin), out.size());
    const std::size_t at = out.rfind('@', end);
    if (at != std::string::npos && at >= begin && at < end) {
        out.replace(begin, at - begin, "***");
    }
    return printable(out, kLongestUrl);
}

} // namespace kiln
