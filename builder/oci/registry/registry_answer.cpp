// SPDX-License-Identifier: MIT
#include "oci/registry/registry_answer.hpp"

#include "base/text.hpp"
#include "oci/registry/registry_json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <vector>

namespace kiln {

namespace {

/// The messages of an error answer: {"errors": [{"code": ..., "message": ...}]}. Anything else,
/// such as a proxy's page, has none.
std::string messages_in(const std::string& body) {
    constexpr std::size_t kMost = 3;
    std::vector<std::string> out;
    const auto read = [&](const nlohmann::ordered_json& json) {
        for (const auto& error : json.at("errors")) {
            if (out.size() == kMost) {
                return;
            }
            std::string line;
            for (const char* key : {"code", "message"}) {
                if (error.is_object() && error.contains(key) && error.at(key).is_string()) {
                    line += line.empty() ? "" : " ";
                    line += excerpt(error.at(key).get<std::string>());
                }
            }
            if (!line.empty()) {
                out.push_back(std::move(line));
            }
        }
    };
    try {
        read_remote_json(body, "the error", read);
    } catch (const Error&) {
        return {};
    }
    return join(out, "; ");
}

} // namespace

AnswerSink::AnswerSink()
    : LimitedSink(
          kLargestAnswer,
          remote_error(fmt::format(
              "the registry's response is larger than {}", format_size(kLargestAnswer)))) {}

RegistryRefusal
refused(const std::string& host, std::string_view what, const HttpResponse& response) {
    const std::string messages = messages_in(response.error_body);
    return {
        fmt::format(
            "registry '{}' {}: status {}{}",
            host,
            what,
            response.status,
            messages.empty() ? "" : ", " + messages),
        response.status};
}

void require_digest(
    const std::string& host,
    const std::string& what,
    const HttpResponse& response,
    const Digest& wanted) {
    const auto stated = response.header("docker-content-digest");
    // Registries may know a content by the digest of another algorithm as well.
    if (!stated || !stated->starts_with("sha256:") || *stated == wanted.to_string()) {
        return;
    }
    throw remote_error(fmt::format(
        "registry '{}' states digest {} for {}, expected {}",
        host,
        excerpt(*stated),
        what,
        wanted.to_string()));
}

std::string percent_encoded(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                              (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
        out += is_plain
                   ? std::string(1, c)
                   : fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
    return out;
}

} // namespace kiln
