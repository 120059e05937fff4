// SPDX-License-Identifier: MIT
#include "cli/options/artifact_argument.hpp"

#include "base/error.hpp"
#include "cli/options/recipe_argument.hpp"

#include <fmt/format.h>

namespace kiln {

namespace {

constexpr DefinitionPlace kBundles{"perl-bundle", "bundle"};
constexpr DefinitionPlace kPrograms{"recipes/programs", "program"};

fs::path find_artifact(const std::string& argument) {
    const fs::path program = fs::path(kPrograms.directory) / (argument + ".yaml");
    return fs::exists(program) ? program : find_definition(argument, kBundles);
}

} // namespace

Lockfile ArtifactArgument::lock() const {
    return definition->load_lock(path);
}

ArtifactArgument load_artifact_argument(const Arguments& arguments, Context& context) {
    const fs::path path = find_artifact(arguments.positional(kArtifactPositional.name));
    const ArtifactKind kind = kind_of_definition(path);
    Diagnostics diags;
    auto definition = load_artifact_definition(path, kind, diags);
    require_no_faults(path, kind == ArtifactKind::program ? kPrograms : kBundles, diags, context);
    KILN_CHECK(definition != nullptr);
    return {path, std::move(definition)};
}

} // namespace kiln
