// SPDX-License-Identifier: MIT
//
// Faults in files that people write (recipes, locks, control data): collected, all of them, then
// reported at once with file:line:column, the source line and a caret. Knows no file format.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

/// A text file that positions refer to.
struct SourceFile {
    std::string name; ///< as the user named it
    std::string text;
};

/// A place in a source file. Lines and columns count from 1; line 0 means "the file as a whole".
struct SourcePos {
    std::shared_ptr<const SourceFile> file;
    int line = 0;
    int column = 0;
    int length = 1; ///< how many columns the caret line underlines

    /// "file:line:column", or "file" when the line is unknown.
    [[nodiscard]] std::string to_string() const;
};

enum class Severity { error, warning };

struct Diagnostic {
    Severity severity = Severity::error;
    SourcePos pos;
    std::string message;
    std::string hint;
};

/// Renders as
///     recipes/web.yaml:12:5: error: unknown key 'pakages'
///       12 |     pakages: [nginx]
///          |     ^~~~~~~
///     hint: did you mean 'packages'?
/// ending in a newline. Of a long line only what is near the column is shown; control characters
/// are escaped (printable()), and messages that quote more than a few lines are cut.
[[nodiscard]] std::string render(const Diagnostic& diagnostic);

/// Collector; passed down by reference, never global. Keeps the first kMaxKept errors and as many
/// warnings, and counts the rest: nobody reads more, and a hostile file has no end of them.
class Diagnostics {
  public:
    static constexpr std::size_t kMaxKept = 100;

    void error(SourcePos pos, std::string message, std::string hint = {});
    void warning(SourcePos pos, std::string message, std::string hint = {});

    [[nodiscard]] bool has_errors() const noexcept { return error_count_ > 0; }

    /// Of all errors, kept or not.
    [[nodiscard]] std::size_t error_count() const noexcept { return error_count_; }

    /// Further errors are counted only: whoever reports many need not word them.
    [[nodiscard]] bool is_full() const noexcept { return error_count_ >= kMaxKept; }

    /// Errors and warnings that were counted and not kept.
    [[nodiscard]] std::size_t omitted() const noexcept;

    [[nodiscard]] const std::vector<Diagnostic>& all() const noexcept { return all_; }

    /// What was kept, in the order of the places in the files, then "... and N more".
    [[nodiscard]] std::string render_all() const;
    /// Throws Error (exit code 3, the rendered faults as details) when there is at least one error.
    void throw_if_errors(std::string_view what) const;

  private:
    std::vector<Diagnostic> all_;
    std::size_t error_count_ = 0;
    std::size_t warning_count_ = 0;
};

} // namespace kiln
