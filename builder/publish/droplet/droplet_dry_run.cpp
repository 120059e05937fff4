// SPDX-License-Identifier: MIT
#include "publish/droplet/droplet_dry_run.hpp"

#include <nlohmann/json.hpp>

#include <string>

namespace kiln {

namespace {

using Json = nlohmann::ordered_json;

/// The id of the droplet that is not made. DigitalOcean's own have many more digits.
constexpr std::string_view kDropletPath = "/v2/droplets/1";

bool is_about_pretended_droplet(std::string_view url) {
    const std::size_t at = url.find(kDropletPath);
    if (at == std::string_view::npos) {
        return false;
    }
    const std::size_t end = at + kDropletPath.size();
    return end == url.size() || url[end] == '/' || url[end] == '?';
}

Json droplet() {
    const auto address = [](const char* type, const char* text) {
        return Json{{"type", type}, {"ip_address", text}};
    };
    return {
        {"id", 1},
        {"name", "dry-run"},
        {"status", "active"},
        {"networks", {{"v4", {address("public", "192.0.2.1"), address("private", "10.0.0.1")}}}}};
}

Json answer_to(const std::string& url) {
    if (url.find("/v2/droplets") != std::string::npos) {
        return {{"droplet", droplet()}};
    }
    if (url.find("/actions") != std::string::npos) {
        return {{"action", {{"id", 1}, {"status", "completed"}}}};
    }
    if (url.find("/v2/volumes") != std::string::npos) {
        return {{"volume", {{"id", "0"}, {"name", "dry-run"}}}};
    }
    return Json::object();
}

} // namespace

bool is_droplet_request_sent(std::string_view method, std::string_view url) {
    return method == "GET" && !is_about_pretended_droplet(url);
}

std::optional<PretendedAnswer> pretend_droplet(const HttpRequest& request) {
    if (is_droplet_request_sent(request.method, request.url)) {
        return std::nullopt;
    }
    PretendedAnswer answer;
    answer.response.status = 200;
    if (request.method == "DELETE") {
        answer.response.status = 204;
    } else {
        answer.body = answer_to(request.url).dump();
    }
    return answer;
}

} // namespace kiln
