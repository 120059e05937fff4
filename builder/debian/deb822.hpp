// SPDX-License-Identifier: MIT
//
// Debian's control file syntax (deb822(5)): paragraphs of "Name: value" fields. Reads control
// files, dpkg's status, Packages indices (tens of megabytes: nothing is copied) and .sources
// files. Knows the syntax only, not what a field means.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kiln {

/// A field inside a text that outlives it.
struct Deb822Field {
    std::string_view name;
    /// Without space at the ends; continuation lines stay as they are, newlines included.
    std::string_view value;
    int line = 0; ///< of the name, counted from 1
};

/// A paragraph inside a text that outlives it.
class Deb822View {
  public:
    [[nodiscard]] const std::vector<Deb822Field>& fields() const noexcept { return fields_; }

    [[nodiscard]] int line() const noexcept { return fields_.empty() ? 0 : fields_.front().line; }

    /// The whole field; names are compared without regard to letter case. Null when there is none.
    [[nodiscard]] const Deb822Field* find(std::string_view name) const;
    /// The value, or an empty view.
    [[nodiscard]] std::string_view get(std::string_view name) const;

    [[nodiscard]] bool has(std::string_view name) const { return find(name) != nullptr; }

  private:
    friend class Deb822Reader;
    std::vector<Deb822Field> fields_;
};

/// Whether lines that begin with '#' are comments (.sources, debian/control) or faults (indices).
enum class Deb822Comments { refused, allowed };

/// Reads paragraph by paragraph without copying. Refuses fields without a colon or a name,
/// continuation lines without a field and names that occur twice in a paragraph: throws Error
/// "NAME:LINE: ..." (exit code 3).
class Deb822Reader {
  public:
    /// `text` must outlive the views; `name` is for messages.
    Deb822Reader(
        std::string_view text, std::string name, Deb822Comments comments = Deb822Comments::refused);

    /// Replaces `paragraph` by the next one; false at the end of the text.
    bool next(Deb822View& paragraph);

    /// Where the next paragraph, or the space before it, begins in the text.
    [[nodiscard]] std::size_t offset() const noexcept { return pos_; }

  private:
    [[nodiscard]] std::string_view take_line();
    void add_field(Deb822View& paragraph, std::string_view line);
    void continue_field(Deb822View& paragraph, std::string_view line);
    [[noreturn]] void fail(const std::string& message) const;

    std::string_view text_;
    std::size_t pos_ = 0;
    int line_ = 0; ///< of the line taken last
    std::string name_;
    Deb822Comments comments_;
};

/// A paragraph that owns its text and can be changed and written.
class Deb822Paragraph {
  public:
    Deb822Paragraph() = default;
    explicit Deb822Paragraph(const Deb822View& view);

    /// The value, or an empty view; names are compared without regard to letter case.
    [[nodiscard]] std::string_view get(std::string_view name) const;
    [[nodiscard]] bool has(std::string_view name) const;
    /// Replaces the value in place or adds the field at the end.
    void set(std::string_view name, std::string value);
    void erase(std::string_view name);

    [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& fields() const noexcept {
        return fields_;
    }

    /// "Name: value" lines, without the empty line that ends a paragraph.
    [[nodiscard]] std::string to_string() const;

  private:
    std::vector<std::pair<std::string, std::string>> fields_;
};

/// All paragraphs of a small text.
[[nodiscard]] std::vector<Deb822Paragraph> parse_deb822(
    std::string_view text,
    const std::string& name,
    Deb822Comments comments = Deb822Comments::refused);

/// The words of a value, separated by spaces, tabs or newlines.
[[nodiscard]] std::vector<std::string> deb822_words(std::string_view value);

} // namespace kiln
