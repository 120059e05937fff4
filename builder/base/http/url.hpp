// SPDX-License-Identifier: MIT
//
// A URL taken apart by libcurl's own parser, so that what is judged is what libcurl connects to.
// Knows no policy: who may go where is base/http/http_policy.hpp.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace kiln {

class Url {
  public:
    /// Nothing when the text is not an absolute URL, holds control characters, or has a host that
    /// is not in ASCII (international names are written as "xn--..."). Schemes that libcurl does
    /// not know are parsed, too.
    [[nodiscard]] static std::optional<Url> parse(std::string_view text);

    /// What a reference (a Location header, an absolute or relative URL) means on this URL.
    [[nodiscard]] std::optional<Url> resolve(std::string_view reference) const;

    /// The URL with "NAME=VALUE", percent-encoded already, added to its query.
    [[nodiscard]] Url with_query(const std::string& parameter) const;
    /// The URL with the user name and password of another one.
    [[nodiscard]] Url with_user_of(const Url& other) const;

    [[nodiscard]] const std::string& text() const noexcept { return text_; }

    /// In lower case, without a colon.
    [[nodiscard]] const std::string& scheme() const noexcept { return scheme_; }

    /// In lower case; IPv4 addresses as four decimal numbers, IPv6 ones in brackets.
    [[nodiscard]] const std::string& host() const noexcept { return host_; }

    [[nodiscard]] bool has_user() const noexcept { return has_user_; }

    /// "HOST:PORT", the port of the scheme included.
    [[nodiscard]] std::string authority() const { return host_ + ":" + port_; }

    /// SCHEME://HOST:PORT, what credentials are bound to (RFC 6454).
    [[nodiscard]] std::string origin() const { return scheme_ + "://" + authority(); }

    /// The host is this machine: "localhost", an address in 127.0.0.0/8, or [::1]. Names are
    /// compared as a whole, so "127.evil.example" is none.
    [[nodiscard]] bool is_loopback() const;
    /// The same with every other form that a resolver or the kernel may take for this machine:
    /// names below "localhost", dots at the end, 0.0.0.0/8, [::], IPv4 addresses within IPv6 ones.
    /// For refusing; what a name means in the DNS it does not know.
    [[nodiscard]] bool may_be_loopback() const;

  private:
    std::string text_;
    std::string scheme_;
    std::string host_;
    std::string port_; ///< empty for schemes without a default
    bool has_user_ = false;
};

/// A path with the characters that a URL's path cannot hold as %XX; '/' stays.
[[nodiscard]] std::string encode_url_path(std::string_view path);

/// The file: URL of a path, which is made absolute: "/a b#c" -> "file:///a%20b%23c".
[[nodiscard]] std::string file_url(const std::filesystem::path& path);

/// The path that a file: URL names, decoded. Nothing for other URLs and other hosts.
[[nodiscard]] std::optional<std::filesystem::path> path_of_file_url(std::string_view url);

} // namespace kiln
