// SPDX-License-Identifier: MIT
//
// The files of a new project, for `kiln init`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kiln {

struct TemplateFile {
    std::string path; ///< relative to the project's folder
    std::string text;
};

/// A recipe NAME that bakes to a disk and a container, its overlay, its suite and kiln.yaml.
[[nodiscard]] std::vector<TemplateFile> project_template(std::string_view name);

} // namespace kiln
