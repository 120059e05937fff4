// SPDX-License-Identifier: MIT
//
// fmt's compiled part, for build.sh alone: Debian has no static libfmt. Including all of fmt in
// every file (FMT_HEADER_ONLY) would triple the time of the build.
#include <fmt/format-inl.h>

namespace fmt::detail {

template thousands_sep_result<char> thousands_sep_impl(locale_ref);
template char decimal_point_impl(locale_ref);
template dragonbox::decimal_fp<double> dragonbox::to_decimal(double) noexcept;
template dragonbox::decimal_fp<float> dragonbox::to_decimal(float) noexcept;

} // namespace fmt::detail
