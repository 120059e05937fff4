// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "base/io/file.hpp"
#include "base/text.hpp"
#include "oci/registry/registry.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <openssl/evp.h>

#include <regex>
#include <vector>

namespace kiln {

namespace {

std::string decode_base64(std::string_view text) {
    std::vector<unsigned char> out(text.size() + 4);
    const int size = EVP_DecodeBlock(
        out.data(),
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): OpenSSL's bytes
        reinterpret_cast<const unsigned char*>(text.data()),
        static_cast<int>(text.size()));
    if (size < 0) {
        return {};
    }
    std::string decoded(out.begin(), out.begin() + size);
    for (std::size_t padding = 0; padding < 2 && text.ends_with('='); ++padding) {
        decoded.pop_back(); // EVP_DecodeBlock counts the padding's zeros
        text.remove_suffix(1);
    }
    return decoded;
}

std::vector<fs::path> login_files(const Environment& env) {
    std::vector<fs::path> out;
    if (const std::string file = variable(env, "REGISTRY_AUTH_FILE"); !file.empty()) {
        out.emplace_back(file);
    }
    const std::string docker = variable(env, "DOCKER_CONFIG");
    const std::string home = variable(env, "HOME");
    if (!docker.empty()) {
        out.push_back(fs::path(docker) / "config.json");
    } else if (!home.empty()) {
        out.push_back(fs::path(home) / ".docker/config.json");
    }
    return out;
}

std::optional<RegistryCredentials> read_login(const fs::path& file, const std::string& host) {
    const auto json = nlohmann::json::parse(read_text_file(file), nullptr, false);
    if (!json.is_object()) {
        throw Error(fmt::format("'{}' is not a JSON object", file.string()));
    }
    const auto pointer = nlohmann::json::json_pointer() / "auths" / host / "auth";
    if (!json.contains(pointer) || !json.at(pointer).is_string()) {
        return std::nullopt;
    }
    const std::string decoded = decode_base64(json.at(pointer).get<std::string>());
    const std::size_t colon = decoded.find(':');
    if (colon == std::string::npos) {
        throw Error(fmt::format("'{}' has no usable credentials for '{}'", file.string(), host));
    }
    return RegistryCredentials{decoded.substr(0, colon), decoded.substr(colon + 1)};
}

/// "REG.example" and "reg.example:443" are one registry.
bool is_same_host(const std::string& a, const std::string& b) {
    const auto first = Url::parse("https://" + a);
    const auto second = Url::parse("https://" + b);
    return first && second && first->authority() == second->authority();
}

} // namespace

RegistryReference parse_registry_reference(std::string_view text) {
    static const std::regex kForm(
        "^((?:[A-Za-z0-9.-]+|\\[[0-9A-Fa-f:.]+\\])(?::[0-9]+)?)/"
        "([a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*)"
        "(?::([A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?"
        "(?:@(sha256:[0-9a-f]{64}))?$");
    const std::string copy(text);
    std::smatch match;
    // std::regex recurses for every character.
    constexpr std::size_t kLongest = 1024;
    if (copy.size() > kLongest || !std::regex_match(copy, match, kForm)) {
        throw UsageError(fmt::format(
            "'{}' is not a valid registry reference: expected "
            "HOST[:PORT]/NAME[:TAG][@sha256:DIGEST]",
            excerpt(text)));
    }
    RegistryReference out{{match[1].str(), match[2].str()}, match[3].str(), std::nullopt};
    if (match[4].matched) {
        out.digest = Digest::parse(match[4].str());
    }
    return out;
}

std::optional<RegistryCredentials>
find_registry_credentials(const std::string& host, const Environment& env) {
    if (const std::string user = variable(env, "KILN_REGISTRY_USER"); !user.empty()) {
        const std::string owner = variable(env, "KILN_REGISTRY_HOST");
        if (owner.empty()) {
            throw UsageError("KILN_REGISTRY_USER is set, but KILN_REGISTRY_HOST is not")
                .with_hint(
                    fmt::format("set KILN_REGISTRY_HOST, such as KILN_REGISTRY_HOST={}", host));
        }
        if (is_same_host(owner, host)) {
            return RegistryCredentials{user, variable(env, "KILN_REGISTRY_PASSWORD")};
        }
    }
    for (const fs::path& file : login_files(env)) {
        if (!fs::exists(file)) {
            continue;
        }
        if (auto found = read_login(file, host)) {
            return found;
        }
    }
    return std::nullopt;
}

} // namespace kiln
