// SPDX-License-Identifier: MIT
#include "firstrun/commands/apply.hpp"

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/io/file.hpp"
#include "base/text.hpp"
#include "firstrun/commands/status.hpp"
#include "firstrun/host/answer_sources.hpp"
#include "firstrun/host/journal.hpp"
#include "firstrun/host/locations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ostream>

namespace kiln::firstrun {

namespace {

constexpr std::size_t kMostReasons = 3; // shown in one line

// These come before the remembered answers can be read. Mounting is done at each boot, so their
// apply() is called even if nothing is new: it checks what is there.
constexpr std::array<Step, 2> kVolumeSteps{{
    {"volume", Where::everywhere, "the data volume", volume_needed, apply_volume},
    {"database-volume",
     Where::machine,
     "the volume of the databases",
     database_volume_needed,
     apply_database_volume},
}};

Accounts read_accounts(const Host& host) {
    return Accounts::parse(
        host.read("/etc/passwd").value_or(""), host.read("/etc/group").value_or(""));
}

std::string summary(const Reasons& reasons) {
    const std::span<const std::string> shown(
        reasons.data(), std::min(reasons.size(), kMostReasons));
    std::string out = join(shown, "; ");
    if (reasons.size() > kMostReasons) {
        out += fmt::format("; and {} more", reasons.size() - kMostReasons);
    }
    return out;
}

class Run {
  public:
    Run(Host& host, const Environment& env, Mode mode, std::ostream& err)
        : host_(host), env_(env), mode_(mode), report_(err), accounts_(read_accounts(host)),
          image_(read_image(host)), journal_(host, image_.id) {}

    void go() {
        const Answers early = gather_answers(host_, env_, mode_);
        {
            Context context = context_with(early);
            for (const Step& step : kVolumeSteps) {
                guarded(context, step, [&] { run_volume_step(context, step); });
            }
        }
        const Answers answers = gather_answers(host_, env_, mode_);
        Context context = context_with(answers);
        for (const Step& step : steps()) {
            if (step.where == Where::everywhere || mode_ == Mode::machine) {
                guarded(context, step, [&] { run_step(context, step); });
            }
            if (host_.exists(locations::kState)) {
                journal_.move_to_volume();
            }
        }
        if (answers.is_default(Key::hostname)) {
            report_.warning("the answer 'hostname' is not set: links in mails use the host name of "
                            "the request");
        }
        result_.done = true;
        write_run_status(context, result_);
        report_.notice(fmt::format("PAUSE is ready: {}", login_hint(host_, answers)));
    }

  private:
    using Clock = std::chrono::steady_clock;

    Context context_with(const Answers& answers) {
        return {host_, answers, accounts_, image_, mode_, report_};
    }

    void run_volume_step(Context& context, const Step& step) {
        if (step.where == Where::machine && mode_ == Mode::container) {
            return;
        }
        const Clock::time_point start = Clock::now();
        const bool was_mounted = host_.is_mount_point(locations::kData);
        step.apply(context);
        if (!was_mounted && host_.is_mount_point(locations::kData)) {
            const std::chrono::duration<double> taken = Clock::now() - start;
            result_.steps.push_back({std::string(step.name), taken.count(), {"mounted"}});
            report_.step_done(step.name, taken.count(), "mounted");
        }
    }

    void run_step(Context& context, const Step& step) {
        throw_if_interrupted();
        const Clock::time_point start = Clock::now();
        const Reasons reasons = step.needed(context);
        if (reasons.empty()) {
            return;
        }
        journal_.begin(step.name, summary(reasons));
        step.apply(context);
        const std::chrono::duration<double> taken = Clock::now() - start;
        if (host_.exists(locations::kState)) {
            journal_.move_to_volume();
        }
        journal_.end(step.name, taken.count());
        report_.step_done(step.name, taken.count(), summary(reasons));
        result_.steps.push_back({std::string(step.name), taken.count(), reasons});
    }

    template <typename Body> void guarded(Context& context, const Step& step, Body&& body) {
        try {
            body();
        } catch (Error& error) {
            error.add_context(fmt::format("in step '{}' ({})", step.name, step.summary));
            record_failure(context, step, error);
            throw;
        }
    }

    /// Best effort: a full or read-only disk may be the failure itself.
    void record_failure(Context& context, const Step& step, const Error& error) noexcept {
        try {
            result_.error = fmt::format("{}: {}", step.name, error.message());
            journal_.fail(step.name, error.message());
            write_run_status(context, result_);
        } catch (...) { // NOLINT(bugprone-empty-catch): the failure itself is what gets reported
        }
    }

    Host& host_;
    const Environment& env_;
    Mode mode_;
    Report report_;
    Accounts accounts_;
    Image image_;
    Journal journal_;
    RunResult result_;
};

void plan_step(Context& context, const Step& step, std::ostream& out) {
    if (step.where == Where::machine && context.mode == Mode::container) {
        return;
    }
    try {
        const Reasons reasons = step.needed(context);
        if (reasons.empty()) {
            out << fmt::format("{}: nothing to do\n", step.name);
        }
        for (const std::string& reason : reasons) {
            out << fmt::format("{}: {}\n", step.name, reason);
        }
    } catch (const Error& error) {
        out << fmt::format("{}: would fail: {}\n", step.name, error.message());
    }
}

} // namespace

void apply(Host& host, const Environment& env, Mode mode, std::ostream& err) {
    host.make_directory(locations::kRun, {}, 0755);
    const FileLock lock =
        FileLock::try_lock(host.real(locations::kRunLock), FileLock::Mode::exclusive);
    if (!lock.is_held()) {
        throw Error("another first-run process is running")
            .with_hint("run 'first-run status' to see its progress");
    }
    Run(host, env, mode, err).go();
}

void plan(Host& host, const Environment& env, Mode mode, std::ostream& out, std::ostream& err) {
    const Answers answers = gather_answers(host, env, mode);
    const Accounts accounts = read_accounts(host);
    Report report(err);
    Context context{host, answers, accounts, read_image(host), mode, report};
    for (const Step& step : kVolumeSteps) {
        plan_step(context, step, out);
    }
    if (mode == Mode::machine && answers.text(Key::volume) != "root" &&
        !host.is_mount_point(locations::kData)) {
        out << "the other steps depend on what is on the volume, which is not mounted\n";
        return;
    }
    for (const Step& step : steps()) {
        plan_step(context, step, out);
    }
}

} // namespace kiln::firstrun
