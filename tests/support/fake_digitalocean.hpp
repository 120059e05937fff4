// SPDX-License-Identifier: MIT
//
// DigitalOcean's images in memory, behind an HttpClient: imports and transfers take time of a clock
// that only waiting moves, requests can fail or lose their answer, and the process that sends them
// can be killed before or after any of them.
#pragma once

#include "base/http/http.hpp"
#include "base/http/url.hpp"
#include "base/io/stream.hpp"
#include "base/text.hpp"
#include "publish/digitalocean/request_pace.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace kiln::test {

/// What is thrown where a process is killed: no handler of kiln's may do anything about it.
struct Killed {};

/// Counts everything that a process does outside of its memory, and kills it at one of them.
class Killer {
  public:
    static constexpr int kNever = -1;

    void kill_at(int step) {
        left_ = step;
        steps_ = 0;
    }

    void step() {
        ++steps_;
        if (left_ == 0) {
            left_ = kNever;
            throw Killed();
        }
        left_ -= left_ > 0 ? 1 : 0;
    }

    [[nodiscard]] int steps() const { return steps_; }

  private:
    int left_ = kNever;
    int steps_ = 0;
};

class FakeDigitalOcean final : public HttpClient {
  public:
    using Json = nlohmann::ordered_json;
    using milliseconds = std::chrono::milliseconds;

    enum class Fault { none, busy, error, page, reset, lost, refused, try_again };

    struct Image {
        std::uint64_t id = 0;
        Json request;
        milliseconds created{0};
        std::vector<std::string> regions;
        bool is_deleted = false;
    };

    struct Action {
        std::uint64_t id = 0;
        std::uint64_t image = 0;
        std::string region;
        milliseconds created{0};
    };

    explicit FakeDigitalOcean(Killer& killer) : killer_(killer) {}

    [[nodiscard]] PaceClock clock() {
        PaceClock out;
        out.now = [this] { return now; };
        out.wait = [this](milliseconds delay) { now += delay; };
        return out;
    }

    HttpResponse send(const HttpRequest& request, Sink& sink) override {
        killer_.step();
        EXPECT_EQ(request.purpose, HttpPurpose::api);
        now += milliseconds(50);
        std::string body;
        if (request.body != nullptr) {
            MemorySink sent;
            copy(*request.body, sent);
            body = sent.text();
        }
        const std::string line =
            request.method + " " + request.url.substr(request.url.find("/v2/"));
        seen.push_back(line);
        const Fault fault = fault_of ? fault_of(line) : Fault::none;
        switch (fault) {
        case Fault::busy:
            return failure(429, R"({"id":"too_many_requests","message":"slower"})");
        case Fault::error:
            return failure(500, R"({"id":"server_error","message":"oops"})");
        case Fault::page:
            return failure(504, "<html><body>504 Gateway Time-out</body></html>");
        case Fault::refused:
            return failure(422, R"({"id":"unprocessable_entity","message":"no"})");
        case Fault::reset:
            throw TransferError("cannot fetch: connection reset", true);
        default:
            break;
        }
        const auto [status, answer] =
            respond(request.method, line.substr(line.find(' ') + 1), body);
        killer_.step();
        if (fault == Fault::lost) {
            throw TransferError("cannot fetch: the answer was lost", true);
        }
        if (status >= 300) {
            return failure(status, answer.dump());
        }
        HttpResponse response;
        response.status = status;
        response.url = request.url;
        if (status != 204) {
            sink.write_text(answer.dump());
        }
        return response;
    }

    /// Those that were not deleted.
    [[nodiscard]] std::vector<const Image*> living() const {
        std::vector<const Image*> out;
        for (const auto& [id, image] : images) {
            if (!image.is_deleted) {
                out.push_back(&image);
            }
        }
        return out;
    }

    [[nodiscard]] bool is_imported(const Image& image) const {
        return error_message.empty() && now >= image.created + import_time;
    }

    milliseconds now{1'000'000};
    milliseconds import_time{60'000};
    milliseconds transfer_time{120'000};
    std::string error_message;                         ///< of every import
    std::string broken_region;                         ///< to which transfers fail
    std::function<Fault(const std::string&)> fault_of; ///< by "METHOD /PATH"
    std::map<std::uint64_t, Image> images;
    std::vector<Action> actions;
    std::vector<std::string> seen;

  private:
    static HttpResponse failure(int status, std::string body) {
        HttpResponse response;
        response.status = status;
        response.error_body = std::move(body);
        return response;
    }

    [[nodiscard]] Json json_of(const Image& image) const {
        std::string status = "NEW";
        const bool has_failed = !error_message.empty() && now >= image.created + import_time;
        if (image.is_deleted || has_failed) {
            status = "deleted";
        } else if (is_imported(image)) {
            status = "available";
        } else if (now >= image.created + import_time / 2) {
            status = "pending";
        }
        Json regions = is_imported(image) ? Json(image.regions) : Json::array();
        for (const Action& action : actions) {
            if (action.image == image.id && now >= action.created + transfer_time &&
                action.region != broken_region) {
                regions.push_back(action.region);
            }
        }
        return {
            {"id", image.id},
            {"name", image.request.at("name")},
            {"type", "custom"},
            {"status", status},
            {"error_message", has_failed ? error_message : " "},
            {"regions", regions},
            {"tags", image.request.at("tags")}};
    }

    [[nodiscard]] Json json_of(const Action& action) const {
        const bool is_over = now >= action.created + transfer_time;
        return {
            {"id", action.id},
            {"type", "transfer"},
            {"status",
             !is_over                         ? "in-progress"
             : action.region == broken_region ? "errored"
                                              : "completed"},
            {"region_slug", action.region}};
    }

    std::pair<int, Json>
    respond(const std::string& method, const std::string& path, const std::string& body) {
        const std::vector<std::string> words = split(path.substr(0, path.find('?')), '/');
        const Json missing{{"id", "not_found"}, {"message", "not found"}};
        if (words.size() == 3) {
            return method == "POST" ? create(Json::parse(body)) : list(path);
        }
        const auto found = images.find(std::stoull(words.at(3)));
        if (found == images.end()) {
            return {404, missing};
        }
        Image& image = found->second;
        if (words.size() == 4 && method == "DELETE") {
            image.is_deleted = true;
            return {204, {}};
        }
        if (words.size() == 4) {
            return {200, {{"image", json_of(image)}}};
        }
        if (method == "POST") {
            return transfer(image, Json::parse(body).at("region").get<std::string>());
        }
        Json all = Json::array();
        for (const Action& action : actions) {
            if (words.size() == 6 && action.id == std::stoull(words.at(5))) {
                return {200, {{"action", json_of(action)}}};
            }
            if (action.image == image.id) {
                all.push_back(json_of(action));
            }
        }
        return words.size() == 6 ? std::pair(404, missing) : std::pair(200, Json{{"actions", all}});
    }

    std::pair<int, Json> create(Json request) {
        Image image{next_id_++, std::move(request), now, {}, false};
        image.regions = {image.request.at("region").get<std::string>()};
        const Json json = json_of(image);
        images.emplace(image.id, std::move(image));
        return {202, {{"image", json}}};
    }

    std::pair<int, Json> transfer(const Image& image, const std::string& region) {
        if (!is_imported(image)) {
            return {422, {{"id", "unprocessable_entity"}, {"message", "image is not available"}}};
        }
        actions.push_back({next_id_++, image.id, region, now});
        return {201, {{"action", json_of(actions.back())}}};
    }

    [[nodiscard]] std::pair<int, Json> list(const std::string& path) const {
        constexpr std::string_view kTag = "tag_name=";
        const std::size_t at = path.find(kTag);
        const std::string tag =
            at == std::string::npos
                ? ""
                : path.substr(at + kTag.size(), path.find('&', at) - at - kTag.size());
        Json all = Json::array();
        for (const auto& [id, image] : images) {
            const Json json = json_of(image);
            const Json& tags = json.at("tags");
            const bool has_tag = std::find(tags.begin(), tags.end(), tag) != tags.end();
            if (!image.is_deleted && (tag.empty() || has_tag)) {
                all.push_back(json);
            }
        }
        return {
            200, {{"images", all}, {"links", Json::object()}, {"meta", {{"total", all.size()}}}}};
    }

    Killer& killer_;
    std::uint64_t next_id_ = 100;
};

} // namespace kiln::test
