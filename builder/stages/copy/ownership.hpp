// SPDX-License-Identifier: MIT
//
// The keys `owner`, `group` and `mode` that several kinds of stage share.
#pragma once

#include "recipe/yaml/patterns.hpp"
#include "recipe/yaml/shape.hpp"
#include "stages/accounts.hpp"

namespace kiln {

inline constexpr Field kOwnerField{
    "owner", &kUserName, Need::optional, "owner, a user of the tree", "root"};
inline constexpr Field kGroupField{
    "group",
    &kUserName,
    Need::optional,
    "group, a group of the tree",
    {},
    "the group with the owner's name, or root"};

[[nodiscard]] constexpr Field
mode_field(std::string_view default_text, std::string_view otherwise = {}) {
    return {"mode", &kFileMode, Need::optional, "permission bits, octal", default_text, otherwise};
}

/// Reads `owner` and `group` of `options`. Throws Error naming a user or group that the tree does
/// not have.
[[nodiscard]] Ownership
ownership_of(const Value& options, const AccountFiles& accounts, std::int64_t mode);

} // namespace kiln
