// SPDX-License-Identifier: MIT
#include "publish/s3/s3_signature.hpp"

#include "base/error.hpp"
#include "base/io/digest.hpp"
#include "base/text.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <map>

namespace kiln {

namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

std::string encoded(std::string_view text, std::string_view plain) {
    std::string out;
    for (const char c : text) {
        const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                              (c >= '0' && c <= '9') || plain.find(c) != std::string_view::npos;
        out += is_plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
}

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) {
        return static_cast<char>(std::tolower(c));
    });
    return out;
}

/// HMAC-SHA-256, as 32 bytes of text.
std::string hmac(std::string_view key, std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
    unsigned size = 0;
    KILN_CHECK(
        HMAC(
            EVP_sha256(),
            key.data(),
            static_cast<int>(key.size()),
            // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): OpenSSL's bytes
            reinterpret_cast<const unsigned char*>(text.data()),
            text.size(),
            out.data(),
            &size) != nullptr);
    return std::string(as_text(std::as_bytes(std::span(out).first(size))));
}

/// By name in lower case; blanks at the ends of values and repeated ones within do not count.
std::map<std::string, std::string> canonical_headers(const std::vector<HttpHeader>& headers) {
    std::map<std::string, std::string> out;
    for (const HttpHeader& header : headers) {
        std::string value;
        for (const char c : trim(header.value)) {
            if (c != ' ' || !value.ends_with(' ')) {
                value += c;
            }
        }
        std::string& joined = out[lower(header.name)];
        joined += joined.empty() ? value : "," + value;
    }
    return out;
}

std::string signed_headers(const std::vector<HttpHeader>& headers) {
    std::string out;
    for (const auto& [name, value] : canonical_headers(headers)) {
        out += out.empty() ? name : ";" + name;
    }
    return out;
}

std::string scope_text(const SignatureScope& scope) {
    constexpr std::size_t kDateSize = 8;
    return fmt::format(
        "{}/{}/{}/aws4_request",
        s3_time(scope.time).substr(0, kDateSize),
        scope.region,
        scope.service);
}

std::string signature_of(
    const SignableRequest& request, const SignatureScope& scope, const S3Credentials& credentials) {
    std::string key = "AWS4" + credentials.secret_key;
    for (const std::string& part : split(scope_text(scope), '/')) {
        key = hmac(key, part);
    }
    return to_hex(as_byte_span(hmac(key, string_to_sign(scope, canonical_request(request)))));
}

} // namespace

std::string s3_encoded(std::string_view text) {
    return encoded(text, "-._~");
}

std::string s3_encoded_path(std::string_view path) {
    return encoded(path, "-._~/");
}

std::string s3_encoded_query(const S3Query& query) {
    std::vector<std::pair<std::string, std::string>> parts;
    for (const auto& [name, value] : query) {
        parts.emplace_back(s3_encoded(name), s3_encoded(value));
    }
    std::sort(parts.begin(), parts.end());
    std::string out;
    for (const auto& [name, value] : parts) {
        out += fmt::format("{}{}={}", out.empty() ? "" : "&", name, value);
    }
    return out;
}

std::string s3_time(std::int64_t time) {
    std::string out = format_rfc3339(time);
    std::erase_if(out, [](char c) { return c == '-' || c == ':'; });
    return out;
}

std::string canonical_request(const SignableRequest& request) {
    std::string out = fmt::format(
        "{}\n{}\n{}\n",
        request.method,
        s3_encoded_path(request.path),
        s3_encoded_query(request.query));
    for (const auto& [name, value] : canonical_headers(request.headers)) {
        out += fmt::format("{}:{}\n", name, value);
    }
    return out + fmt::format("\n{}\n{}", signed_headers(request.headers), request.payload_digest);
}

std::string string_to_sign(const SignatureScope& scope, const std::string& canonical_request) {
    return fmt::format(
        "{}\n{}\n{}\n{}",
        kAlgorithm,
        s3_time(scope.time),
        scope_text(scope),
        sha256(canonical_request).hex());
}

std::string authorization_of(
    const SignableRequest& request, const SignatureScope& scope, const S3Credentials& credentials) {
    return fmt::format(
        "{} Credential={}/{}, SignedHeaders={}, Signature={}",
        kAlgorithm,
        credentials.access_key,
        scope_text(scope),
        signed_headers(request.headers),
        signature_of(request, scope, credentials));
}

S3Query presigned_query(
    SignableRequest request,
    const SignatureScope& scope,
    const S3Credentials& credentials,
    std::chrono::seconds lifetime) {
    request.query.emplace_back("X-Amz-Algorithm", kAlgorithm);
    request.query.emplace_back(
        "X-Amz-Credential", fmt::format("{}/{}", credentials.access_key, scope_text(scope)));
    request.query.emplace_back("X-Amz-Date", s3_time(scope.time));
    request.query.emplace_back("X-Amz-Expires", std::to_string(lifetime.count()));
    request.query.emplace_back("X-Amz-SignedHeaders", signed_headers(request.headers));
    S3Query out = request.query;
    out.emplace_back("X-Amz-Signature", signature_of(request, scope, credentials));
    return out;
}

} // namespace kiln
