// SPDX-License-Identifier: MIT
#include "debian/apt_sources.hpp"

#include "base/io/file.hpp"
#include "base/text.hpp"
#include "debian/deb822.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <system_error>

namespace kiln {

namespace {

std::optional<std::string> usable_uri(std::string_view uri) {
    constexpr std::array<std::string_view, 3> kSchemes{"http://", "https://", "file:"};
    const bool usable = std::any_of(kSchemes.begin(), kSchemes.end(), [&](std::string_view each) {
        return uri.starts_with(each);
    });
    if (!usable) {
        return std::nullopt;
    }
    while (uri.size() > 1 && uri.ends_with('/')) {
        uri.remove_suffix(1);
    }
    // apt writes file:/path; a URL for everybody else is file:///path.
    if (uri.starts_with("file:/") && !uri.starts_with("file://")) {
        return "file://" + std::string(uri.substr(5));
    }
    return std::string(uri);
}

bool is_no(std::string_view value) {
    std::string low(value);
    std::transform(low.begin(), low.end(), low.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return low == "no" || low == "false" || low == "without" || low == "off" || low == "disable" ||
           low == "0";
}

/// Removes "[...]" that is second in the words; false when it does not end.
bool drop_options(std::vector<std::string>& words) {
    if (words.size() < 2 || !words[1].starts_with('[')) {
        return true;
    }
    auto end = words.begin() + 1;
    while (end != words.end() && !end->ends_with(']')) {
        ++end;
    }
    if (end == words.end()) {
        return false;
    }
    words.erase(words.begin() + 1, end + 1);
    return true;
}

} // namespace

std::vector<AptSource> parse_apt_list(std::string_view text) {
    std::vector<AptSource> out;
    for (const std::string& line : split_lines(text)) {
        std::vector<std::string> words = deb822_words(line.substr(0, line.find('#')));
        if (words.empty() || words[0] != "deb" || !drop_options(words) || words.size() < 3) {
            continue;
        }
        if (auto uri = usable_uri(words[1])) {
            out.push_back({std::move(*uri), words[2], {words.begin() + 3, words.end()}});
        }
    }
    return out;
}

std::vector<AptSource> parse_apt_sources(std::string_view text, const std::string& name) {
    std::vector<AptSource> out;
    for (const Deb822Paragraph& source : parse_deb822(text, name, Deb822Comments::allowed)) {
        const std::vector<std::string> types = deb822_words(source.get("Types"));
        if (is_no(source.get("Enabled")) ||
            std::find(types.begin(), types.end(), "deb") == types.end()) {
            continue;
        }
        for (const std::string& suite : deb822_words(source.get("Suites"))) {
            for (const std::string& uri : deb822_words(source.get("URIs"))) {
                if (auto usable = usable_uri(uri)) {
                    out.push_back(
                        {std::move(*usable), suite, deb822_words(source.get("Components"))});
                }
            }
        }
    }
    return out;
}

std::vector<AptSource> load_apt_sources(const std::filesystem::path& etc_apt) {
    std::vector<fs::path> files;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(etc_apt / "sources.list.d", error)) {
        const std::string extension = entry.path().extension().string();
        if (extension == ".list" || extension == ".sources") {
            files.push_back(entry.path());
        }
    }
    std::sort(files.begin(), files.end());
    files.insert(files.begin(), etc_apt / "sources.list");
    std::vector<AptSource> out;
    for (const fs::path& file : files) {
        if (!fs::is_regular_file(file, error)) {
            continue;
        }
        const std::string text = read_text_file(file);
        auto found = file.extension() == ".sources" ? parse_apt_sources(text, file.string())
                                                    : parse_apt_list(text);
        out.insert(
            out.end(),
            std::make_move_iterator(found.begin()),
            std::make_move_iterator(found.end()));
    }
    return out;
}

} // namespace kiln
