// SPDX-License-Identifier: MIT
//
// Options of AddressSanitizer that every fuzz target begins with. Stack frames that an exception
// leaves are never given back to its second stack, and a target that refuses most of its inputs
// becomes a hundred times slower within minutes.

// NOLINTNEXTLINE(bugprone-reserved-identifier): the sanitizer's own name
extern "C" const char* __asan_default_options() {
    return "detect_stack_use_after_return=0";
}
