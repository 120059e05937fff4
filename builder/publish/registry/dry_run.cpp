// SPDX-License-Identifier: MIT
#include "publish/registry/dry_run.hpp"

#include <string_view>

namespace kiln {

namespace {

/// Where an upload would go on, relative to the URL that began it.
constexpr std::string_view kSession = "UPLOAD";

} // namespace

bool changes_registry(std::string_view method, std::string_view url) {
    return method != "GET" && method != "HEAD" && url.find("/v2/") != std::string_view::npos;
}

HttpResponse DryRunHttpClient::send(const HttpRequest& request, Sink& sink) {
    if (!changes_registry(request.method, request.url)) {
        return below_.send(request, sink);
    }
    HttpResponse response;
    response.url = request.url;
    const std::string_view url = request.url;
    if (request.method == "POST" && url.find("?mount=") != std::string_view::npos) {
        response.status = 201; // it would have it, there
    } else if (request.method == "POST") {
        response.status = 202;
        response.headers.push_back({"Location", std::string(kSession)});
    } else {
        response.status = request.method == "PATCH" ? 202 : 201;
    }
    if (request.on_response) {
        request.on_response(response);
    }
    return response;
}

} // namespace kiln
