// SPDX-License-Identifier: MIT
//
// Expected texts in files. KILN_UPDATE_GOLDEN=1 writes them again and marks the tests skipped, so
// that a run that updates never looks like one that passed.
#pragma once

#include "base/io/file.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string_view>

namespace kiln::test {

inline void expect_golden(const fs::path& path, std::string_view actual) {
    if (std::getenv("KILN_UPDATE_GOLDEN") != nullptr) {
        write_file_atomically(path, actual);
        GTEST_SKIP() << "updated " << path;
    }
    ASSERT_TRUE(fs::exists(path)) << path << " is missing; KILN_UPDATE_GOLDEN=1 writes it";
    EXPECT_EQ(read_text_file(path), actual) << "expected text: " << path;
}

} // namespace kiln::test
