// SPDX-License-Identifier: MIT
#include "publish/digitalocean/spaces_keys.hpp"

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/json_object.hpp"
#include "base/text.hpp"
#include "publish/s3/s3_client.hpp"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <utility>

namespace kiln {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kPath = "/v2/spaces/keys";

std::string new_name() {
    constexpr std::size_t kBytes = 8;
    std::array<unsigned char, kBytes> bytes{};
    KILN_CHECK(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1);
    return "kiln-" + to_hex(std::as_bytes(std::span(bytes)));
}

/// An access key becomes part of a path.
std::string checked_access_key(const JsonObject& key) {
    std::string out = key.text("access_key");
    const bool is_plain = !out.empty() && std::all_of(out.begin(), out.end(), [](unsigned char c) {
        return std::isalnum(c) != 0;
    });
    if (!is_plain) {
        throw Error(
            fmt::format("'{}' is not a valid access key of Spaces", excerpt(out)),
            ExitCode::remote_refused);
    }
    return out;
}

S3Credentials credentials_in(const Json& answer) {
    const JsonObject key = JsonObject(answer, "the answer with a key of Spaces").object("key");
    return {checked_access_key(key), key.text("secret_key")};
}

} // namespace

S3Credentials
create_spaces_key(DigitalOceanApi& api, const std::string& name, const std::string& bucket) {
    const Json body{
        {"name", name},
        {"grants", Json::array({{{"bucket", bucket}, {"permission", "readwrite"}}})}};
    const auto create = [&] {
        return credentials_in(api.post(kPath, body, "create a key of Spaces"));
    };
    try {
        return create();
    } catch (const UnclearOutcome&) {
        // The secret is shown once: a key whose answer was lost is of no use.
        delete_spaces_keys(api, name);
        return create();
    }
}

void delete_spaces_keys(DigitalOceanApi& api, const std::string& name) {
    const std::string query = fmt::format("{}?name={}", kPath, s3_encoded(name));
    for (const Json& item : api.list(query, "keys", "list the keys of Spaces")) {
        const JsonObject key(item, "a key of Spaces");
        if (key.text("name") == name) {
            api.remove(
                fmt::format("{}/{}", kPath, checked_access_key(key)), "delete a key of Spaces");
        }
    }
}

UploadWithOwnKey::UploadWithOwnKey(DigitalOceanApi& api, std::string bucket, Make make)
    : api_(api), bucket_(std::move(bucket)), make_(std::move(make)) {}

void UploadWithOwnKey::check(const UploadFile& /*file*/) {
    // Whether the token may make keys is known when it does.
    static_cast<void>(api_.get(std::string(kPath) + "?per_page=1", "list the keys of Spaces"));
}

std::unique_ptr<ImageUpload>
UploadWithOwnKey::begin(const std::string& name, const UploadFile& file) {
    delete_spaces_keys(api_, name); // of a process that was killed
    auto upload = make_(create_spaces_key(api_, name, bucket_));
    wait_until_known(*upload, file);
    return upload;
}

/// A new key is not known everywhere at once.
void UploadWithOwnKey::wait_until_known(ImageUpload& upload, const UploadFile& file) {
    constexpr unsigned kMostTries = 15;
    constexpr std::chrono::milliseconds kDelay{2000};
    for (unsigned left = kMostTries;; --left) {
        try {
            upload.check(file);
            return;
        } catch (const S3Refusal& refusal) {
            constexpr int kForbidden = 403;
            if (left == 1 || refusal.status() != kForbidden) {
                throw;
            }
        }
        api_.clock().wait(kDelay);
    }
}

std::string
UploadWithOwnKey::put(const UploadFile& file, const Json& state, const Save& save, Job& progress) {
    const std::string name =
        state.is_null() ? new_name() : JsonObject(state, "the saved upload").text("key_name");
    const Json inner = state.is_null() ? Json(nullptr) : state.value("upload", Json(nullptr));
    save({{"key_name", name}, {"upload", inner}});
    const auto upload = begin(name, file);
    std::string url = upload->put(
        file,
        inner,
        [&](const Json& now) { save({{"key_name", name}, {"upload", now}}); },
        progress);
    delete_spaces_keys(api_, name); // public objects are read without one
    return url;
}

void UploadWithOwnKey::remove(const Json& state) {
    if (state.is_null()) {
        return;
    }
    const InterruptPause pause;
    const std::string name = JsonObject(state, "the saved upload").text("key_name");
    if (const Json inner = state.value("upload", Json(nullptr)); !inner.is_null()) {
        begin(name, {{}, "any", 0, {}})->remove(inner);
    }
    delete_spaces_keys(api_, name);
}

} // namespace kiln
