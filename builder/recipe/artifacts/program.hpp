// SPDX-License-Identifier: MIT
//
// Definitions of programs (recipes/programs/*.yaml): sources, and a script that makes files of an
// image from them, in a build root of locked packages. docs/programs.md describes the
// format.
#pragma once

#include "recipe/artifacts/build_root.hpp"

#include <nlohmann/json_fwd.hpp>

#include <map>
#include <optional>
#include <string>

namespace kiln {

struct ProgramSpec {
    std::string name;
    std::string summary;
    BuildRootSpec root;
    std::map<std::string, SourceSpec> sources;
    std::string script; ///< for /bin/sh -eu
    fs::path file;      ///< that was read
};

/// Reads the definition at `path` and checks all of it. Faults go to `diags`; nothing is returned
/// when there is any. Throws SystemError when `path` cannot be read.
[[nodiscard]] std::optional<ProgramSpec> load_program(const fs::path& path, Diagnostics& diags);

[[nodiscard]] const Shape& program_shape();
[[nodiscard]] nlohmann::ordered_json program_schema();

} // namespace kiln
