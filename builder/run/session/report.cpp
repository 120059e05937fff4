// SPDX-License-Identifier: MIT
#include "run/session/report.hpp"

#include "base/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace kiln {

namespace {

/// UTF-8 without characters that XML 1.0 or YAML has no place for.
std::string without_controls(std::string_view text) {
    // The JSON library puts U+FFFD in the place of what is not valid UTF-8.
    const std::string clean = nlohmann::json::parse(
        nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    std::string out;
    for (const char c : clean) {
        const auto byte = static_cast<unsigned char>(c);
        const bool is_plain = (byte >= 0x20 && byte < 0x7f) || c == '\n' || c == '\t';
        if (is_plain || byte >= 0x80) {
            out += c;
        }
    }
    return out;
}

/// A description: '#' would begin a directive.
std::string tap_text(std::string_view text) {
    std::string out;
    for (const char c : without_controls(text)) {
        if (c == '#' || c == '\\') {
            out += '\\';
        }
        out += c == '\n' ? ' ' : c;
    }
    return out;
}

std::string yaml_quote(std::string_view text) {
    std::string out = "'";
    for (const char c : without_controls(text)) {
        out += c == '\'' ? "''" : std::string(1, c == '\n' ? ' ' : c);
    }
    return out + "'";
}

std::string xml_text(std::string_view text) {
    std::string out;
    for (const char c : without_controls(text)) {
        switch (c) {
        case '&':
            out += "&amp;";
            break;
        case '<':
            out += "&lt;";
            break;
        case '>':
            out += "&gt;";
            break;
        case '"':
            out += "&quot;";
            break;
        default:
            out += c;
        }
    }
    return out;
}

std::string_view outcome_name(Outcome outcome) {
    switch (outcome) {
    case Outcome::passed:
        return "passed";
    case Outcome::failed:
        return "failed";
    case Outcome::skipped:
        return "skipped";
    }
    return {};
}

} // namespace

CheckCounts count_outcomes(const std::vector<CheckResult>& results) {
    CheckCounts out;
    for (const CheckResult& result : results) {
        out.passed += result.outcome == Outcome::passed ? 1 : 0;
        out.failed += result.outcome == Outcome::failed ? 1 : 0;
        out.skipped += result.outcome == Outcome::skipped ? 1 : 0;
    }
    return out;
}

std::string tap_head(std::size_t count) {
    return fmt::format("TAP version 14\n1..{}\n", count);
}

std::string tap_point(std::size_t number, const CheckResult& result) {
    std::string out = fmt::format(
        "{}ok {} - {}: {}",
        result.outcome == Outcome::failed ? "not " : "",
        number,
        tap_text(result.id),
        tap_text(result.title));
    if (result.outcome == Outcome::skipped) {
        out += fmt::format(" # SKIP {}", tap_text(result.message));
    }
    out += '\n';
    if (result.outcome != Outcome::failed) {
        return out;
    }
    out += fmt::format(
        "  ---\n  message: {}\n  seconds: {:.1f}\n", yaml_quote(result.message), result.seconds);
    if (!result.output.empty()) {
        out += "  output: |2\n"; // the output may begin with blanks
        for (const std::string& line : split_lines(without_controls(result.output))) {
            out += line.empty() ? "\n" : fmt::format("    {}\n", line);
        }
    }
    return out + "  ...\n";
}

std::string
junit_xml(std::string_view suite, InstanceKind kind, const std::vector<CheckResult>& results) {
    const CheckCounts counts = count_outcomes(results);
    double seconds = 0;
    for (const CheckResult& result : results) {
        seconds += result.seconds;
    }
    const std::string name = xml_text(fmt::format("{}.{}", suite, kind_name(kind)));
    std::string out = fmt::format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<testsuites>\n"
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\" time=\"{:.3f}\">\n",
        name,
        results.size(),
        counts.failed,
        counts.skipped,
        seconds);
    for (const CheckResult& result : results) {
        out += fmt::format(
            "    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3f}\">\n",
            name,
            xml_text(fmt::format("{}: {}", result.id, result.title)),
            result.seconds);
        if (result.outcome == Outcome::failed) {
            out += fmt::format("      <failure message=\"{}\"/>\n", xml_text(result.message));
        } else if (result.outcome == Outcome::skipped) {
            out += fmt::format("      <skipped message=\"{}\"/>\n", xml_text(result.message));
        }
        if (!result.output.empty()) {
            out += fmt::format("      <system-out>{}</system-out>\n", xml_text(result.output));
        }
        out += "    </testcase>\n";
    }
    return out + "  </testsuite>\n</testsuites>\n";
}

nlohmann::ordered_json
results_json(std::string_view suite, InstanceKind kind, const std::vector<CheckResult>& results) {
    const CheckCounts counts = count_outcomes(results);
    nlohmann::ordered_json out{
        {"suite", suite},
        {"kind", kind_name(kind)},
        {"passed", counts.passed},
        {"failed", counts.failed},
        {"skipped", counts.skipped},
        {"checks", nlohmann::ordered_json::array()}};
    for (const CheckResult& result : results) {
        out["checks"].push_back(
            {{"check", result.id},
             {"title", result.title},
             {"outcome", outcome_name(result.outcome)},
             {"message", result.message},
             {"seconds", result.seconds},
             {"output", result.output}});
    }
    return out;
}

} // namespace kiln
