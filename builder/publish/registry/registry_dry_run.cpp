// SPDX-License-Identifier: MIT
#include "publish/registry/registry_dry_run.hpp"

namespace kiln {

namespace {

/// Where an upload would go on, relative to the URL that began it.
constexpr std::string_view kSession = "UPLOAD";

} // namespace

bool changes_registry(std::string_view method, std::string_view url) {
    return method != "GET" && method != "HEAD" && url.find("/v2/") != std::string_view::npos;
}

std::optional<PretendedAnswer> pretend_registry(const HttpRequest& request) {
    if (!changes_registry(request.method, request.url)) {
        return std::nullopt;
    }
    PretendedAnswer answer;
    const std::string_view url = request.url;
    if (request.method == "POST" && url.find("?mount=") != std::string_view::npos) {
        answer.response.status = 201; // it would have it, there
    } else if (request.method == "POST") {
        answer.response.status = 202;
        answer.response.headers.push_back({"Location", std::string(kSession)});
    } else {
        answer.response.status = request.method == "PATCH" ? 202 : 201;
    }
    return answer;
}

} // namespace kiln
