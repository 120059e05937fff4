// SPDX-License-Identifier: MIT
#include "publish/s3/s3_credentials.hpp"

#include "base/error.hpp"
#include "base/io/file.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <string>

namespace kiln {

namespace {

std::string secret_of_file(const std::string& name, const std::string& file) {
    constexpr std::uint64_t kLargestFile = std::uint64_t{64} << 10U;
    const std::string text = read_text_file(file, kLargestFile);
    std::string secret(trim(std::string_view(text).substr(0, text.find_first_of("\r\n"))));
    if (secret.empty()) {
        throw Error(fmt::format("'{}' ({}) holds no key", file, name));
    }
    return secret;
}

/// The pair of variables that begin so; nothing when neither is set.
std::optional<S3Credentials> keys_of(const std::string& prefix, const Environment& env) {
    const std::string id_name = prefix + "_ACCESS_KEY_ID";
    const std::string secret_name = prefix + "_SECRET_ACCESS_KEY";
    S3Credentials out{variable(env, id_name), variable(env, secret_name)};
    if (const std::string file = variable(env, secret_name + "_FILE");
        out.secret_key.empty() && !file.empty()) {
        out.secret_key = secret_of_file(secret_name + "_FILE", file);
    }
    if (out.access_key.empty() && out.secret_key.empty()) {
        return std::nullopt;
    }
    const bool has_id = !out.access_key.empty();
    if (!has_id || out.secret_key.empty()) {
        throw UsageError(fmt::format(
                             "{} is set, but {} is not",
                             has_id ? id_name : secret_name,
                             has_id ? secret_name : id_name))
            .with_hint("set both, or neither");
    }
    return out;
}

} // namespace

std::optional<S3Credentials> find_s3_credentials(const Environment& env) {
    if (auto keys = keys_of("SPACES", env)) {
        return keys;
    }
    return keys_of("AWS", env);
}

} // namespace kiln
