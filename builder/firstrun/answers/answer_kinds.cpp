// SPDX-License-Identifier: MIT
#include "firstrun/answers/answer_kinds.hpp"

#include "base/text.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace kiln::firstrun {

namespace {

constexpr std::size_t kLongestHostName = 253;
constexpr std::size_t kLongestLabel = 63;
constexpr std::size_t kLongestPassword = 72; // what bcrypt looks at

bool is_alnum(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

bool is_plain(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte >= 0x20 && byte != 0x7f;
    });
}

bool is_label(std::string_view label) {
    return !label.empty() && label.size() <= kLongestLabel && is_alnum(label.front()) &&
           is_alnum(label.back()) &&
           std::all_of(label.begin(), label.end(), [](char c) { return is_alnum(c) || c == '-'; });
}

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](char c) {
        return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    });
    return out;
}

bool is_address(std::string_view text) {
    const std::size_t at = text.rfind('@');
    if (at == std::string_view::npos || at == 0) {
        return false;
    }
    // Quoted local parts are legal mail, but nothing here needs them, and they need quoting.
    constexpr std::string_view kMarks = ".!#$%&*+/=?^_{|}~-";
    const std::string_view local = text.substr(0, at);
    return is_host_name(text.substr(at + 1)) &&
           std::all_of(local.begin(), local.end(), [&](char c) {
               return is_alnum(c) || kMarks.find(c) != std::string_view::npos;
           });
}

bool is_pause_id(std::string_view text) {
    return text.size() >= 3 && text.size() <= 9 &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

bool is_name(std::string_view text) {
    constexpr std::string_view kMarks = "+_.-";
    return !text.empty() && text.front() != '-' &&
           std::all_of(text.begin(), text.end(), [&](char c) {
               return is_alnum(c) || kMarks.find(c) != std::string_view::npos;
           });
}

bool is_volume(std::string_view text) {
    if (text == "root") {
        return true;
    }
    for (const std::string_view prefix : {"label=", "vg=", "digitalocean="}) {
        if (text.starts_with(prefix)) {
            return is_name(text.substr(prefix.size()));
        }
    }
    return text.starts_with("/dev/") && is_plain(text) && text.find(' ') == std::string_view::npos;
}

/// The user part of "scheme://user:password@host" may name a user, never a password.
bool has_password(std::string_view url) {
    const std::size_t begin = url.find("://");
    const std::size_t at = url.find('@');
    if (begin == std::string_view::npos || at == std::string_view::npos) {
        return false;
    }
    return url.substr(begin + 3, at - begin - 3).find(':') != std::string_view::npos;
}

std::string fault_of_git_url(std::string_view text) {
    if (has_password(text)) {
        return "contains a password, but the repository's configuration is public: use deploy_key";
    }
    // "user@host:path"; with two colons git takes the first word for a program to run.
    const std::size_t colon = text.find(':');
    const bool scp_form = colon != std::string_view::npos && colon > 0 && text.front() != '-' &&
                          text.find("://") == std::string_view::npos &&
                          !text.substr(colon).starts_with("::");
    const bool known = text.starts_with("ssh://") || text.starts_with("https://") ||
                       text.starts_with("file:///") || text.starts_with("git://") ||
                       text.starts_with('/') || scp_form;
    return known ? "" : "is not a git URL such as git@host:path or ssh://git@host/path";
}

CheckedValue check_host_list(std::string_view text) {
    CheckedValue out;
    std::string spaced(text);
    std::replace_if(
        spaced.begin(), spaced.end(), [](char c) { return c == ',' || c == '\n'; }, ' ');
    for (const std::string& name : split(spaced, ' ')) {
        if (name.empty()) {
            continue;
        }
        if (!is_host_name(name) && !is_ip_address(name)) {
            return {"", fmt::format("'{}' is not a valid host name", name)};
        }
        out.value += (out.value.empty() ? "" : "\n") + lower(name);
    }
    return out;
}

CheckedValue check_lines(std::string_view text) {
    CheckedValue out;
    for (const std::string& line : split_lines(text)) {
        const std::string_view entry = trim(line);
        if (!is_plain(entry)) {
            return {"", "contains a control character"};
        }
        if (!entry.empty()) {
            out.value += (out.value.empty() ? "" : "\n") + std::string(entry);
        }
    }
    return out;
}

std::string fault_of_choice(const KeySpec& spec, std::string_view text) {
    const std::vector<std::string> choices = split(spec.choices, ' ');
    if (std::find(choices.begin(), choices.end(), text) != choices.end()) {
        return "";
    }
    return fmt::format("is not one of {}", join(choices, ", "));
}

std::string fault_of_password(std::string_view text) {
    if (text.size() > kLongestPassword) {
        return fmt::format("is longer than {} bytes", kLongestPassword);
    }
    return is_plain(text) ? "" : "contains a control character";
}

std::string fault_of_pem(std::string_view text) {
    return is_pem_text(text) || text.starts_with('/')
               ? ""
               : "is not PEM text (-----BEGIN ...) or an absolute path";
}

std::string fault_of(const KeySpec& spec, std::string_view text) {
    switch (spec.kind) {
    case Kind::host_name:
        return is_host_name(text) || is_ip_address(text) ? "" : "is not a valid host name";
    case Kind::address:
        return is_address(text) ? "" : "is not a valid mail address";
    case Kind::number:
        return parse_unsigned(text) && text.size() < 10 ? "" : "is not a number";
    case Kind::port: {
        const std::uint64_t number = parse_unsigned(text).value_or(0);
        return number >= 1 && number <= 65535 ? "" : "is not a valid port";
    }
    case Kind::size:
        return size_in_bytes(text) > 0 ? "" : "is not a size such as 50G";
    case Kind::pause_id:
        return is_pause_id(text) ? "" : "is not a valid PAUSE id (three to nine letters A to Z)";
    case Kind::choice:
        return fault_of_choice(spec, text);
    case Kind::volume:
        return is_volume(text)
                   ? ""
                   : "is not one of label=L, a device below /dev, vg=NAME, digitalocean=NAME, root";
    case Kind::path:
        return text.starts_with('/') && is_plain(text) ? "" : "is not an absolute path";
    case Kind::text:
        return is_plain(text) ? "" : "contains a control character";
    case Kind::url:
        return (text.starts_with("https://") || text.starts_with("http://")) && is_plain(text) &&
                       text.find(' ') == std::string_view::npos
                   ? ""
                   : "is not an http or https URL";
    case Kind::git_url:
        return is_plain(text) ? fault_of_git_url(text) : "contains a control character";
    case Kind::pem:
        return fault_of_pem(text);
    case Kind::password:
        return fault_of_password(text);
    case Kind::host_list:
    case Kind::lines:
        break;
    }
    return "";
}

} // namespace

bool is_host_name(std::string_view text) {
    if (text.empty() || text.size() > kLongestHostName) {
        return false;
    }
    const std::vector<std::string> labels = split(text, '.');
    return std::all_of(labels.begin(), labels.end(), is_label);
}

bool is_ip_address(std::string_view text) {
    std::array<unsigned char, sizeof(in6_addr)> buffer{};
    const std::string name(text);
    return ::inet_pton(AF_INET, name.c_str(), buffer.data()) == 1 ||
           ::inet_pton(AF_INET6, name.c_str(), buffer.data()) == 1;
}

bool is_pem_text(std::string_view text) {
    return trim(text).starts_with("-----BEGIN ");
}

std::uint64_t size_in_bytes(std::string_view text) {
    if (text.size() > 1 && std::string_view("KMGT").find(text.back()) != std::string_view::npos) {
        return parse_size(std::string(text) + "iB").value_or(0);
    }
    return parse_size(text).value_or(0);
}

CheckedValue check_value(const KeySpec& spec, std::string_view text) {
    CheckedValue out;
    if (spec.kind == Kind::host_list || spec.kind == Kind::lines) {
        out = spec.kind == Kind::lines ? check_lines(text) : check_host_list(text);
    } else {
        // Files and environments tend to end in a newline that nobody meant.
        const std::string_view value = spec.kind == Kind::password
                                           ? text.substr(0, text.find_last_not_of("\r\n") + 1)
                                           : trim(text);
        out.fault = fault_of(spec, value);
        out.value = spec.kind == Kind::host_name ? lower(value) : std::string(value);
    }
    if (out.fault.empty() && out.value.empty()) {
        out.fault = "is empty";
    }
    return out;
}

} // namespace kiln::firstrun
