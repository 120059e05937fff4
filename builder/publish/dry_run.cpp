// SPDX-License-Identifier: MIT
#include "publish/dry_run.hpp"

#include "base/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <ostream>

namespace kiln {

namespace {

std::string status_of(const TracedRequest& request) {
    return request.status == 0 ? "failed" : std::to_string(request.status);
}

} // namespace

HttpResponse DryRunHttpClient::send(const HttpRequest& request, Sink& sink) {
    auto answer = pretend_(request);
    if (!answer) {
        return below_.send(request, sink);
    }
    answer->response.url = request.url;
    if (request.on_response) {
        request.on_response(answer->response);
    }
    if (!answer->body.empty()) {
        sink.write_text(answer->body);
    }
    return std::move(answer->response);
}

void RequestList::add(const TracedRequest& request) {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
}

void RequestList::print(std::ostream& out) const {
    for (const TracedRequest& request : requests_) {
        const std::string bytes =
            request.sent == 0 ? std::string() : " " + format_size(request.sent);
        out << fmt::format(
            "{} {}{} -> {}\n",
            request.method,
            request.url,
            bytes,
            is_sent_(request.method, request.url) ? status_of(request) : "not sent");
    }
}

nlohmann::ordered_json RequestList::json() const {
    nlohmann::ordered_json out = nlohmann::ordered_json::array();
    for (const TracedRequest& request : requests_) {
        const bool is_sent = is_sent_(request.method, request.url);
        out.push_back(
            {{"method", request.method},
             {"url", request.url},
             {"bytes", request.sent},
             {"sent", is_sent},
             {"status", is_sent ? nlohmann::ordered_json(request.status) : nullptr}});
    }
    return out;
}

} // namespace kiln
