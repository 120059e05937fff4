// SPDX-License-Identifier: MIT
#include "base/http/url.hpp"

#include "base/error.hpp"
#include "base/handle.hpp"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>
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

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x80; });
}

bool is_loopback_or_none(std::uint32_t address) {
    constexpr unsigned kLoopbackNet = 127; // RFC 1122, 3.2.1.3
    constexpr unsigned kThisHostNet = 0;   // which Linux connects to loopback
    return address >> 24U == kLoopbackNet || address >> 24U == kThisHostNet;
}

/// Of ::1, ::, and IPv4 addresses in the forms ::a.b.c.d and ::ffff:a.b.c.d (RFC 4291, 2.5.5).
bool is_loopback_or_none(const in6_addr& address) {
    if (IN6_IS_ADDR_V4MAPPED(&address) == 0 && IN6_IS_ADDR_V4COMPAT(&address) == 0) {
        return IN6_IS_ADDR_LOOPBACK(&address) != 0 || IN6_IS_ADDR_UNSPECIFIED(&address) != 0;
    }
    std::uint32_t four = 0;
    for (std::size_t i = 12; i < 16; ++i) {
        four = four << 8U | address.s6_addr[i];
    }
    return is_loopback_or_none(four);
}

/// An IPv6 address in brackets.
std::optional<in6_addr> six_of(const std::string& host) {
    in6_addr out{};
    if (host.size() > 2 && host.front() == '[' && host.back() == ']' &&
        ::inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &out) == 1) {
        return out;
    }
    return std::nullopt;
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
    // libcurl would make another name of it after it was judged: "127.0.0.1" of the same in wide
    // digits. Without a locale it fails at that anyway.
    if (!is_ascii(out.host_)) {
        return std::nullopt;
    }
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
    // As text: libcurl would write "%3A" as "%3a", and a signed query is compared as is.
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

bool Url::is_loopback() const {
    if (host_ == "localhost") {
        return true;
    }
    in_addr four{};
    if (::inet_pton(AF_INET, host_.c_str(), &four) == 1) {
        constexpr unsigned kLoopbackNet = 127; // RFC 1122, 3.2.1.3
        return ntohl(four.s_addr) >> 24U == kLoopbackNet;
    }
    const auto six = six_of(host_);
    return six && IN6_IS_ADDR_LOOPBACK(&*six) != 0;
}

bool Url::may_be_loopback() const {
    if (const auto six = six_of(host_)) {
        return is_loopback_or_none(*six);
    }
    const std::string name = host_.substr(0, host_.find_last_not_of('.') + 1);
    in_addr four{};
    return name == "localhost" || name.ends_with(".localhost") ||
           (::inet_aton(name.c_str(), &four) != 0 && is_loopback_or_none(ntohl(four.s_addr)));
}

std::string encode_url_path(std::string_view path) {
    // RFC 3986, 3.3: pchar, and the slashes between segments.
    constexpr std::string_view kPlain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/+:@!$&'()*,;=";
    std::string out;
    for (const char c : path) {
        if (kPlain.find(c) != std::string_view::npos) {
            out += c;
        } else {
            out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        }
    }
    return out;
}

std::string file_url(const std::filesystem::path& path) {
    return "file://" + encode_url_path(std::filesystem::absolute(path).string());
}

std::optional<std::filesystem::path> path_of_file_url(std::string_view url) {
    const CurlUrl handle = new_handle();
    if (!url.starts_with("file:") || !set(handle.get(), CURLUPART_URL, std::string(url), 0)) {
        return std::nullopt;
    }
    const auto path = part(handle.get(), CURLUPART_PATH, CURLU_URLDECODE);
    return path ? std::optional<std::filesystem::path>(*path) : std::nullopt;
}

} // namespace kiln
