// SPDX-License-Identifier: MIT
//
// How a dry run tells a registry's requests apart, see publish/dry_run.hpp.
#pragma once

#include "publish/dry_run.hpp"

#include <optional>
#include <string_view>

namespace kiln {

/// Whether a request to a registry would change it (tokens that are asked for do not).
[[nodiscard]] bool changes_registry(std::string_view method, std::string_view url);

/// For DryRunHttpClient.
[[nodiscard]] std::optional<PretendedAnswer> pretend_registry(const HttpRequest& request);

} // namespace kiln
