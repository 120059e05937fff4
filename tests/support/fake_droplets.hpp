// SPDX-License-Identifier: MIT
//
// An account of DigitalOcean in memory, as far as droplets need it, behind an HttpClient: droplets
// become active by a clock that only waiting moves, requests can fail or lose their answer, and the
// process that sends them can be killed before or after any of them.
#pragma once

#include "base/http/http.hpp"
#include "base/io/stream.hpp"
#include "base/text.hpp"
#include "publish/digitalocean/request_pace.hpp"
#include "support/fake_digitalocean.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace kiln::test {

class FakeDroplets final : public HttpClient {
  public:
    using Json = nlohmann::ordered_json;
    using milliseconds = std::chrono::milliseconds;
    using Fault = FakeDigitalOcean::Fault;
    using Answer = std::pair<int, Json>;

    struct Droplet {
        Json request;
        milliseconds created{0};
    };

    explicit FakeDroplets(Killer& killer) : killer_(killer) {
        images[7] = image("pause", {"nyc3", "ams3"}, "2026-11-01T00:00:00Z");
        keys = {key(11, "laptop", "aa:01"), key(12, "office", "aa:02"), key(13, "office", "aa:03")};
        records[1] = record("A", "www", "198.51.100.1");
        records[2] = record("NS", "@", "ns1.digitalocean.com");
    }

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
        const std::string path = request.url.substr(request.url.find("/v2/"));
        const std::string line = request.method + " " + path;
        seen.push_back(line);
        const Fault fault = fault_of ? fault_of(line) : Fault::none;
        if (fault == Fault::reset) {
            throw TransferError("cannot fetch: connection reset", true);
        }
        if (fault != Fault::none && fault != Fault::lost) {
            return faulty(fault);
        }
        const auto [status, answer] = respond(request.method, path, body);
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

    [[nodiscard]] std::vector<std::string> addresses_of(const std::string& name) const {
        std::vector<std::string> out;
        for (const auto& [id, each] : records) {
            if (each.at("type") == "A" && each.at("name") == name) {
                out.push_back(each.at("data").get<std::string>());
            }
        }
        return out;
    }

    [[nodiscard]] std::vector<std::uint64_t> droplets_of(const std::string& volume) const {
        std::vector<std::uint64_t> out;
        for (const auto& [id, droplet] : droplets) {
            const Json& ids = droplet.request.value("volumes", Json::array());
            if (std::find(ids.begin(), ids.end(), volume) != ids.end()) {
                out.push_back(id);
            }
        }
        return out;
    }

    [[nodiscard]] std::size_t count(const std::string& line) const {
        return static_cast<std::size_t>(std::count(seen.begin(), seen.end(), line));
    }

    [[nodiscard]] static std::string address_of(std::uint64_t id) {
        return fmt::format("203.0.113.{}", id % 256);
    }

    static Json record(const char* type, const char* name, const char* data) {
        return {{"type", type}, {"name", name}, {"data", data}, {"ttl", 1800}};
    }

    static Json image(const char* name, const std::vector<std::string>& where, const char* time) {
        return {
            {"name", name},
            {"type", "custom"},
            {"status", "available"},
            {"error_message", " "},
            {"created_at", time},
            {"regions", where},
            {"tags", {"kiln"}},
            {"min_disk_size", 4}};
    }

    milliseconds now{1'000'000};
    milliseconds boot_time{20'000};
    bool has_errored = false;                          ///< every create
    std::function<Fault(const std::string&)> fault_of; ///< by "METHOD /PATH"
    std::map<std::uint64_t, Droplet> droplets;
    std::map<std::string, Json> volumes;
    std::map<std::uint64_t, Json> records; ///< of example.org
    std::map<std::uint64_t, Json> images;
    std::vector<Json> keys;
    std::vector<std::string> assigned;
    std::vector<std::string> seen;

  private:
    static Json key(int id, const char* name, const char* fingerprint) {
        return {{"id", id}, {"name", name}, {"fingerprint", fingerprint}, {"public_key", "k"}};
    }

    static HttpResponse failure(int status, std::string body) {
        HttpResponse response;
        response.status = status;
        response.error_body = std::move(body);
        return response;
    }

    static HttpResponse faulty(Fault fault) {
        switch (fault) {
        case Fault::busy:
            return failure(429, R"({"id":"too_many_requests","message":"slower"})");
        case Fault::error:
            return failure(500, R"({"id":"server_error","message":"oops"})");
        case Fault::page:
            return failure(504, "<html><body>504 Gateway Time-out</body></html>");
        case Fault::try_again:
            return failure(422, R"({"id":"unprocessable_entity","message":"Please try again"})");
        default:
            return failure(422, R"({"id":"unprocessable_entity","message":"no"})");
        }
    }

    [[nodiscard]] static Answer refusal(int status, const char* message) {
        return {status, {{"id", "refused"}, {"message", message}}};
    }

    [[nodiscard]] static Answer page(const char* member, Json items) {
        return {200, {{member, std::move(items)}, {"links", Json::object()}}};
    }

    /// The value of a parameter of the query; empty without it.
    static std::string parameter(const std::string& path, const std::string& name) {
        const std::size_t at = path.find_first_of("?&", 0) == std::string::npos
                                   ? std::string::npos
                                   : path.find(name + "=");
        if (at == std::string::npos || (path.at(at - 1) != '?' && path.at(at - 1) != '&')) {
            return {};
        }
        const std::size_t begin = at + name.size() + 1;
        return path.substr(begin, path.find('&', begin) - begin);
    }

    [[nodiscard]] Json json_of(std::uint64_t id, const Droplet& droplet) const {
        const Json& request = droplet.request;
        const bool is_active = !has_errored && now >= droplet.created + boot_time;
        Json v4 = Json::array({{{"ip_address", "10.0.0.9"}, {"type", "private"}}});
        if (request.value("public_networking", true)) {
            v4.push_back({{"ip_address", address_of(id)}, {"type", "public"}});
        }
        return {
            {"id", id},
            {"name", request.at("name")},
            {"status", is_active ? "active" : "new"},
            {"size_slug", request.at("size")},
            {"created_at", "2026-11-02T00:00:00Z"},
            {"region", {{"slug", request.at("region")}}},
            {"image", {{"id", request.at("image")}}},
            {"tags", request.at("tags")},
            {"volume_ids", request.value("volumes", Json::array())},
            {"networks", {{"v4", is_active ? v4 : Json::array()}, {"v6", Json::array()}}}};
    }

    [[nodiscard]] Json json_of(const std::string& id, Json volume) const {
        volume["id"] = id;
        volume["region"] = {{"slug", volume.at("region")}};
        volume["droplet_ids"] = droplets_of(id);
        return volume;
    }

    Answer respond(const std::string& method, const std::string& path, const std::string& body) {
        const std::vector<std::string> words = split(path.substr(0, path.find('?')), '/');
        const std::string& kind = words.at(2);
        const Json request = body.empty() ? Json() : Json::parse(body);
        if (kind == "regions") {
            const auto region = [](const char* slug) {
                return Json{{"slug", slug}, {"available", true}, {"features", Json::array()}};
            };
            return page("regions", {region("nyc3"), region("ams3"), region("sgp1")});
        }
        if (kind == "sizes") {
            return page(
                "sizes",
                {{{"slug", "s-1vcpu-2gb"},
                  {"disk", 50},
                  {"available", true},
                  {"regions", {"nyc3", "ams3"}}},
                 {{"slug", "tiny"}, {"disk", 2}, {"available", true}, {"regions", {"nyc3"}}}});
        }
        if (kind == "images") {
            return images_answer(words);
        }
        if (kind == "account") {
            return page("ssh_keys", Json(keys));
        }
        if (kind == "projects") {
            return method == "GET" ? page("projects", {{{"id", "p-1"}, {"name", "shop"}}})
                                   : assign(request);
        }
        if (kind == "domains") {
            return domains_answer(method, words, path, request);
        }
        return kind == "volumes" ? volumes_answer(method, words, path, request)
                                 : droplets_answer(method, words, path, request);
    }

    Answer assign(const Json& request) {
        for (const Json& each : request.at("resources")) {
            assigned.push_back(each.get<std::string>());
        }
        return {200, {{"resources", Json::array()}}};
    }

    [[nodiscard]] Answer images_answer(const std::vector<std::string>& words) const {
        const auto with_id = [](std::uint64_t id, Json json) {
            json["id"] = id;
            return json;
        };
        if (words.size() == 3) {
            Json all = Json::array();
            for (const auto& [id, each] : images) {
                all.push_back(with_id(id, each));
            }
            return page("images", all);
        }
        const auto found = images.find(std::stoull(words.at(3)));
        return found == images.end()
                   ? refusal(404, "not found")
                   : Answer{200, {{"image", with_id(found->first, found->second)}}};
    }

    Answer domains_answer(
        const std::string& method,
        const std::vector<std::string>& words,
        const std::string& path,
        const Json& request) {
        if (words.size() == 3) {
            return page("domains", {{{"name", "org"}}, {{"name", "example.org"}}});
        }
        EXPECT_EQ(words.at(4), "records");
        if (words.size() == 6) {
            const std::uint64_t id = std::stoull(words.at(5));
            if (!records.contains(id)) {
                return refusal(404, "not found");
            }
            if (method == "DELETE") {
                records.erase(id);
                return {204, {}};
            }
            records[id] = request;
            return {200, {{"domain_record", request}}};
        }
        if (method == "POST") {
            const std::uint64_t id = next_id_++;
            records[id] = request;
            return {201, {{"domain_record", request}}};
        }
        Json all = Json::array();
        const std::string type = parameter(path, "type");
        for (const auto& [id, each] : records) {
            const bool is_wanted =
                words.at(3) == "example.org" && (type.empty() || each.at("type") == type);
            if (is_wanted) {
                Json copy = each;
                copy["id"] = id;
                all.push_back(copy);
            }
        }
        return page("domain_records", all);
    }

    Answer volumes_answer(
        const std::string& method,
        const std::vector<std::string>& words,
        const std::string& path,
        const Json& request) {
        if (words.size() == 3 && method == "POST") {
            for (const auto& [id, each] : volumes) {
                if (each.at("name") == request.at("name")) {
                    return refusal(409, "a volume with that name exists");
                }
            }
            const std::string id = fmt::format("vol-{}", next_id_++);
            volumes[id] = request;
            return {201, {{"volume", json_of(id, request)}}};
        }
        if (words.size() == 3) {
            Json all = Json::array();
            for (const auto& [id, each] : volumes) {
                if (each.at("name") == parameter(path, "name")) {
                    all.push_back(json_of(id, each));
                }
            }
            return page("volumes", all);
        }
        const auto found = volumes.find(words.at(3));
        if (found == volumes.end()) {
            return refusal(404, "not found");
        }
        if (words.size() == 5) {
            droplets.at(request.at("droplet_id")).request["volumes"].push_back(found->first);
            return {202, {{"action", {{"id", next_id_++}}}}};
        }
        if (method == "DELETE") {
            if (!droplets_of(found->first).empty()) {
                return refusal(409, "the volume is attached");
            }
            volumes.erase(found);
            return {204, {}};
        }
        return {200, {{"volume", json_of(found->first, found->second)}}};
    }

    Answer droplets_answer(
        const std::string& method,
        const std::vector<std::string>& words,
        const std::string& path,
        const Json& request) {
        if (words.size() == 3 && method == "POST") {
            const std::uint64_t id = next_id_++;
            droplets[id] = {request, now};
            return {202, {{"droplet", json_of(id, droplets.at(id))}, {"links", Json::object()}}};
        }
        if (words.size() == 3) {
            EXPECT_EQ(method, "GET") << "nothing is deleted by tag";
            return page("droplets", matching(parameter(path, "tag_name"), parameter(path, "name")));
        }
        const auto found = droplets.find(std::stoull(words.at(3)));
        if (found == droplets.end()) {
            return refusal(404, "not found");
        }
        if (words.size() == 5) {
            return page(
                "actions",
                {{{"id", 1},
                  {"type", "create"},
                  {"status", has_errored ? "errored" : "in-progress"}}});
        }
        if (method == "DELETE") {
            droplets.erase(found);
            return {204, {}};
        }
        return {200, {{"droplet", json_of(found->first, found->second)}}};
    }

    [[nodiscard]] Json matching(const std::string& tag, const std::string& name) const {
        Json out = Json::array();
        for (const auto& [id, each] : droplets) {
            const Json& tags = each.request.at("tags");
            if ((tag.empty() || std::find(tags.begin(), tags.end(), tag) != tags.end()) &&
                (name.empty() || each.request.at("name") == name)) {
                out.push_back(json_of(id, each));
            }
        }
        return out;
    }

    Killer& killer_;
    std::uint64_t next_id_ = 100;
};

} // namespace kiln::test
