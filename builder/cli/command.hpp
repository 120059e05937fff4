// SPDX-License-Identifier: MIT
//
// A command as data: the parser, --help, the manual pages and the shells' completion are all made
// from these tables. A new command is one file `command_NAME.cpp` with a CommandSpec and one line
// in each of commands.hpp and commands.cpp.
#pragma once

#include "base/console.hpp"
#include "base/error.hpp"
#include "cli/io.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

/// What a shell offers for a value.
enum class Completes { nothing, file, directory, recipe, command };

struct OptionSpec {
    std::string_view name;       ///< "--mirror"
    std::string_view value = {}; ///< "URL"; empty for a flag
    std::string_view doc;        ///< lower case, no full stop
    bool repeatable = false;
    std::span<const std::string_view> choices = {}; ///< the only values, when given
    Completes completes = Completes::nothing;
    char letter = 0; ///< of a short form
};

enum class Count { one, optional, any, at_least_one };

struct PositionalSpec {
    std::string_view name; ///< "RECIPE"
    std::string_view doc;
    Count count = Count::one;
    std::span<const std::string_view> choices = {};
    Completes completes = Completes::nothing;
};

struct Example {
    std::string_view line; ///< a whole command line
    std::string_view does; ///< lower case, no full stop
};

/// What the user gave, by the names of the command's table. Asking for a name that the table does
/// not have is a bug.
class Arguments {
  public:
    [[nodiscard]] bool flag(std::string_view option) const;
    [[nodiscard]] std::optional<std::string> value(std::string_view option) const;
    [[nodiscard]] std::string value_or(std::string_view option, std::string_view fallback) const;
    /// Of a repeatable option, in the order given.
    [[nodiscard]] const std::vector<std::string>& values(std::string_view option) const;
    /// Throws UsageError when the value is not a whole number from `minimum` to `maximum`.
    [[nodiscard]] std::optional<std::uint64_t>
    number(std::string_view option, std::uint64_t minimum, std::uint64_t maximum) const;

    [[nodiscard]] const std::string& positional(std::string_view name) const;
    [[nodiscard]] std::optional<std::string> optional_positional(std::string_view name) const;
    [[nodiscard]] const std::vector<std::string>& positionals(std::string_view name) const;

    /// For the parser, and for tests: declares a name with what was given for it. A flag that was
    /// given has one empty value.
    void set(std::string_view name, std::vector<std::string> values);

  private:
    std::map<std::string, std::vector<std::string>, std::less<>> given_;
};

/// Options that every command has.
struct GlobalOptions {
    bool help = false;
    bool version = false;
    bool json = false;     ///< results as JSON on standard output
    bool debug = false;    ///< keep working directories, show where errors come from
    bool log_json = false; ///< messages as JSON, one object a line
    Level level = Level::info;
};

struct Context {
    Io& io;
    Console& console;
    const GlobalOptions& global;
};

struct CommandSpec {
    std::string_view name;        ///< "check"; of a group, both words: "publish registry"
    std::string_view summary;     ///< one line, lower case, no full stop
    std::string_view description; ///< whole sentences; blank lines separate paragraphs
    std::string_view also = {};   ///< a last paragraph, which other commands have too
    std::span<const Example> examples;
    std::span<const OptionSpec> options = {};
    std::span<const PositionalSpec> positionals = {};
    /// Throws Error when it cannot do what it is asked to. Other outcomes than `ok` are for
    /// commands whose result is a verdict (`diff`, `verify`).
    ExitCode (*run)(const Arguments&, Context&) = nullptr;
    bool hidden = false; ///< not shown in lists
};

/// With the last paragraph.
[[nodiscard]] inline std::string whole_description(const CommandSpec& command) {
    std::string out(command.description);
    return command.also.empty() ? out : out.append("\n\n").append(command.also);
}

[[nodiscard]] std::span<const OptionSpec> global_option_specs();

} // namespace kiln
