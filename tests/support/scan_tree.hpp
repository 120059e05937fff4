// SPDX-License-Identifier: MIT
//
// Test side only: a directory of the host as a FileTree, and the programs that judge images.
#pragma once

#include "tree/file_tree.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace kiln::test {

/// What a scanned tree knows of its files' contents.
enum class Contents {
    by_source, ///< where they lie
    digested,  ///< also their digests
};

/// Everything below `root` with owners, modes, times, xattrs and hard links, by plain system calls:
/// the tests' own eye, apart from the program's.
[[nodiscard]] FileTree
scan_tree(const std::filesystem::path& root, Contents contents = Contents::by_source);

/// Runs a program of the test machine, looked up in the system's administrative folders too;
/// returns its output and fills in the exit status.
[[nodiscard]] std::string
run_tool(const std::string& program, const std::vector<std::string>& args, int& exit_status);

/// True when the program is installed. KILN_REQUIRE_TOOLS in the environment (CI sets it) makes a
/// missing one fail the process, so that nothing is skipped there unseen.
[[nodiscard]] bool has_tool(const std::string& program);

} // namespace kiln::test

/// Skips the test, aloud, when a program is not installed.
#define KILN_NEEDS_TOOL(program)                                                                   \
    do {                                                                                           \
        if (!kiln::test::has_tool(program)) {                                                      \
            GTEST_SKIP() << "needs '" << (program) << "', which is not installed";                 \
        }                                                                                          \
    } while (false)
