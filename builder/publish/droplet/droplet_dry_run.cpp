// SPDX-License-Identifier: MIT
#include "publish/droplet/droplet_dry_run.hpp"

#include "base/io/stream.hpp"

#include <nlohmann/json.hpp>

#include <memory>
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

/// The ids of volumes that a droplet is requested with.
Json volumes_in(const HttpRequest& request) {
    MemorySink body;
    copy(*request.body, body);
    return Json::parse(body.text()).value("volumes", Json::array());
}

Json droplet(const Json& volumes) {
    const auto address = [](const char* type, const char* text) {
        return Json{{"type", type}, {"ip_address", text}};
    };
    return {
        {"id", 1},
        {"name", "dry-run"},
        {"status", "active"},
        {"volume_ids", volumes},
        {"networks", {{"v4", {address("public", "192.0.2.1"), address("private", "10.0.0.1")}}}}};
}

Json answer_to(const std::string& url, const Json& volumes) {
    if (url.find("/v2/droplets") != std::string::npos) {
        return {{"droplet", droplet(volumes)}};
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

DryRunHttpClient::Pretend pretend_droplet() {
    const auto volumes = std::make_shared<Json>(Json::array());
    return [volumes](const HttpRequest& request) -> std::optional<PretendedAnswer> {
        if (is_droplet_request_sent(request.method, request.url)) {
            return std::nullopt;
        }
        PretendedAnswer answer;
        answer.response.status = 200;
        if (request.method == "DELETE") {
            answer.response.status = 204;
            return answer;
        }
        if (request.method == "POST" && request.url.ends_with("/v2/droplets")) {
            *volumes = volumes_in(request);
        }
        answer.body = answer_to(request.url, *volumes).dump();
        return answer;
    };
}

} // namespace kiln
