// SPDX-License-Identifier: MIT
//
// Stands in for programs: answers by the program's name, notes what was run.
#pragma once

#include "base/process/process.hpp"

#include <map>
#include <string>
#include <vector>

namespace kiln::test {

class FakeProcessRunner final : public ProcessRunner {
  public:
    /// Every later run of `program` gives this result; programs without one succeed silently.
    void answer(const std::string& program, ProcessResult result) { answers_[program] = result; }

    ProcessResult run(const Command& command) override {
        commands.push_back(command);
        const auto it = answers_.find(command.program);
        return it == answers_.end() ? ProcessResult() : it->second;
    }

    std::vector<Command> commands;

  private:
    std::map<std::string, ProcessResult> answers_;
};

} // namespace kiln::test
