// SPDX-License-Identifier: MIT
#include "publish/digitalocean/url_upload.hpp"

#include "base/http/http_policy.hpp"
#include "base/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace kiln {

namespace {

constexpr std::array<std::string_view, 5> kDisks{".img", ".qcow2", ".vhdx", ".vdi", ".vmdk"};
constexpr std::array<std::string_view, 2> kCompressed{".gz", ".bz2"};

std::string_view ending_among(std::string_view name, const auto& endings) {
    for (const std::string_view ending : endings) {
        if (name.size() > ending.size() && name.ends_with(ending)) {
            return ending;
        }
    }
    return {};
}

std::string_view name_in(std::string_view url) {
    return url.substr(url.rfind('/') + 1);
}

Error unusable(const std::string& url, std::string_view why) {
    return Error(
               fmt::format("'{}' cannot be used (--url): {}", redact_url(url), why),
               ExitCode::remote_refused)
        .with_hint("DigitalOcean fetches the file itself and asks with HEAD first");
}

} // namespace

bool is_importable_name(std::string_view name) {
    name.remove_suffix(ending_among(name, kCompressed).size());
    return !ending_among(name, kDisks).empty();
}

UrlUpload::UrlUpload(HttpClient& http, std::string url, bool allows_loopback)
    : http_(http), url_(std::move(url)) {
    const auto refused = [&](std::string_view why) {
        return UsageError(fmt::format("'{}' cannot be used (--url): {}", redact_url(url_), why));
    };
    const auto parsed = Url::parse(url_);
    if (!parsed || (parsed->scheme() != "https" && parsed->scheme() != "http")) {
        throw refused("expected a URL with https: or http:");
    }
    if (parsed->has_user() || url_.find_first_of("?#") != std::string::npos) {
        throw refused("DigitalOcean takes no URL with a login, query or fragment");
    }
    if (!is_importable_name(name_in(url_))) {
        throw refused(
            "it has to end in the name of a disk: .img or .qcow2, plain or with .gz or .bz2")
            .with_hint("a raw disk has to be called .img");
    }
    if (parsed->may_be_loopback() && !allows_loopback) {
        throw refused("DigitalOcean cannot reach this machine");
    }
}

void UrlUpload::check(const UploadFile& file) {
    HttpRequest request;
    request.method = "HEAD";
    request.url = url_;
    request.follow_redirects = false;
    request.expected_size = 1;
    const HttpResponse response = with_retries({}, [&] {
        NullSink nothing;
        return http_.send(request, nothing);
    });
    if (response.status != 200) {
        throw unusable(
            url_, fmt::format("the server answers HEAD with status {}", response.status));
    }
    const auto size = parse_unsigned(response.header("content-length").value_or(""));
    if (!size || *size == 0) {
        throw unusable(url_, "the server does not state the file's size (Content-Length)");
    }
    const std::string_view name = name_in(url_);
    const bool is_same_form =
        ending_among(name, kCompressed) == ending_among(file.name, kCompressed);
    if (is_same_form && *size != file.size) {
        throw unusable(
            url_,
            fmt::format(
                "the file there has {} bytes, '{}' has {}", *size, file.path.string(), file.size))
            .with_hint("upload this image there first");
    }
}

std::string UrlUpload::put(const UploadFile&, const nlohmann::ordered_json&, const Save&, Job&) {
    return url_;
}

} // namespace kiln
