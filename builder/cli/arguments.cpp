// SPDX-License-Identifier: MIT
#include "base/text.hpp"
#include "cli/command.hpp"

#include <fmt/format.h>

#include <array>

namespace kiln {

const std::vector<std::string>& Arguments::values(std::string_view option) const {
    const auto found = given_.find(option);
    KILN_CHECK(found != given_.end());
    return found->second;
}

bool Arguments::flag(std::string_view option) const {
    return !values(option).empty();
}

std::optional<std::string> Arguments::value(std::string_view option) const {
    const std::vector<std::string>& all = values(option);
    return all.empty() ? std::nullopt : std::optional(all.back());
}

std::string Arguments::value_or(std::string_view option, std::string_view fallback) const {
    return value(option).value_or(std::string(fallback));
}

std::optional<std::uint64_t>
Arguments::number(std::string_view option, std::uint64_t minimum, std::uint64_t maximum) const {
    const std::optional<std::string> text = value(option);
    if (!text) {
        return std::nullopt;
    }
    const std::optional<std::uint64_t> number = parse_unsigned(*text);
    if (!number || *number < minimum || *number > maximum) {
        throw UsageError(fmt::format(
            "option '{}' requires a whole number from {} to {}, not '{}'",
            option,
            minimum,
            maximum,
            *text));
    }
    return number;
}

const std::string& Arguments::positional(std::string_view name) const {
    const std::vector<std::string>& all = values(name);
    KILN_CHECK(!all.empty());
    return all.front();
}

std::optional<std::string> Arguments::optional_positional(std::string_view name) const {
    return value(name);
}

const std::vector<std::string>& Arguments::positionals(std::string_view name) const {
    return values(name);
}

void Arguments::set(std::string_view name, std::vector<std::string> values) {
    given_.insert_or_assign(std::string(name), std::move(values));
}

std::span<const OptionSpec> global_option_specs() {
    static constexpr auto kLogFormats = std::to_array<std::string_view>({"text", "json"});
    static constexpr auto kOptions = std::to_array<OptionSpec>({
        {.name = "--help", .doc = "show help for the command and exit", .letter = 'h'},
        {.name = "--version", .doc = "show the version and exit"},
        {.name = "--quiet", .doc = "show warnings and errors only", .letter = 'q'},
        {.name = "--verbose", .doc = "show every step", .letter = 'v'},
        {.name = "--debug",
         .doc = "show every step and the source location of errors, and keep working directories"},
        {.name = "--json", .doc = "write results as JSON to standard output"},
        {.name = "--log-format",
         .value = "FORMAT",
         .doc = "format of messages: text, or JSON with one object per line",
         .choices = kLogFormats},
    });
    return kOptions;
}

} // namespace kiln
