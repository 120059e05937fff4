// SPDX-License-Identifier: MIT
//
// Puts the trees of perl and its distributions together to one artifact, and finds the shared
// libraries that it needs.
#pragma once

#include "artifact/artifact.hpp"
#include "artifact/perl/bundle_plan.hpp"
#include "inputs/input_context.hpp"

#include <string>
#include <vector>

namespace kiln {

/// All trees of the plan must be in the store.
/// A distribution's program may take the place of perl's own; two distributions that install
/// different files of one name are an Error. So is a shared library that no package of the build
/// root has.
void assemble_bundle(
    const BundlePlan& plan, const std::string& name, const Store& store, const InputContext& in);

} // namespace kiln
