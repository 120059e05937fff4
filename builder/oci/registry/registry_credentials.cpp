// SPDX-License-Identifier: MIT
#include "oci/registry/registry_credentials.hpp"

#include "base/error.hpp"
#include "base/http/url.hpp"
#include "base/io/file.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "oci/registry/registry.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <openssl/evp.h>

#include <algorithm>
#include <cctype>
#include <vector>

namespace kiln {

namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kLargestConfig = std::uint64_t{4} << 20U;
constexpr std::chrono::seconds kHelperTimeout{60};
constexpr std::uint64_t kLargestHelperAnswer = std::uint64_t{1} << 20U;
/// A helper's user name that says that the secret is an identity token.
constexpr std::string_view kTokenUser = "<token>";

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
    const auto add = [&](const char* name, const char* below) {
        if (const std::string value = variable(env, name); !value.empty()) {
            out.push_back(fs::path(value) / below);
        }
    };
    if (const std::string file = variable(env, "REGISTRY_AUTH_FILE"); !file.empty()) {
        out.emplace_back(file);
    }
    add("XDG_RUNTIME_DIR", "containers/auth.json");
    if (variable(env, "DOCKER_CONFIG").empty()) {
        add("HOME", ".docker/config.json");
    } else {
        add("DOCKER_CONFIG", "config.json");
    }
    return out;
}

/// "REG.example" and "reg.example:443" are one registry.
bool is_same_host(const std::string& a, const std::string& b) {
    const auto first = Url::parse("https://" + a);
    const auto second = Url::parse("https://" + b);
    return first && second && first->authority() == second->authority();
}

/// What the files call a registry, the most special first: podman's HOST/NAME, docker's HOST and
/// the URLs of its first years.
std::vector<std::string> keys_of(const RegistryRepository& repository) {
    std::vector<std::string> out;
    for (std::string part = repository.to_string(); part.find('/') != std::string::npos;
         part.erase(part.rfind('/'))) {
        out.push_back(part);
    }
    out.push_back(repository.host);
    for (const char* form : {"https://{}", "https://{}/", "https://{}/v1/", "https://{}/v2/"}) {
        out.push_back(fmt::format(fmt::runtime(form), repository.host));
    }
    if (repository.host == "docker.io") {
        out.emplace_back("https://index.docker.io/v1/");
    }
    return out;
}

std::optional<std::string> helper_of(const Json& config, const std::vector<std::string>& keys) {
    if (const Json* helpers = json_member(config, "credHelpers"); helpers != nullptr) {
        for (const std::string& key : keys) {
            if (auto name = json_string(*helpers, key.c_str())) {
                return name;
            }
        }
    }
    const auto store = json_string(config, "credsStore");
    return store && !store->empty() ? store : std::nullopt;
}

/// The name becomes part of a program's name.
void require_helper_name(const std::string& name, const fs::path& file) {
    const bool is_plain = std::all_of(name.begin(), name.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
    });
    if (!is_plain || name.empty()) {
        throw Error(fmt::format(
            "'{}': '{}' is not a valid name of a credential helper", file.string(), excerpt(name)));
    }
}

Environment helper_environment(const Environment& env) {
    Environment out = env;
    std::erase_if(out, [](const auto& entry) { return entry.first.starts_with("KILN_REGISTRY_"); });
    return out;
}

std::optional<RegistryCredentials> ask_helper(
    const std::string& name,
    const std::string& key,
    const Environment& env,
    ProcessRunner& processes) {
    const std::string program = "docker-credential-" + name;
    const fs::path path = find_program(program, env);
    if (path.empty()) {
        throw Error(fmt::format("the credential helper '{}' is not installed", program))
            .with_hint("docker's configuration names it (credsStore or credHelpers)");
    }
    const ProcessResult result = processes.run(
        {.program = path.string(),
         .args = {"get"},
         .env = helper_environment(env),
         .input = key + "\n",
         .separate_stderr = true,
         .timeout = kHelperTimeout,
         .output_limit = kLargestHelperAnswer});
    if (!result.ok()) {
        // "credentials not found in native keychain", on standard output; others are failures, and
        // what they print may hold anything.
        if (result.output.find("credentials not found") != std::string::npos) {
            return std::nullopt;
        }
        throw Error(fmt::format(
            "the credential helper '{}' failed: {}",
            program,
            result.stopped.empty() ? describe_exit(result.exit_status) : result.stopped));
    }
    const auto answer = parse_json_object(result.output);
    const auto user = answer ? json_string(*answer, "Username") : std::nullopt;
    const auto secret = answer ? json_string(*answer, "Secret") : std::nullopt;
    if (!user || !secret) {
        throw Error(fmt::format("the answer of credential helper '{}' is not valid", program));
    }
    if (*user == kTokenUser) {
        return RegistryCredentials{"", "", *secret};
    }
    return user->empty() ? std::nullopt : std::optional(RegistryCredentials{*user, *secret});
}

std::optional<RegistryCredentials>
read_auths(const Json& config, const std::vector<std::string>& keys, const fs::path& file) {
    const Json* auths = json_member(config, "auths");
    if (auths == nullptr || !auths->is_object()) {
        return std::nullopt;
    }
    for (const std::string& key : keys) {
        const Json* entry = json_member(*auths, key.c_str());
        if (entry == nullptr || !entry->is_object()) {
            continue;
        }
        if (auto token = json_string(*entry, "identitytoken"); token && !token->empty()) {
            return RegistryCredentials{"", "", *token};
        }
        const auto auth = json_string(*entry, "auth");
        if (!auth || auth->empty()) {
            continue; // a credential store has it
        }
        const std::string decoded = decode_base64(*auth);
        const std::size_t colon = decoded.find(':');
        if (colon == std::string::npos) {
            throw Error(fmt::format("'{}' has no usable credentials for '{}'", file.string(), key));
        }
        return RegistryCredentials{decoded.substr(0, colon), decoded.substr(colon + 1)};
    }
    return std::nullopt;
}

std::optional<RegistryCredentials> read_login(
    const fs::path& file,
    const std::vector<std::string>& keys,
    const Environment& env,
    ProcessRunner& processes) {
    const auto config = parse_json_object(read_text_file(file, kLargestConfig));
    if (!config) {
        throw Error(fmt::format("'{}' is not a JSON object", file.string()));
    }
    if (const auto helper = helper_of(*config, keys)) {
        require_helper_name(*helper, file);
        // Helpers know what docker calls a registry: its host, or docker.io's old URL.
        const std::string& key =
            keys.back().ends_with("index.docker.io/v1/")
                ? keys.back()
                : *std::find_if(keys.begin(), keys.end(), [](const auto& each) {
                      return each.find('/') == std::string::npos;
                  });
        if (auto found = ask_helper(*helper, key, env, processes)) {
            return found;
        }
    }
    return read_auths(*config, keys, file);
}

std::optional<RegistryCredentials>
login_of_environment(const std::string& host, const Environment& env) {
    const std::string user = variable(env, "KILN_REGISTRY_USER");
    if (user.empty()) {
        return std::nullopt;
    }
    const std::string owner = variable(env, "KILN_REGISTRY_HOST");
    if (owner.empty()) {
        throw UsageError("KILN_REGISTRY_USER is set, but KILN_REGISTRY_HOST is not")
            .with_hint(fmt::format("set KILN_REGISTRY_HOST, such as KILN_REGISTRY_HOST={}", host));
    }
    if (!is_same_host(owner, host)) {
        return std::nullopt;
    }
    const std::string file = variable(env, "KILN_REGISTRY_PASSWORD_FILE");
    if (file.empty()) {
        return RegistryCredentials{user, variable(env, "KILN_REGISTRY_PASSWORD")};
    }
    const std::string text = read_text_file(file, kLargestConfig);
    return RegistryCredentials{user, text.substr(0, text.find_first_of("\r\n"))};
}

} // namespace

std::optional<RegistryCredentials> find_registry_credentials(
    const RegistryRepository& repository, const Environment& env, ProcessRunner& processes) {
    if (auto found = login_of_environment(repository.host, env)) {
        return found;
    }
    const std::vector<std::string> keys = keys_of(repository);
    for (const fs::path& file : login_files(env)) {
        if (!fs::exists(file)) {
            continue;
        }
        if (auto found = read_login(file, keys, env, processes)) {
            return found;
        }
    }
    return std::nullopt;
}

} // namespace kiln
