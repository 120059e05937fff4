// SPDX-License-Identifier: MIT
//
// The environment of a suite's scripts: their variables, directories and the programs `inside` and
// `instance`. docs/accept.md describes it.
#pragma once

#include "run/control.hpp"
#include "run/instance.hpp"

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace kiln {

struct ScriptResult {
    int status = 0;
    std::string output; ///< standard output and errors as they came
    bool timed_out = false;
    double seconds = 0;
};

/// What scripts have in their environment beside HOST, SCRATCH and SHARED.
struct ScriptFacts {
    const Suite* suite = nullptr;
    std::vector<PublishedPort> ports;
    Environment engine; ///< PATH, HOME, DOCKER_HOST and so on
    fs::path image;
    fs::path manifest; ///< empty: there is none
    fs::path program;  ///< this kiln
};

class Scripts {
  public:
    /// `folder` is made. `verbs` answers `instance VERB ...`.
    Scripts(
        fs::path folder,
        const ScriptFacts& facts,
        Instance& instance,
        ProcessRunner& runner,
        Control::Handler verbs);

    /// Runs a script in a separate directory. Throws Interrupted.
    [[nodiscard]] ScriptResult
    run(std::string_view name, const std::string& text, Milliseconds timeout);

    void set_source(std::string word) { env_["SOURCE"] = std::move(word); }

  private:
    void write_programs();

    fs::path folder_;
    Instance& instance_;
    ProcessRunner& runner_;
    Environment env_;
    std::unique_ptr<Control> verbs_;
    std::unique_ptr<Control> insides_;
};

/// The variables of a suite and its facts as scripts see them.
[[nodiscard]] Environment script_environment(const ScriptFacts& facts, const Instance& instance);

/// "admin_user" -> "ADMIN_USER", "a-b" -> "A_B".
[[nodiscard]] std::string variable_name(std::string_view name);

} // namespace kiln
