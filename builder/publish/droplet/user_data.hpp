// SPDX-License-Identifier: MIT
//
// A droplet's user-data from the answers that first-run takes, checked by first-run's own table
// before anything is created. The only part of publish/ that knows first-run.
#pragma once

#include <string>
#include <vector>

namespace kiln {

/// The value of one answer, from a file of its own: a password, a key.
struct AnswerFile {
    std::string name; ///< of the answer, "admin_password"
    std::string file; ///< for messages
    std::string text;
};

/// "#cloud-config" with the map "pause:", as docs/first-run.md has it, of `text` (YAML, may be
/// empty; `file` names it in messages) and of `more`, which win. Throws Error (exit code 3) with
/// one line for each answer that first-run would refuse on a VM; none shows the value of a secret.
[[nodiscard]] std::string answers_as_user_data(
    const std::string& file, const std::string& text, const std::vector<AnswerFile>& more);

} // namespace kiln
