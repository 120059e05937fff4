// SPDX-License-Identifier: MIT
#include "stages/packages/fixed_ids.hpp"

#include "stages/accounts.hpp"

namespace kiln {

void apply_fixed_ids(StageContext& context) {
    const RecipeIds& ids = context.settings.ids;
    AccountFiles accounts(context.tree, context.settings.epoch);
    for (const auto& [name, gid] : ids.groups) {
        accounts.add_group({.name = name, .gid = gid});
    }
    for (const auto& [name, uid] : ids.users) {
        if (!accounts.group_id(name)) {
            accounts.add_group({.name = name, .gid = uid});
        }
        accounts.add_user(
            {.name = name,
             .uid = uid,
             .gid = *accounts.group_id(name),
             .gecos = "",
             .home = "/nonexistent",
             .shell = "/usr/sbin/nologin"});
    }
    accounts.save();
}

} // namespace kiln
