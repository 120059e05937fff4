// SPDX-License-Identifier: MIT
#include "run/session/checks.hpp"

#include "base/error.hpp"
#include "base/process/process.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

namespace kiln {

namespace {

/// How a script ended.
struct Verdict {
    Outcome outcome = Outcome::passed;
    std::string message;
    std::string output;
    double seconds = 0;
};

std::string last_line(const std::string& output) {
    const std::vector<std::string> lines = split_lines(trim(output));
    return lines.empty() ? std::string() : std::string(trim(lines.back()));
}

Verdict judge(ScriptResult result, Milliseconds limit) {
    Verdict out{Outcome::passed, {}, std::move(result.output), result.seconds};
    if (result.timed_out) {
        out.outcome = Outcome::failed;
        out.message = fmt::format(
            "timed out after {}", format_duration(std::chrono::duration<double>(limit).count()));
    } else if (result.status == kSkipStatus) {
        out.outcome = Outcome::skipped;
        out.message = last_line(out.output);
        if (out.message.empty()) {
            out.message = "no reason given";
        }
    } else if (result.status != 0) {
        out.outcome = Outcome::failed;
        out.message = describe_exit(result.status);
    }
    return out;
}

class Checker {
  public:
    Checker(const Suite& suite, const CheckOptions& options, const RunScript& run)
        : suite_(suite), options_(options), run_(run) {}

    CheckResult check(const CheckSpec& spec) {
        Verdict verdict;
        if (const std::string reason = reason_to_skip(spec); !reason.empty()) {
            verdict = {Outcome::skipped, reason, {}, 0};
        } else if (std::optional<Verdict> first = prepare(spec.after)) {
            verdict = std::move(*first);
        } else {
            verdict = run("check-" + spec.id, spec.run, spec.timeout);
        }
        return {
            spec.id,
            spec.title,
            verdict.outcome,
            std::move(verdict.message),
            std::move(verdict.output),
            verdict.seconds};
    }

  private:
    Verdict run(const std::string& name, const std::string& text, Milliseconds timeout) {
        const Milliseconds limit = timeout * options_.slowness;
        return judge(run_(name, text, limit), limit);
    }

    [[nodiscard]] std::string reason_to_skip(const CheckSpec& spec) const {
        if (spec.only && *spec.only != options_.kind) {
            return fmt::format("only for {}", kind_name(*spec.only));
        }
        const bool fits = spec.sources.empty() ||
                          std::find(spec.sources.begin(), spec.sources.end(), options_.source) !=
                              spec.sources.end();
        return fits ? std::string()
                    : fmt::format(
                          "only for source {}, not '{}'",
                          fmt::join(spec.sources, " or "),
                          options_.source);
    }

    /// Runs the setups that have not run yet; what kept one from passing, in the words of who
    /// needs it.
    std::optional<Verdict> prepare(const std::vector<std::string>& names) {
        for (const std::string& name : names) {
            const Verdict& verdict = setup(name);
            if (verdict.outcome != Outcome::passed) {
                Verdict out = verdict;
                out.message = fmt::format(
                    "setup '{}' {}: {}",
                    name,
                    out.outcome == Outcome::failed ? "failed" : "was skipped",
                    verdict.message);
                out.seconds = 0;
                return out;
            }
        }
        return std::nullopt;
    }

    const Verdict& setup(const std::string& name) {
        if (const auto done = setups_.find(name); done != setups_.end()) {
            return done->second;
        }
        const SetupSpec* spec = suite_.find_setup(name);
        KILN_CHECK(spec != nullptr);
        std::optional<Verdict> first = prepare(spec->after);
        return setups_
            .emplace(
                name, first ? std::move(*first) : run("setup-" + name, spec->run, spec->timeout))
            .first->second;
    }

    const Suite& suite_;
    const CheckOptions& options_;
    const RunScript& run_;
    std::map<std::string, Verdict> setups_;
};

} // namespace

std::vector<const CheckSpec*>
choose_checks(const Suite& suite, const std::vector<std::string>& wanted) {
    std::vector<std::string_view> ids;
    for (const CheckSpec& check : suite.checks) {
        ids.push_back(check.id);
    }
    for (const std::string& id : wanted) {
        if (std::find(ids.begin(), ids.end(), id) == ids.end()) {
            throw UsageError(fmt::format("suite '{}' has no check '{}'", suite.name, id))
                .with_hint(did_you_mean(id, ids))
                .with_hint(
                    ids.empty() ? "it has none" : fmt::format("it has: {}", fmt::join(ids, ", ")));
        }
    }
    std::vector<const CheckSpec*> out;
    for (const CheckSpec& check : suite.checks) {
        if (wanted.empty() || std::find(wanted.begin(), wanted.end(), check.id) != wanted.end()) {
            out.push_back(&check);
        }
    }
    return out;
}

std::vector<CheckResult> run_checks(
    const Suite& suite,
    const CheckOptions& options,
    const RunScript& run,
    const std::function<void(const CheckSpec&)>& on_start,
    const std::function<void(const CheckResult&)>& on_result) {
    Checker checker(suite, options, run);
    std::vector<CheckResult> out;
    for (const CheckSpec* spec : choose_checks(suite, options.wanted)) {
        on_start(*spec);
        out.push_back(checker.check(*spec));
        on_result(out.back());
    }
    return out;
}

} // namespace kiln
