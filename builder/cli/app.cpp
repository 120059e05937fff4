// SPDX-License-Identifier: MIT
#include "cli/app.hpp"

#include "base/interrupt.hpp"
#include "base/process/resource_limits.hpp"
#include "base/text.hpp"
#include "cli/help.hpp"
#include "cli/parse.hpp"
#include "cli/terminal_output.hpp"
#include "cli/version.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <new>
#include <system_error>

namespace kiln {

namespace {

ConsoleOptions console_options(const GlobalOptions& global, const Io& io) {
    ConsoleOptions options;
    options.terminal = io.terminal && !global.log_json;
    options.json = global.log_json;
    options.level = global.level;
    options.width = io.width;
    return options;
}

ExitCode run_line(const ParsedLine& line, Io& io, Console& console) {
    if (line.global.version) {
        io.out << "kiln " << kVersion << '\n';
        return ExitCode::ok;
    }
    if (line.command == nullptr) {
        if (line.global.help) {
            io.out << overview(io.width);
            return ExitCode::ok;
        }
        console.raw(overview(io.width));
        return ExitCode::usage;
    }
    if (line.global.help) {
        io.out << help_of(*line.command, io.width);
        return ExitCode::ok;
    }
    Context context{io, console, line.global};
    return line.command->run(line.arguments, context);
}

/// Results that did not reach their reader are no results.
void check_output(std::ostream& out) {
    out.flush();
    if (!out) {
        throw Error("cannot write to standard output");
    }
}

/// Runs `body`; what it throws is reported and becomes the exit code.
template <typename Body> ExitCode guarded(Console& console, Body&& body) {
    try {
        return body();
    } catch (const Error& error) {
        console.report(error);
        return error.exit_code();
    } catch (const Interrupted& interrupted) {
        console.report(Error(interrupted.what(), ExitCode::interrupted));
        return ExitCode::interrupted;
    } catch (const std::bad_alloc&) {
        console.report(Error("out of memory"));
        return ExitCode::failed;
    } catch (const std::filesystem::filesystem_error& error) {
        const std::string& path = error.path1().string();
        console.report(Error(fmt::format("'{}': {}", path, error.code().message())));
        return ExitCode::failed;
    } catch (const std::system_error& error) { // threads that cannot be had, and the like
        console.report(Error(fmt::format("system error: {}", error.code().message())));
        return ExitCode::failed;
    } catch (const std::exception& error) {
        console.report(Error(fmt::format("internal error: {}", error.what()), ExitCode::bug)
                           .with_hint("this is a bug in kiln; please report it"));
        return ExitCode::bug;
    }
}

/// How errors of the command line itself are shown, before it is understood.
GlobalOptions guess_global(std::span<const std::string> words) {
    GlobalOptions global;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const bool next_is_json = i + 1 < words.size() && words[i + 1] == "json";
        global.log_json = global.log_json || words[i] == "--log-format=json" ||
                          (words[i] == "--log-format" && next_is_json);
    }
    return global;
}

Environment environment_of_process() {
    Environment out;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text = *entry;
        const std::size_t equals = text.find('=');
        if (equals != std::string_view::npos) {
            out.emplace(text.substr(0, equals), text.substr(equals + 1));
        }
    }
    return out;
}

/// Empty where /proc is not mounted.
std::filesystem::path path_of_program() {
    std::error_code ignored;
    return std::filesystem::read_symlink("/proc/self/exe", ignored);
}

int terminal_width() {
    winsize size{};
    constexpr int kUsual = 80;
    return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUsual;
}

} // namespace

int run_cli(std::span<const std::string> words, Io& io) {
    ParsedLine line;
    line.global = guess_global(words);
    ExitCode code = ExitCode::ok;
    {
        Console console(io.err, console_options(line.global, io));
        code = guarded(console, [&] {
            line = parse_command_line(words);
            return ExitCode::ok;
        });
    }
    if (code == ExitCode::ok) {
        Console console(io.err, console_options(line.global, io));
        code = guarded(console, [&] {
            const ExitCode result = run_line(line, io, console);
            check_output(io.out);
            return result;
        });
    }
    return static_cast<int>(code);
}

int run_on_system(int count, char** arguments) {
    open_standard_descriptors();
    install_interrupt_handlers();
    Console console(std::cerr, {});
    const ExitCode limits = guarded(console, [] {
        raise_own_limits();
        return ExitCode::ok;
    });
    if (limits != ExitCode::ok) {
        return static_cast<int>(limits);
    }
    SystemProcessRunner processes;
    TerminalOutput terminal(std::cout);
    Io io{
        .in = std::cin,
        .out = ::isatty(STDOUT_FILENO) == 1 ? static_cast<std::ostream&>(terminal) : std::cout,
        .err = std::cerr,
        .terminal = ::isatty(STDERR_FILENO) == 1,
        .width = terminal_width(),
        .env = environment_of_process(),
        .processes = processes,
        .program = path_of_program()};
    clean_process_environment();
    const std::vector<std::string> words(arguments + std::min(count, 1), arguments + count);
    return run_cli(words, io);
}

} // namespace kiln
