// SPDX-License-Identifier: MIT
#include "stages/packages/fixed_ids.hpp"

#include "stages/accounts.hpp"

namespace kiln {

void apply_fixed_ids(StageContext& context) {
    const FixedIds& ids = context.settings.ids;
    AccountFiles accounts(context.root, context.settings.epoch);
    for (const auto& [name, gid] : ids.groups) {
        accounts.add_group({.name = name, .gid = gid});
    }
    for (const auto& [name, user] : ids.users) {
        const std::string& group = user.group.empty() ? name : user.group;
        if (!accounts.group_id(group)) {
            accounts.add_group({.name = group, .gid = user.uid});
        }
        accounts.add_user(
            {.name = name,
             .uid = user.uid,
             .gid = *accounts.group_id(group),
             .gecos = user.gecos,
             .home = user.home,
             .shell = user.shell});
    }
    accounts.save();
}

} // namespace kiln
