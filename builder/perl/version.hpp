// SPDX-License-Identifier: MIT
//
// Versions of perl modules, compared as perl does (version::Internals(3perl)): "1.05" is a decimal
// number, "v1.2.3" and "1.2.3" are dotted integers, and 1.05 equals v1.50.0.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

class PerlVersion {
  public:
    /// Nothing when the text is not a version. Underscores, which mark developer releases, count
    /// for nothing.
    [[nodiscard]] static std::optional<PerlVersion> parse(std::string_view text);

    [[nodiscard]] std::strong_ordering operator<=>(const PerlVersion& other) const;

    [[nodiscard]] bool operator==(const PerlVersion& other) const {
        return (*this <=> other) == std::strong_ordering::equal;
    }

  private:
    std::vector<std::uint64_t> parts_; ///< integers of the dotted form
};

/// Which versions of a module will do (CPAN::Meta::Spec(3perl), "Version Ranges"): "1.2" for at
/// least that, or conditions such as ">= 1.2, != 1.5, < 2" that must all hold. "0" is any.
class VersionRange {
  public:
    VersionRange() = default;
    /// Nothing when the text is not a range.
    [[nodiscard]] static std::optional<VersionRange> parse(std::string_view text);

    [[nodiscard]] bool holds(const PerlVersion& version) const;

    /// As it was written.
    [[nodiscard]] const std::string& text() const noexcept { return text_; }

    [[nodiscard]] bool is_any() const noexcept { return conditions_.empty(); }

  private:
    enum class Relation { at_least, more, at_most, less, equal, unequal };

    struct Condition {
        Relation relation;
        PerlVersion version;
    };

    static std::optional<Condition> parse_condition(std::string_view text);

    std::string text_ = "0";
    std::vector<Condition> conditions_;
};

} // namespace kiln
