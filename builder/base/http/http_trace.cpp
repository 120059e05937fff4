// SPDX-License-Identifier: MIT
#include "base/http/http_trace.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <utility>

namespace kiln {

std::string shown_url(std::string_view url, const std::vector<std::string_view>& parameters) {
    std::string out = redact_url(url);
    const std::size_t mark = url.find('?');
    if (mark == std::string_view::npos) {
        return out;
    }
    const std::string_view query = url.substr(mark + 1, url.find('#', mark) - mark - 1);
    char separator = '?';
    for (const std::string& each : split(query, '&')) {
        const std::string_view name = std::string_view(each).substr(0, each.find('='));
        if (std::find(parameters.begin(), parameters.end(), name) == parameters.end()) {
            continue;
        }
        out += separator + printable(each);
        separator = '&';
    }
    return out;
}

TracedHttpClient::TracedHttpClient(
    HttpClient& below, std::vector<std::string_view> parameters, Show show)
    : below_(below), parameters_(std::move(parameters)), show_(std::move(show)) {}

HttpResponse TracedHttpClient::send(const HttpRequest& request, Sink& sink) {
    TracedRequest traced{request.method, shown_url(request.url, parameters_), request.body_size, 0};
    try {
        HttpResponse response = below_.send(request, sink);
        traced.status = response.status;
        show_(traced);
        return response;
    } catch (const TransferError&) {
        show_(traced);
        throw;
    }
}

} // namespace kiln
