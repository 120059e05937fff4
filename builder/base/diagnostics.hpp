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
/// ending in a newline.
[[nodiscard]] std::string render(const Diagnostic& diagnostic);

/// Collector; passed down by reference, never global.
class Diagnostics {
  public:
    void error(SourcePos pos, std::string message, std::string hint = {});
    void warning(SourcePos pos, std::string message, std::string hint = {});

    [[nodiscard]] bool has_errors() const noexcept { return error_count_ > 0; }

    [[nodiscard]] std::size_t error_count() const noexcept { return error_count_; }

    [[nodiscard]] const std::vector<Diagnostic>& all() const noexcept { return all_; }

    /// All diagnostics in the order of their places in the files.
    [[nodiscard]] std::string render_all() const;
    /// Throws Error (exit code 3, the rendered faults as details) when there is at least one error.
    void throw_if_errors(std::string_view what) const;

  private:
    std::vector<Diagnostic> all_;
    std::size_t error_count_ = 0;
};

} // namespace kiln
