// SPDX-License-Identifier: MIT
#include "lock/lock_rules.hpp"

#include "base/text.hpp"
#include "debian/deb_version.hpp"

#include <algorithm>
#include <array>

namespace kiln {

namespace {

constexpr std::size_t kMaxName = 64;
constexpr std::size_t kMaxText = 4096;

bool is_lower_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_letter_or_digit(char c) {
    return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

/// Letters or digits of `is_plain` and `punctuation`, beginning with one of the former.
template <typename Plain>
bool is_word(std::string_view text, Plain is_plain, std::string_view punctuation) {
    return !text.empty() && text.size() <= kMaxText && is_plain(text[0]) &&
           std::all_of(text.begin(), text.end(), [&](char c) {
               return is_plain(c) || punctuation.find(c) != std::string_view::npos;
           });
}

bool has_control_characters(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
    });
}

/// Relative, and stays below where it starts.
bool stays_below(std::string_view path) {
    while (true) {
        const std::size_t slash = path.find('/');
        const std::string_view component = path.substr(0, slash);
        if (component.empty() || component == "..") {
            return false;
        }
        if (slash == std::string_view::npos) {
            return true;
        }
        path.remove_prefix(slash + 1);
    }
}

template <std::size_t N>
bool is_one_of(std::string_view text, const std::array<std::string_view, N>& words) {
    return std::find(words.begin(), words.end(), text) != words.end();
}

bool is_name(std::string_view text) {
    return text.size() <= kMaxName && is_word(text, is_lower_or_digit, "._-");
}

bool is_architecture(std::string_view text) {
    return text.size() <= kMaxName && is_word(text, is_lower_or_digit, "-");
}

bool is_package_name(std::string_view text) {
    constexpr std::size_t kMaxFileName = 200; // it becomes part of one
    return text.size() >= 2 && text.size() <= kMaxFileName &&
           is_word(text, is_lower_or_digit, "+-.");
}

bool is_version(std::string_view text) {
    constexpr std::size_t kMaxVersion = 200;
    return text.size() <= kMaxVersion && DebVersion::parse(text).has_value();
}

/// A flat repository's ends in '/'.
bool is_suite(std::string_view text) {
    if (text.ends_with('/')) {
        text.remove_suffix(1);
    }
    return text.size() <= kMaxText && (text.empty() || (text[0] != '-' && stays_below(text))) &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return is_letter_or_digit(c) ||
                      std::string_view("._+~/-").find(c) != std::string_view::npos;
           });
}

bool is_pool_path(std::string_view text) {
    return text.size() <= kMaxText && stays_below(text) && text[0] != '-' &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return c > 0x20 && c < 0x7F && c != '\\' && c != '"';
           });
}

bool is_snapshot(std::string_view text) {
    constexpr std::string_view kForm = "00000000T000000Z";
    return text.empty() ||
           (text.size() == kForm.size() &&
            std::equal(text.begin(), text.end(), kForm.begin(), [](char c, char form) {
                return form == '0' ? c >= '0' && c <= '9' : c == form;
            }));
}

bool is_file_name(std::string_view text) {
    constexpr std::size_t kMaxFileName = 255;
    return !text.empty() && text.size() <= kMaxFileName && text != "." && text != ".." &&
           text[0] != '-' && text.find('/') == std::string_view::npos &&
           !has_control_characters(text);
}

bool is_branch(std::string_view text) {
    return is_one_of(text, std::to_array<std::string_view>({"common", "vm", "oci"}));
}

bool is_multi_arch(std::string_view text) {
    return is_one_of(text, std::to_array<std::string_view>({"no", "same", "foreign", "allowed"}));
}

bool is_source_name(std::string_view text) {
    return is_word(text, is_letter_or_digit, "._+:/-") && stays_below(text);
}

bool is_plain_word(std::string_view text) {
    return text.empty() || is_word(text, is_letter_or_digit, "._+~:-");
}

bool is_location(std::string_view text) {
    return text.empty() || (text.size() <= kMaxText && text[0] != '-' &&
                            !has_control_characters(text) && is_utf8(text));
}

bool is_line(std::string_view text) {
    constexpr std::size_t kMaxLine = 65536; // relations of packages are long
    return text.size() <= kMaxLine && !has_control_characters(text) && is_utf8(text);
}

bool is_tool(std::string_view text) {
    return is_one_of(text, std::to_array<std::string_view>({"Makefile.PL", "Build.PL", "none"}));
}

} // namespace

const LockRule kLockName{"a name", is_name};
const LockRule kLockArchitecture{"an architecture", is_architecture};
const LockRule kLockPackageName{"a package name", is_package_name};
const LockRule kLockVersion{"a valid package version", is_version};
const LockRule kLockSuite{"a suite", is_suite};
const LockRule kLockPoolPath{"a path below an archive", is_pool_path};
const LockRule kLockSnapshot{"a time such as 20231115T101320Z", is_snapshot};
const LockRule kLockFileName{"a file name", is_file_name};
const LockRule kLockBranch{"one of 'common', 'vm', 'oci'", is_branch};
const LockRule kLockMultiArch{"one of 'no', 'same', 'foreign', 'allowed'", is_multi_arch};
const LockRule kLockSourceName{"a source name", is_source_name};
const LockRule kLockWord{"a version or commit", is_plain_word};
const LockRule kLockLocation{"a URL or path", is_location};
const LockRule kLockLine{"one line of text", is_line};
const LockRule kLockTool{"one of 'Makefile.PL', 'Build.PL', 'none'", is_tool};

} // namespace kiln
