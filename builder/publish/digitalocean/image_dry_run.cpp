// SPDX-License-Identifier: MIT
#include "publish/digitalocean/image_dry_run.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace kiln {

namespace {

using Json = nlohmann::ordered_json;

/// The id of the image that is not made. DigitalOcean's own have eight digits and more.
constexpr std::string_view kImagePath = "/v2/images/1";

bool is_about_pretended_image(std::string_view url) {
    const std::size_t at = url.find(kImagePath);
    if (at == std::string_view::npos) {
        return false;
    }
    const std::size_t end = at + kImagePath.size();
    return end == url.size() || url[end] == '/' || url[end] == '?';
}

} // namespace

bool is_sent_in_dry_run(std::string_view method, std::string_view url) {
    return (method == "GET" || method == "HEAD") && !is_about_pretended_image(url);
}

std::optional<PretendedAnswer> pretend_digitalocean(const HttpRequest& request) {
    if (is_sent_in_dry_run(request.method, request.url)) {
        return std::nullopt;
    }
    PretendedAnswer answer;
    answer.response.status = request.method == "GET" ? 200 : 202;
    if (request.method == "DELETE") {
        answer.response.status = 204;
    } else if (request.url.find("/actions") != std::string::npos) {
        answer.body =
            Json{{"action", {{"id", 1}, {"type", "transfer"}, {"status", "completed"}}}}.dump();
    } else {
        answer.body =
            Json{{"image", {{"id", 1}, {"type", "custom"}, {"status", "available"}}}}.dump();
    }
    return answer;
}

} // namespace kiln
