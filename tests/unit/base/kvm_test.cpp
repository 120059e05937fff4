// SPDX-License-Identifier: MIT
#include "base/process/kvm.hpp"

#include <gtest/gtest.h>

namespace kiln {
namespace {

TEST(Kvm, NeedsAProcessorThatRunsMachines) {
    EXPECT_TRUE(
        processor_runs_machines("vendor_id\t: GenuineIntel\nflags\t\t: fpu vme vmx ssse3\n"));
    EXPECT_TRUE(processor_runs_machines("flags\t\t: fpu svm\n\nprocessor\t: 1\n"));
    EXPECT_FALSE(processor_runs_machines("flags\t\t: fpu vme hypervisor\nvmx flags\t: vnmi\n"));
    EXPECT_FALSE(processor_runs_machines("flags\t\t: avmx svm_lock\n"));
    EXPECT_FALSE(processor_runs_machines(""));
}

} // namespace
} // namespace kiln
