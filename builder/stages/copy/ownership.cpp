// SPDX-License-Identifier: MIT
#include "stages/copy/ownership.hpp"

#include "base/error.hpp"

#include <fmt/format.h>

namespace kiln {

namespace {

std::uint32_t
require_id(std::optional<std::uint32_t> id, std::string_view what, const std::string& name) {
    if (!id) {
        throw Error(fmt::format("{} '{}' does not exist in the tree", what, name))
            .with_hint("create it with a users stage or a package before this stage");
    }
    return *id;
}

} // namespace

Ownership ownership_of(const Value& options, const AccountFiles& accounts, std::int64_t mode) {
    Ownership out;
    out.mode = static_cast<std::uint32_t>(mode);
    const std::string& owner = options.at("owner").as_string();
    out.uid = owner == "root" ? 0 : require_id(accounts.user_id(owner), "user", owner);
    const bool own_group = !options.contains("group") && accounts.group_id(owner).has_value();
    std::string group = own_group ? owner : "root";
    options.copy_given("group", group);
    out.gid = group == "root" ? 0 : require_id(accounts.group_id(group), "group", group);
    return out;
}

} // namespace kiln
