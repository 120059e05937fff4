// SPDX-License-Identifier: MIT
#include "base/url.hpp"

#include "base/error.hpp"
#include "base/handle.hpp"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <utility>

namespace kiln {

namespace {

using CurlUrl = Handle<CURLU, curl_url_cleanup>;

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return text;
}

/// A part of the URL; nothing when it has none.
std::optional<std::string> part(CURLU* url, CURLUPart which, unsigned flags = 0) {
    char* text = nullptr;
    if (curl_url_get(url, which, &text, flags) != CURLUE_OK || text == nullptr) {
        return std::nullopt;
    }
    const std::unique_ptr<char, void (*)(void*)> owner(text, curl_free);
    return std::string(text);
}

bool set(CURLU* url, CURLUPart which, const std::string& text, unsigned flags) {
    // A C string would end at a NUL, and what follows would be judged by nobody.
    return text.find('\0') == std::string::npos &&
           curl_url_set(url, which, text.c_str(), flags | CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK;
}

CurlUrl new_handle() {
    CurlUrl handle(curl_url());
    KILN_CHECK(handle != nullptr);
    return handle;
}

/// A URL that parse() took before.
CurlUrl handle_of(const std::string& text) {
    CurlUrl handle = new_handle();
    KILN_CHECK(set(handle.get(), CURLUPART_URL, text, 0));
    return handle;
}

std::optional<Url> parse_handle(CURLU* handle) {
    const auto text = part(handle, CURLUPART_URL);
    return text ? Url::parse(*text) : std::nullopt;
}

} // namespace

std::optional<Url> Url::parse(std::string_view text) {
    const CurlUrl handle = new_handle();
    if (!set(handle.get(), CURLUPART_URL, std::string(text), 0)) {
        return std::nullopt;
    }
    Url out;
    out.text_ = part(handle.get(), CURLUPART_URL).value_or("");
    out.scheme_ = lower(part(handle.get(), CURLUPART_SCHEME).value_or(""));
    out.host_ = lower(part(handle.get(), CURLUPART_HOST).value_or(""));
    out.port_ = part(handle.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT).value_or("");
    out.has_user_ = part(handle.get(), CURLUPART_USER).has_value();
    return out;
}

std::optional<Url> Url::resolve(std::string_view reference) const {
    const CurlUrl handle = handle_of(text_);
    // Servers write spaces and bytes above 127 into Location; browsers encode them.
    if (!set(
            handle.get(),
            CURLUPART_URL,
            std::string(reference),
            CURLU_URLENCODE | CURLU_ALLOW_SPACE)) {
        return std::nullopt;
    }
    return parse_handle(handle.get());
}

Url Url::with_query(const std::string& parameter) const {
    // As text: libcurl would write "%3A" as "%3a", and a signed query is compared as it stands.
    const std::size_t fragment = std::min(text_.find('#'), text_.size());
    const bool has_query = text_.find('?') < fragment;
    std::string text = text_;
    text.insert(fragment, (has_query ? "&" : "?") + parameter);
    auto out = parse(text);
    KILN_CHECK(out);
    return std::move(*out);
}

Url Url::with_user_of(const Url& other) const {
    const CurlUrl handle = handle_of(text_);
    const CurlUrl from = handle_of(other.text_);
    for (const CURLUPart which : {CURLUPART_USER, CURLUPART_PASSWORD}) {
        if (const auto value = part(from.get(), which)) {
            KILN_CHECK(set(handle.get(), which, *value, 0));
        }
    }
    auto out = parse_handle(handle.get());
    KILN_CHECK(out);
    return std::move(*out);
}

bool Url::may_be_loopback() const {
    constexpr std::string_view kDomain = ".localhost"; // RFC 6761, 6.3
    std::string_view name = host_;
    while (name.ends_with('.')) {
        name.remove_suffix(1);
    }
    if (is_loopback() || name == "localhost" || name.ends_with(kDomain)) {
        return true;
    }
    const auto is_this_machine = [](const std::uint8_t* four) {
        return four[0] == 127 || four[0] == 0; // Linux takes 0.0.0.0 for 127.0.0.1
    };
    in6_addr six{};
    std::array<std::uint8_t, 4> four{};
    if (::inet_pton(AF_INET, std::string(name).c_str(), four.data()) == 1) {
        return is_this_machine(four.data());
    }
    if (host_.size() <= 2 ||
        ::inet_pton(AF_INET6, host_.substr(1, host_.size() - 2).c_str(), &six) != 1) {
        return false;
    }
    constexpr std::size_t kFour = 12; // where an IPv4 address lies in an IPv6 one
    return IN6_IS_ADDR_UNSPECIFIED(&six) != 0 ||
           ((IN6_IS_ADDR_V4MAPPED(&six) != 0 || IN6_IS_ADDR_V4COMPAT(&six) != 0) &&
            is_this_machine(six.s6_addr + kFour));
}

bool Url::is_loopback() const {
    if (host_ == "localhost") {
        return true;
    }
    in_addr four{};
    if (::inet_pton(AF_INET, host_.c_str(), &four) == 1) {
        constexpr unsigned kLoopbackNet = 127; // RFC 1122, 3.2.1.3
        return ntohl(four.s_addr) >> 24U == kLoopbackNet;
    }
    in6_addr six{};
    return host_.size() > 2 && host_.front() == '[' && host_.back() == ']' &&
           ::inet_pton(AF_INET6, host_.substr(1, host_.size() - 2).c_str(), &six) == 1 &&
           IN6_IS_ADDR_LOOPBACK(&six) != 0;
}

} // namespace kiln
