// SPDX-License-Identifier: MIT
#include "base/console.hpp"

#include "base/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <ostream>
#include <utility>

namespace kiln {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

std::string_view level_name(Level level) {
    static constexpr std::array<std::string_view, 5> kNames{
        "error", "warning", "notice", "info", "debug"};
    return kNames.at(static_cast<std::size_t>(level));
}

/// No line is longer, whatever somebody prints.
constexpr std::size_t kMaxLine = 4096;

/// Bytes of the first `width` characters of a line that is printable already.
std::size_t cut_to(std::string_view line, std::size_t width) {
    std::size_t bytes = 0;
    for (; bytes < line.size() && width > 0; --width) {
        bytes += std::max<std::size_t>(utf8_length(line.substr(bytes)), 1);
    }
    return bytes;
}

/// As lines of one message: those after the first are indented.
std::string as_lines(std::string_view text, std::string_view indent = "  ") {
    std::string out;
    for (const std::string& line : split_lines(printable_lines(text, kMaxLine))) {
        out +=
            out.empty() ? line : fmt::format("\n{}{}", line.starts_with(' ') ? "" : indent, line);
    }
    return out;
}

std::string prefix(Level level) {
    return level <= Level::warning ? fmt::format("{}: ", level_name(level)) : std::string();
}

} // namespace

struct Job::State {
    std::string name;
    std::string note;
    std::uint64_t done = 0;
    std::uint64_t total = 0;
    Unit unit = Unit::none;
    Clock::time_point start = Clock::now();
    Clock::time_point last_plain = Clock::now();

    [[nodiscard]] std::string amount() const {
        const auto show = [&](std::uint64_t value) {
            return unit == Unit::bytes ? format_size(value) : std::to_string(value);
        };
        if (unit == Unit::none) {
            return {};
        }
        return total == 0 ? show(done) : fmt::format("{} of {}", show(done), show(total));
    }

    [[nodiscard]] std::string rate_and_rest() const {
        const double elapsed = seconds_since(start);
        if (unit == Unit::none || done == 0 || elapsed < 1) {
            return {};
        }
        const double rate = static_cast<double>(done) / elapsed;
        std::string out;
        if (unit == Unit::bytes) {
            out = fmt::format(", {}/s", format_size(static_cast<std::uint64_t>(rate)));
        }
        if (total > done) {
            out +=
                fmt::format(", {} left", format_duration(static_cast<double>(total - done) / rate));
        }
        return out;
    }

    [[nodiscard]] std::string line() const {
        std::string out = fmt::format("{} {}", name, format_duration(seconds_since(start)));
        if (const std::string text = amount(); !text.empty()) {
            out += fmt::format("  {}{}", text, rate_and_rest());
        }
        if (!note.empty()) {
            out += "  " + note;
        }
        std::ranges::replace(out, '\t', ' '); // its width is known, then
        return printable(out, kMaxLine);
    }
};

Job::Job(Console& console, std::shared_ptr<State> state)
    : console_(&console), state_(std::move(state)) {}

Job::Job(Job&& other) noexcept : console_(other.console_), state_(std::move(other.state_)) {}

Job::~Job() {
    if (!state_) {
        return;
    }
    try {
        console_->finish_job(std::exchange(state_, nullptr), {}, false);
    } catch (...) { // a lost line of progress is no reason to end
        return;
    }
}

void Job::set_total(std::uint64_t total, Unit unit) {
    const std::lock_guard lock(console_->mutex_);
    state_->total = total;
    state_->unit = unit;
    console_->refresh(false);
}

void Job::add(std::uint64_t amount) {
    const std::lock_guard lock(console_->mutex_);
    state_->done += amount;
    console_->refresh(false);
}

void Job::set_done(std::uint64_t done) {
    const std::lock_guard lock(console_->mutex_);
    state_->done = done;
    console_->refresh(false);
}

void Job::note(std::string text) {
    const std::lock_guard lock(console_->mutex_);
    state_->note = std::move(text);
    console_->refresh(false);
}

void Job::finish(std::string_view result) {
    console_->finish_job(std::exchange(state_, nullptr), result, true);
}

Console::Console(std::ostream& stream, ConsoleOptions options)
    : stream_(stream), options_(options) {}

Console::~Console() {
    const std::lock_guard lock(mutex_);
    erase_live();
}

void Console::emit(Level level, std::string_view text, std::string_view json_text) {
    if (log_ != nullptr) {
        *log_ << prefix(level) << text << '\n' << std::flush;
    }
    if (level > options_.level) {
        return;
    }
    erase_live();
    if (options_.json) {
        // All ASCII: a terminal obeys some characters beyond it.
        const nlohmann::ordered_json line{{"level", level_name(level)}, {"message", json_text}};
        stream_ << line.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) << '\n';
    } else {
        stream_ << prefix(level) << text << '\n';
    }
    stream_.flush();
    draw_live();
}

void Console::message(Level level, std::string_view text) {
    const std::lock_guard lock(mutex_);
    emit(level, as_lines(text), text);
}

void Console::output(std::string_view lines) {
    if (options_.level >= Level::debug && options_.json) {
        for (const std::string& line : split_lines(lines)) {
            debug(line);
        }
        return;
    }
    std::string safe = printable_lines(lines, kMaxLine);
    if (!safe.ends_with('\n')) {
        safe += '\n';
    }
    const std::lock_guard lock(mutex_);
    if (log_ != nullptr) {
        *log_ << safe << std::flush;
    }
    if (options_.level >= Level::debug) {
        erase_live();
        stream_ << safe << std::flush;
        draw_live();
    }
}

void Console::raw(std::string_view text) {
    const std::string safe = printable_lines(text, kMaxLine);
    const std::lock_guard lock(mutex_);
    erase_live();
    if (log_ != nullptr) {
        *log_ << safe << std::flush;
    }
    stream_ << safe;
    stream_.flush();
    draw_live();
}

void Console::report(const Error& error) {
    std::string text = as_lines(error.message());
    std::string plain = error.message();
    const auto add = [&](std::string_view before, const std::string& more) {
        text += fmt::format("\n{}{}", before, as_lines(more, "    "));
        plain += fmt::format("\n{}{}", before, more);
    };
    for (const std::string& line : error.details()) {
        add("  ", line);
    }
    for (const std::string& frame : error.context()) {
        add("  while ", frame);
    }
    if (!error.hint().empty()) {
        add("hint: ", error.hint());
    }
    const std::string where =
        fmt::format("thrown at {}:{}", error.where().file_name(), error.where().line());
    const std::lock_guard lock(mutex_);
    emit(Level::error, text, plain);
    emit(Level::debug, where, where);
}

Job Console::start(std::string name) {
    const std::lock_guard lock(mutex_);
    auto state = std::make_shared<Job::State>();
    state->name = std::move(name);
    jobs_.push_back(state);
    if (!options_.terminal) {
        message(Level::info, fmt::format("{} ...", state->name));
    }
    refresh(true);
    return Job(*this, std::move(state));
}

void Console::finish_job(const std::shared_ptr<Job::State>& job, std::string_view result, bool ok) {
    const std::lock_guard lock(mutex_);
    jobs_.remove(job);
    const std::string amount = job->amount();
    const std::string tail = fmt::format(
        "{}{}{}{}", amount.empty() ? "" : ", ", amount, result.empty() ? "" : ", ", result);
    message(
        ok ? Level::info : Level::notice,
        fmt::format(
            "{} {} in {}{}",
            job->name,
            ok ? "done" : "stopped",
            format_duration(seconds_since(job->start)),
            ok ? tail : std::string()));
}

void Console::set_log(std::ostream* log) {
    const std::lock_guard lock(mutex_);
    log_ = log;
}

void Console::erase_live() {
    for (; live_lines_ > 0; --live_lines_) {
        stream_ << "\x1b[1A\x1b[2K";
    }
}

void Console::draw_live() {
    if (!options_.terminal || options_.json || options_.level < Level::info) {
        return;
    }
    const auto width = static_cast<std::size_t>(std::max(options_.width - 1, 20));
    for (const auto& job : jobs_) {
        const std::string line = job->line();
        stream_ << line.substr(0, cut_to(line, width)) << '\n';
        ++live_lines_;
    }
    stream_.flush();
    last_draw_ = Clock::now();
}

void Console::refresh(bool force) {
    if (options_.terminal) {
        if (force || seconds_since(last_draw_) > 0.1) {
            erase_live();
            draw_live();
        }
        return;
    }
    for (const auto& job : jobs_) {
        if (seconds_since(job->last_plain) > 10) {
            job->last_plain = Clock::now();
            message(Level::info, job->line());
        }
    }
}

} // namespace kiln
