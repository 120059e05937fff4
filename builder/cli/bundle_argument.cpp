// SPDX-License-Identifier: MIT
#include "cli/bundle_argument.hpp"

#include "base/error.hpp"
#include "cli/recipe_argument.hpp"
#include "pipeline/make_lock.hpp"

#include <fmt/format.h>

namespace kiln {

namespace {

constexpr DefinitionPlace kBundles{"perl-bundle", "bundle"};

} // namespace

Lockfile BundleArgument::lock() const {
    const fs::path file = lock_path(path);
    if (!fs::exists(file)) {
        throw Error(fmt::format("there is no lock '{}'", file.string()), ExitCode::invalid_recipe)
            .with_hint(fmt::format("'kiln artifact lock {}' makes it", bundle.name));
    }
    return load_lockfile(file.string());
}

BundleArgument load_bundle_argument(const Arguments& arguments, Context& context) {
    const fs::path path = find_definition(arguments.positional(kBundlePositional.name), kBundles);
    Diagnostics diags;
    std::optional<PerlBundle> bundle = load_bundle(path, diags);
    require_no_faults(path, kBundles, diags, context);
    KILN_CHECK(bundle.has_value());
    return {path, std::move(*bundle)};
}

} // namespace kiln
