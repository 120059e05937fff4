// SPDX-License-Identifier: MIT
#include "cli/options/artifact_argument.hpp"

#include "base/error.hpp"
#include "cli/options/recipe_argument.hpp"

#include <fmt/format.h>

namespace kiln {

namespace {

fs::path find_artifact(const std::string& argument, Context& context) {
    const fs::path program = current_project(context).resolve(DefinitionKind::program, argument);
    return fs::exists(program) ? program
                               : find_definition(DefinitionKind::bundle, argument, context).path;
}

} // namespace

Lockfile ArtifactArgument::lock() const {
    return definition->load_lock(path);
}

ArtifactArgument load_artifact_argument(const Arguments& arguments, Context& context) {
    const fs::path path = find_artifact(arguments.positional(kArtifactPositional.name), context);
    const ArtifactKind kind = kind_of_definition(path);
    Diagnostics diags;
    auto definition = load_artifact_definition(path, kind, diags);
    require_no_faults(path, artifact_kind_name(kind), diags, context);
    KILN_CHECK(definition != nullptr);
    return {path, std::move(definition)};
}

} // namespace kiln
