// SPDX-License-Identifier: MIT
//
// What a failure says, with its exit code.
#pragma once

#include "base/error.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

namespace kiln::test {

/// The message of the Error that `body` throws, which must end with `code`; "no error" without one.
/// Anything but an Error of kiln's own fails the test.
template <typename Body>
std::string message_of(const Body& body, ExitCode code = ExitCode::failed) {
    try {
        body();
    } catch (const Error& error) {
        EXPECT_EQ(error.exit_code(), code) << error.message();
        return error.message();
    } catch (const std::exception& error) {
        ADD_FAILURE() << "not an error of kiln: " << error.what();
        return error.what();
    }
    return "no error";
}

/// "CODE: MESSAGE" of the Error that `body` throws; "no error" without one. For tests of several
/// exit codes. Anything but an Error of kiln's own fails the test.
template <typename Body> std::string thrown(const Body& body) {
    try {
        body();
    } catch (const Error& error) {
        return fmt::format("{}: {}", static_cast<int>(error.exit_code()), error.message());
    } catch (const std::exception& error) {
        ADD_FAILURE() << "not an error of kiln: " << error.what();
        return error.what();
    }
    return "no error";
}

} // namespace kiln::test
