// SPDX-License-Identifier: MIT
#include "base/json.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/options/run_options.hpp"
#include "run/session/checks.hpp"
#include "run/session/report.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <ostream>

namespace kiln {

namespace {

constexpr auto kExamples = std::to_array<Example>({
    {"kiln accept pause", "test the container image in images/out/pause"},
    {"kiln accept pause --vm --junit pause-vm.xml",
     "test the disk image and also write a JUnit XML report"},
    {"kiln accept pause --check 17 --check 41", "run only two checks"},
    {"kiln accept pause --list", "list the checks of the suite"},
    {"kiln accept web.qcow2 --suite web-suite.yaml --keep",
     "use another suite, and keep disks and logs for inspection"},
});

constexpr OptionSpec kCheckOption{
    .name = "--check", .value = "ID", .doc = "run only this check", .repeatable = true};
constexpr OptionSpec kListOption{
    .name = "--list", .doc = "list the checks of the suite without running them"};
constexpr OptionSpec kJunitOption{
    .name = "--junit",
    .value = "FILE",
    .doc = "also write the results as JUnit XML to this file",
    .completes = Completes::file};

constexpr std::array kOptions{
    kDockerOption,
    kVmOption,
    kCheckOption,
    kListOption,
    kJunitOption,
    kSuiteOption,
    kRunRecipeOption,
    kSuiteSetOption,
    kPortOption,
    kDataOption,
    kKeepOption,
    kFirmwareOption,
    kEmulateOption,
    kEngineOption,
    kNetworkOption};
constexpr std::array kPositionals{kInstanceImagePositional};

void list_checks(const std::vector<const CheckSpec*>& checks, Context& context) {
    if (context.global.json) {
        auto json = nlohmann::ordered_json::array();
        for (const CheckSpec* check : checks) {
            json.push_back(
                {{"check", check->id},
                 {"title", check->title},
                 {"only", check->only ? kind_name(*check->only) : ""},
                 {"source", check->sources},
                 {"after", check->after}});
        }
        context.io.out << json_text(json) << '\n';
        return;
    }
    for (const CheckSpec* check : checks) {
        context.io.out << fmt::format(
            "{:<8} {}{}\n",
            check->id,
            check->title,
            check->only ? fmt::format(" ({} only)", kind_name(*check->only)) : "");
    }
}

/// Results that go to standard output as they come, and to files at the end.
class Reporter {
  public:
    Reporter(std::string suite, InstanceKind kind, std::string junit, Context& context)
        : suite_(std::move(suite)), kind_(kind), junit_(std::move(junit)), context_(context) {}

    void begin(std::size_t count) {
        if (!context_.global.json) {
            context_.io.out << tap_head(count) << std::flush;
        }
    }

    void add(const CheckResult& result) {
        results_.push_back(result);
        if (!context_.global.json) {
            context_.io.out << tap_point(results_.size(), result) << std::flush;
        }
    }

    /// No check could be run: each has failed for the same reason.
    void give_up(const std::vector<const CheckSpec*>& checks, const std::string& why) {
        for (const CheckSpec* check : checks) {
            results_.push_back({check->id, check->title, Outcome::failed, why, {}, 0});
        }
        if (!context_.global.json) {
            context_.io.out << fmt::format("Bail out! {}\n", why) << std::flush;
        }
        finish();
    }

    void finish() {
        if (context_.global.json) {
            context_.io.out << json_text(results_json(suite_, kind_, results_)) << '\n';
        }
        if (!junit_.empty()) {
            write_file_atomically(junit_, junit_xml(suite_, kind_, results_));
        }
        const CheckCounts counts = count_outcomes(results_);
        context_.console.info(fmt::format(
            "{} passed, {} failed, {} skipped", counts.passed, counts.failed, counts.skipped));
        for (const CheckResult& result : results_) {
            if (result.outcome == Outcome::failed) {
                context_.console.notice(
                    fmt::format("failed: {}: {} ({})", result.id, result.title, result.message));
            }
        }
    }

    [[nodiscard]] bool all_well() const { return count_outcomes(results_).failed == 0; }

  private:
    std::string suite_;
    InstanceKind kind_;
    std::string junit_;
    Context& context_;
    std::vector<CheckResult> results_;
};

ExitCode run(const Arguments& arguments, Context& context) {
    SessionRequest request = session_request(arguments, context);
    if (!request.suite) {
        throw UsageError(fmt::format("no suite found for '{}'", arguments.positional("IMAGE")))
            .with_hint("use --suite FILE, or set 'accept' in the recipe");
    }
    const Suite suite = *request.suite;
    const std::vector<const CheckSpec*> checks =
        choose_checks(suite, arguments.values(kCheckOption.name));
    if (arguments.flag(kListOption.name)) {
        list_checks(checks, context);
        return ExitCode::ok;
    }
    CheckOptions options;
    options.kind = request.kind;
    options.wanted = arguments.values(kCheckOption.name);
    Reporter reporter(suite.name, request.kind, arguments.value_or(kJunitOption.name, ""), context);
    reporter.begin(checks.size());
    Session session(std::move(request), context.console, context.io.processes);
    try {
        session.open();
        options.source = session.find_source();
    } catch (const UsageError&) {
        throw;
    } catch (const Error& error) {
        reporter.give_up(checks, error.message());
        throw;
    }
    options.slowness = session.slowness();
    std::optional<Job> job;
    static_cast<void>(run_checks(
        suite,
        options,
        [&](const std::string& name, const std::string& text, Milliseconds timeout) {
            return session.run_script(name, text, timeout);
        },
        [&](const CheckSpec& check) {
            job.emplace(context.console.start(fmt::format("check {}", check.id)));
        },
        [&](const CheckResult& result) {
            job->finish();
            reporter.add(result);
        }));
    session.close();
    reporter.finish();
    return reporter.all_well() ? ExitCode::ok : ExitCode::failed;
}

} // namespace

const CommandSpec kAcceptCommand{
    .name = "accept",
    .summary = "run the acceptance suite of an image",
    .description =
        R"(Starts an instance of the image like 'kiln run', waits until it is ready, runs the checks
of its suite one after another, and removes the instance. See docs/accept.md for the format of
suites.

Prints TAP 14 to standard output, or one JSON object with --json. Exits with 1 if a check failed
or the instance did not become ready. Skipped checks give a reason and do not count as failures.)",
    .examples = kExamples,
    .options = kOptions,
    .positionals = kPositionals,
    .run = run};

} // namespace kiln
