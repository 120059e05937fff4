// SPDX-License-Identifier: MIT
//
// META.json and META.yml of CPAN distributions: what they are called and what they need
// (CPAN::Meta::Spec(3perl), versions 1.0 to 2).
#pragma once

#include "perl/modules.hpp"
#include "perl/version.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

/// When a module is needed. Needs of tests and developers are not read.
enum class NeedPhase { configure, build, runtime };

/// A module that a distribution cannot do without.
struct ModuleNeed {
    NeedPhase phase = NeedPhase::runtime;
    std::string module; ///< "perl" for perl itself
    VersionRange range;
};

struct DistributionMeta {
    std::string name;    ///< "Try-Tiny"
    std::string version; ///< as written
    std::vector<ModuleNeed> needs;
    PerlModules provides; ///< what it says it provides; often nothing
};

/// Nothing when the text is not well-formed: some old distributions have such a file, and nothing
/// on CPAN minds. Many name what their tests need among the needs of `build`: modules called
/// Test::* are left out there.
[[nodiscard]] std::optional<DistributionMeta> parse_meta_json(std::string_view text);
[[nodiscard]] std::optional<DistributionMeta> parse_meta_yaml(std::string_view text);

} // namespace kiln
