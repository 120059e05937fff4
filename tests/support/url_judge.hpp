// SPDX-License-Identifier: MIT
//
// Reads a URL on its own, so that the tests do not ask the code that they judge: whom a resolver
// would be asked for, and whether that can be this machine. Suspects too much rather than too
// little.
#pragma once

#include "base/text.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace kiln::test {

class UrlJudge {
  public:
    explicit UrlJudge(std::string_view url) {
        const std::size_t end = std::min(url.find("://"), url.size());
        scheme_ = plain(url.substr(0, end));
        std::string_view rest = url.substr(std::min(end + 3, url.size()));
        rest = rest.substr(0, rest.find_first_of("/?#"));
        rest.remove_prefix(rest.rfind('@') == std::string_view::npos ? 0 : rest.rfind('@') + 1);
        authority_ = plain(rest);
        const std::string_view port = scheme_ == "https" ? ":443" : ":80";
        if (authority_.ends_with(port)) {
            authority_.resize(authority_.size() - port.size());
        }
    }

    [[nodiscard]] const std::string& scheme() const { return scheme_; }

    /// Without a login and without the scheme's own port, in lower case.
    [[nodiscard]] const std::string& authority() const { return authority_; }

    [[nodiscard]] bool is_this_machine() const {
        if (authority_.starts_with('[')) {
            return is_this_machine6(authority_.substr(1, authority_.find_first_of("]%") - 1));
        }
        std::string name = authority_.substr(0, authority_.rfind(':'));
        while (name.ends_with('.')) {
            name.pop_back();
        }
        const bool is_plain =
            std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c <= '~'; });
        in_addr four{};
        return !is_plain || name == "localhost" || name.ends_with(".localhost") ||
               (::inet_aton(name.c_str(), &four) != 0 && is_this_machine4(ntohl(four.s_addr)));
    }

  private:
    static bool is_this_machine4(std::uint32_t address) {
        return address >> 24U == 127 || address >> 24U == 0;
    }

    static bool is_this_machine6(const std::string& text) {
        in6_addr six{};
        if (::inet_pton(AF_INET6, text.c_str(), &six) != 1) {
            return false;
        }
        const std::span bytes(six.s6_addr);
        const auto is_zero = [](std::uint8_t byte) { return byte == 0; };
        const bool is_small = std::all_of(bytes.begin(), bytes.end() - 1, is_zero);
        const bool holds_four = std::all_of(bytes.begin(), bytes.begin() + 10, is_zero) &&
                                bytes[10] == 0xff && bytes[11] == 0xff;
        return (is_small && bytes[15] <= 1) || (holds_four && (bytes[12] == 0 || bytes[12] == 127));
    }

    /// In lower case and without %XX.
    static std::string plain(std::string_view text) {
        std::string out;
        for (std::size_t i = 0; i < text.size(); ++i) {
            const auto code =
                text[i] == '%' ? parse_unsigned(text.substr(i + 1, 2), 16) : std::nullopt;
            const char c = code ? static_cast<char>(*code) : text[i];
            i += code ? 2U : 0U;
            out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        }
        return out;
    }

    std::string scheme_;
    std::string authority_;
};

} // namespace kiln::test
