// SPDX-License-Identifier: MIT
#include "firstrun/commands/app.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "firstrun/answers/answer_table.hpp"
#include "firstrun/commands/apply.hpp"
#include "firstrun/commands/commands.hpp"
#include "firstrun/commands/status.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ostream>

namespace kiln::firstrun {

namespace {

constexpr std::string_view kVersion = "0.1.0";

struct Options {
    std::string command;
    std::string argument;
    Mode mode = Mode::machine;
    Format format = Format::text;
};

struct CommandSpec {
    std::string_view name;
    std::string_view argument; ///< what it must be given, or empty
    std::string_view summary;
    int (*run)(Host&, const Options&, AppContext&);
};

int do_apply(Host& host, const Options& options, AppContext& app) {
    apply(host, app.env, options.mode, app.err);
    return 0;
}

int do_plan(Host& host, const Options& options, AppContext& app) {
    plan(host, app.env, options.mode, app.out, app.err);
    return 0;
}

int do_status(Host& host, const Options& options, AppContext& app) {
    print_status(host, options.format, app.out);
    return 0;
}

int do_recover(Host& host, const Options&, AppContext& app) {
    recover(host, app.err);
    return 0;
}

int do_acme(Host& host, const Options& options, AppContext& app) {
    // Without --container: where systemd does not run, nothing of a machine is there to look at.
    const Mode mode = host.exists("/run/systemd/system") ? options.mode : Mode::container;
    acme(host, app.env, mode, app.err);
    return 0;
}

int do_check_key(Host& host, const Options&, AppContext& app) {
    return check_key(host, app.err);
}

int do_admin_password(Host& host, const Options&, AppContext& app) {
    print_admin_password(host, app.out, app.err);
    return 0;
}

int do_new_password(Host& host, const Options& options, AppContext& app) {
    set_new_password(host, options.argument, app.out);
    return 0;
}

constexpr std::array<CommandSpec, 8> kCommands{{
    {"apply", "", "apply all steps that are needed", do_apply},
    {"plan", "", "print what apply would do and why, without changing anything", do_plan},
    {"status", "", "print what was done, the sources of the answers and expiry dates", do_status},
    {"recover",
     "",
     "after the database is up: remove stale locks, release unfinished rows",
     do_recover},
    {"acme", "", "get or renew the certificate; needs the network", do_acme},
    {"check-key", "", "exit with 1 if the signing key expires within 60 days", do_check_key},
    {"admin-password", "", "print the generated password of the administrator", do_admin_password},
    {"new-password", "USER", "set a new password for a PAUSE user and print it", do_new_password},
}};

void print_help(std::ostream& out) {
    out << "first-run - configure this instance of PAUSE at first boot\n\nusage: first-run COMMAND "
           "[USER] [--container] [--json]\n\ncommands:\n";
    for (const CommandSpec& command : kCommands) {
        const std::string call = fmt::format("{} {}", command.name, command.argument);
        out << fmt::format("  {:<20}{}\n", call, command.summary);
    }
    out << "\noptions:\n  --container     run in a container: the data volume is mounted at "
           "/data\n  --json          status as JSON\n\nanswers, as 'pause:' in YAML, PAUSE_KEY or "
           "PAUSE_KEY_FILE in the environment,\n/run/secrets/pause_key, systemd credential "
           "pause.key:\n";
    for (const KeySpec& spec : answer_table()) {
        std::string notes;
        if (!spec.choices.empty()) {
            notes = fmt::format(" ({})", join(split(spec.choices, ' '), ", "));
        }
        if (!spec.default_value.empty()) {
            notes += fmt::format(" [{}]", spec.default_value);
        }
        out << fmt::format("  {:<22}{}{}\n", spec.name, spec.meaning, notes);
    }
    out << "\nexit codes: 0 done, 1 failed, 2 usage, 3 an answer is not valid\n";
}

Options parse_options(const std::vector<std::string>& args) {
    Options out;
    for (const std::string& arg : args) {
        if (arg == "--container") {
            out.mode = Mode::container;
        } else if (arg == "--json") {
            out.format = Format::json;
        } else if (arg.starts_with('-')) {
            throw UsageError(fmt::format("unknown option '{}'", arg));
        } else if (out.command.empty()) {
            out.command = arg;
        } else if (out.argument.empty()) {
            out.argument = arg;
        } else {
            throw UsageError(fmt::format("unexpected argument '{}'", arg));
        }
    }
    if (out.command.empty()) {
        throw UsageError("missing command; run 'first-run --help' for a list");
    }
    return out;
}

const CommandSpec& find_command(const std::string& name) {
    const auto* const it =
        std::find_if(kCommands.begin(), kCommands.end(), [&](const CommandSpec& row) {
            return row.name == name;
        });
    if (it == kCommands.end()) {
        throw UsageError(
            fmt::format("unknown command '{}'; run 'first-run --help' for a list", name));
    }
    return *it;
}

void check_argument(const CommandSpec& command, const Options& options) {
    if (command.argument.empty() && !options.argument.empty()) {
        throw UsageError(fmt::format("unexpected second command '{}'", options.argument));
    }
    if (!command.argument.empty() && options.argument.empty()) {
        throw UsageError(
            fmt::format("missing argument {}; see 'first-run --help'", command.argument));
    }
}

void print_error(const Error& error, std::ostream& err) {
    err << fmt::format("first-run: error: {}\n", error.message());
    for (const std::string& line : error.details()) {
        err << fmt::format("  {}\n", line);
    }
    for (const std::string& frame : error.context()) {
        err << fmt::format("  {}\n", frame);
    }
    if (!error.hint().empty()) {
        err << fmt::format("hint: {}\n", error.hint());
    }
}

int run(const std::vector<std::string>& args, AppContext& app) {
    if (std::find(args.begin(), args.end(), "--help") != args.end()) {
        print_help(app.out);
        return 0;
    }
    if (std::find(args.begin(), args.end(), "--version") != args.end()) {
        app.out << fmt::format("first-run {}\n", kVersion);
        return 0;
    }
    const Options options = parse_options(args);
    const CommandSpec& command = find_command(options.command);
    check_argument(command, options);
    Host host(app.root, app.launcher, Operations(app.env));
    return command.run(host, options, app);
}

} // namespace

int run_first_run(const std::vector<std::string>& args, AppContext app) {
    try {
        const int status = run(args, app);
        app.out.flush();
        return status;
    } catch (const Error& error) {
        print_error(error, app.err);
        return static_cast<int>(error.exit_code());
    } catch (const Interrupted& interrupted) {
        print_error(Error(interrupted.what()), app.err);
        return static_cast<int>(ExitCode::interrupted);
    } catch (const std::exception& error) {
        app.err << fmt::format("first-run: internal error: {}\n", error.what());
        return static_cast<int>(ExitCode::bug);
    }
}

} // namespace kiln::firstrun
