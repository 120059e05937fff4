// SPDX-License-Identifier: MIT
//
// The exceptions that end a command: what failed, in which context, what the user can do about it,
// and the exit code that follows. Faults in the user's own files go to Diagnostics instead.
#pragma once

#include <cerrno>
#include <exception>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kiln {

/// Process exit codes, a documented contract (docs/architecture.md, `kiln --help`).
enum class ExitCode : int {
    ok = 0,
    failed = 1,
    usage = 2,
    invalid_recipe = 3,
    differs = 4,
    remote_refused = 5,
    bug = 70,
    interrupted = 130,
};

/// A failure that the current command cannot recover from. Messages are lower case, without a full
/// stop, names in 'single quotes'.
class Error : public std::exception {
  public:
    explicit Error(
        std::string message,
        ExitCode code = ExitCode::failed,
        std::source_location where = std::source_location::current());

    [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }

    [[nodiscard]] const std::string& message() const noexcept { return message_; }

    [[nodiscard]] const std::string& hint() const noexcept { return hint_; }

    /// "while ..." lines, innermost first.
    [[nodiscard]] const std::vector<std::string>& context() const noexcept { return context_; }

    /// Further lines that belong to the message, such as the end of a failed program's output.
    [[nodiscard]] const std::vector<std::string>& details() const noexcept { return details_; }

    [[nodiscard]] ExitCode exit_code() const noexcept { return code_; }

    [[nodiscard]] const std::source_location& where() const noexcept { return where_; }

    /// Returns this error with a hint of what the user can do, unless it has one.
    Error&& with_hint(std::string hint) && {
        set_hint_if_empty(std::move(hint));
        return std::move(*this);
    }

    /// Returns this error with lines printed below the message.
    Error&& with_details(std::vector<std::string> lines) && {
        set_details(std::move(lines));
        return std::move(*this);
    }

    /// Adds a frame; used while an exception passes (see with_context()).
    void add_context(std::string frame) { context_.push_back(std::move(frame)); }

    /// Sets the hint of an error that is being handled, unless it has one.
    void set_hint_if_empty(std::string hint);

    void set_details(std::vector<std::string> lines) { details_ = std::move(lines); }

  private:
    std::string message_;
    std::string hint_;
    std::vector<std::string> context_;
    std::vector<std::string> details_;
    ExitCode code_;
    std::source_location where_;
};

/// Base of the errors of a separate kind: what is hung on them keeps their type.
template <typename Self> class ErrorOfKind : public Error {
  public:
    using Error::Error;

    Self&& with_hint(std::string hint) && {
        set_hint_if_empty(std::move(hint));
        return static_cast<Self&&>(*this);
    }

    Self&& with_details(std::vector<std::string> lines) && {
        set_details(std::move(lines));
        return static_cast<Self&&>(*this);
    }
};

/// A system call failed; the text of `error_number` is appended to the message.
class SystemError : public ErrorOfKind<SystemError> {
  public:
    explicit SystemError(
        const std::string& message,
        int error_number = errno,
        std::source_location where = std::source_location::current());

    [[nodiscard]] int error_number() const noexcept { return error_number_; }

  private:
    int error_number_;
};

/// The command line is wrong (exit code 2).
class UsageError : public ErrorOfKind<UsageError> {
  public:
    explicit UsageError(std::string message) : ErrorOfKind(std::move(message), ExitCode::usage) {}
};

/// Thrown out of long work after SIGINT or SIGTERM (exit code 130). Not an Error, so that a handler
/// of errors, which goes on with something else, does not catch it.
class Interrupted : public std::exception {
  public:
    [[nodiscard]] const char* what() const noexcept override { return "interrupted"; }
};

/// Runs `body`; an Error that leaves it gets "while `frame`" added.
template <typename Body> decltype(auto) with_context(std::string_view frame, Body&& body) {
    try {
        return std::forward<Body>(body)();
    } catch (Error& error) {
        error.add_context(std::string(frame));
        throw;
    }
}

[[noreturn]] void fail_check(const char* condition, std::source_location where);

} // namespace kiln

/// Ends with exit code 70 when an invariant of kiln's own code does not hold. Never for input.
#define KILN_CHECK(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            ::kiln::fail_check(#condition, std::source_location::current());                       \
        }                                                                                          \
    } while (false)
