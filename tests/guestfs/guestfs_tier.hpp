// SPDX-License-Identifier: MIT
//
// What every case of the tier needs: skipping where no appliance can start.
#pragma once

#include "base/error.hpp"
#include "support/make_disk.hpp"
#include "support/sample_disk.hpp"
#include "verify/read/guestfs.hpp"

#include <gtest/gtest.h>

#include <iostream>

namespace kiln::test {

class GuestfsTest : public ::testing::Test {
  protected:
    void SetUp() override {
        try {
            check_appliance_host({});
        } catch (const Error& error) {
            GTEST_SKIP() << error.message() << " (" << error.hint() << ")";
        }
    }

    Console console_{std::cerr, {}};
    SystemProcessRunner runner_;
    TempDir dir_{temporary_root(), "kiln-guestfs-test"};
};

} // namespace kiln::test
