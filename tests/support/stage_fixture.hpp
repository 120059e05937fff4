// SPDX-License-Identifier: MIT
//
// An empty tree and all that a stage is given to work on it, without root and without a sandbox.
#pragma once

#include "base/io/file.hpp"
#include "base/io/paths.hpp"
#include "stages/stage_context.hpp"
#include "support/fake_process_runner.hpp"

#include <cstdint>
#include <sstream>

namespace kiln::test {

struct StageFixture {
    explicit StageFixture(std::int64_t epoch = 0) { settings.epoch = epoch; }

    TempDir dir{temporary_root(), "kiln-test"};
    fs::path root = dir.path() / "root";
    TreeRoot tree{(fs::create_directories(root), root)};
    KeptTimes times;
    BakeSettings settings;
    FakeProcessRunner processes; ///< in place of the sandbox
    std::ostringstream output;   ///< what the console shows
    Console console{output, {}};
    Job job = console.start("stage");
    StageContext context{
        .tree = tree,
        .settings = settings,
        .sandbox = processes,
        .console = console,
        .job = job,
        .kept_times = times,
        .jobs = 2};
};

} // namespace kiln::test
