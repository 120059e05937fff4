// SPDX-License-Identifier: MIT
//
// The only writer to stderr: messages for people and live progress. On a terminal every running
// job has one live line; elsewhere jobs print a line when they start and end. Thread-safe.
//
// Texts may quote anybody: recipes, images, registries, scripts. Here, and nowhere else, control
// characters in them are escaped, for the terminal as for build.log; the second and further lines
// of a text are indented, so that none of them passes for a message of kiln's.
#pragma once

#include "base/error.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace kiln {

enum class Level { error, warning, notice, info, debug };

struct ConsoleOptions {
    bool terminal = false;     ///< live lines and colour
    bool json = false;         ///< one JSON object per line instead of text
    Level level = Level::info; ///< the most detailed level that is shown
    int width = 80;            ///< columns of the terminal
};

class Console;

/// One piece of running work. Ends (as failed, unless finish() was called) when it goes out of
/// scope. Safe to use from any thread.
class Job {
  public:
    /// What `done` and `total` count.
    enum class Unit { none, bytes, items };

    Job(Job&& other) noexcept;
    Job& operator=(Job&&) = delete;
    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;
    ~Job();

    void set_total(std::uint64_t total, Unit unit);
    void add(std::uint64_t amount);
    void set_done(std::uint64_t done);
    /// A few words on what is being done now, such as a package's name; one line of them is shown.
    void note(std::string text);
    /// Ends the job well; `result` is added to its last line.
    void finish(std::string_view result = {});

  private:
    friend class Console;
    struct State;
    Job(Console& console, std::shared_ptr<State> state);
    Console* console_;
    std::shared_ptr<State> state_;
};

class Console {
  public:
    Console(std::ostream& stream, ConsoleOptions options);
    Console(const Console&) = delete;
    Console& operator=(const Console&) = delete;
    ~Console();

    void message(Level level, std::string_view text);

    void warning(std::string_view text) { message(Level::warning, text); }

    void notice(std::string_view text) { message(Level::notice, text); }

    void info(std::string_view text) { message(Level::info, text); }

    void debug(std::string_view text) { message(Level::debug, text); }

    /// Lines that a program printed, each with its newline, as debug messages. Much cheaper than
    /// one call for each when there are millions.
    void output(std::string_view lines);
    /// "error: ...", its details, context and hint.
    void report(const Error& error);
    /// Text that is already laid out (diagnostics, help): lines stay where they begin.
    void raw(std::string_view text);

    [[nodiscard]] Job start(std::string name);

    /// Everything of every level is copied to this stream as well (build.log); not owned. Null to
    /// end it.
    void set_log(std::ostream* log);

    [[nodiscard]] const ConsoleOptions& options() const noexcept { return options_; }

  private:
    friend class Job;
    /// `text` as it may be shown; `json_text` as it is.
    void emit(Level level, std::string_view text, std::string_view json_text);
    void erase_live();
    void draw_live();
    void refresh(bool force);
    void finish_job(const std::shared_ptr<Job::State>& job, std::string_view result, bool ok);

    std::ostream& stream_;
    ConsoleOptions options_;
    std::ostream* log_ = nullptr;
    std::recursive_mutex mutex_;
    std::list<std::shared_ptr<Job::State>> jobs_;
    int live_lines_ = 0;
    std::chrono::steady_clock::time_point last_draw_;
};

} // namespace kiln
