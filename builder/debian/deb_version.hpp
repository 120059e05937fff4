// SPDX-License-Identifier: MIT
//
// Versions of Debian packages: [epoch:]upstream[-revision], and their order (Debian policy 5.6.12).
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kiln {

class DebVersion {
  public:
    /// Nothing when the text is not a version: empty, odd characters, a bad epoch.
    [[nodiscard]] static std::optional<DebVersion> parse(std::string_view text);

    [[nodiscard]] std::uint32_t epoch() const noexcept { return epoch_; }

    [[nodiscard]] const std::string& upstream() const noexcept { return upstream_; }

    [[nodiscard]] const std::string& revision() const noexcept { return revision_; }

    /// "1.0" and "1.00" and "0:1.0-0" are equal in this order though not as text.
    [[nodiscard]] std::strong_ordering operator<=>(const DebVersion& other) const;

    [[nodiscard]] bool operator==(const DebVersion& other) const {
        return (*this <=> other) == std::strong_ordering::equal;
    }

  private:
    DebVersion() = default;
    std::uint32_t epoch_ = 0;
    std::string upstream_;
    std::string revision_;
};

} // namespace kiln
