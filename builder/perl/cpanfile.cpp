// SPDX-License-Identifier: MIT
#include "perl/cpanfile.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <regex>

namespace kiln {

namespace {

/// The expressions below try many ways to match a long line of blanks.
constexpr std::size_t kMaxLine = 256;

std::string without_comment(const std::string& line) {
    return line.substr(0, line.find('#'));
}

} // namespace

std::vector<ModuleNeed> parse_cpanfile(std::string_view text, const std::string& name) {
    static const std::regex kNeed(
        R"(^(requires|recommends|suggests|conflicts)\s*\(?\s*['"]([A-Za-z0-9_:]+)['"])"
        R"(\s*(?:(?:,|=>)\s*['"]?([^'"()]*?)['"]?)?\s*,?\s*\)?;$)");
    static const std::regex kBlock(R"(^on\s+['"]?([a-z]+)['"]?\s*=>\s*sub\s*\{$)");
    static const std::regex kFeature(R"(^feature\b.*\{$)");
    std::vector<ModuleNeed> out;
    std::string phase = "runtime";
    int number = 0;
    for (const std::string& raw : split_lines(text)) {
        ++number;
        const std::string line(trim(without_comment(raw)));
        std::smatch match;
        if (line.empty()) {
            continue;
        }
        if (line.size() > kMaxLine) {
            throw Error(fmt::format("{}:{}: longer than {} characters", name, number, kMaxLine));
        }
        if (line == "};" || line == "}") {
            phase = "runtime";
        } else if (std::regex_match(line, match, kBlock)) {
            phase = match[1].str();
        } else if (std::regex_match(line, match, kFeature)) {
            phase = "feature";
        } else if (std::regex_match(line, match, kNeed)) {
            const auto range = VersionRange::parse(match[3].str());
            const bool wanted = match[1].str() == "requires" &&
                                (phase == "runtime" || phase == "build" || phase == "configure");
            if (!range) {
                throw Error(fmt::format(
                    "{}:{}: '{}' is not a valid version", name, number, match[3].str()));
            }
            if (wanted) {
                out.push_back({NeedPhase::runtime, match[2].str(), *range});
            }
        } else {
            throw Error(fmt::format("{}:{}: syntax error at '{}'", name, number, line));
        }
    }
    return out;
}

} // namespace kiln
