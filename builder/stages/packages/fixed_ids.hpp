// SPDX-License-Identifier: MIT
//
// Gives users and groups the numbers that the recipe fixes, before any package asks for one:
// adduser, useradd and systemd-sysusers all leave an entry alone that exists. Debian bug #963788 is
// why: otherwise numbers follow the order in which scripts happen to run.
#pragma once

#include "stages/stage_context.hpp"

namespace kiln {

/// Adds what is missing to passwd, group, shadow and gshadow of the tree. An entry that exists with
/// another number is an Error.
void apply_fixed_ids(StageContext& context);

} // namespace kiln
