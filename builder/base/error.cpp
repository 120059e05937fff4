// SPDX-License-Identifier: MIT
#include "base/error.hpp"

#include <fmt/format.h>

#include <cstring>

namespace kiln {

Error::Error(std::string message, ExitCode code, std::source_location where)
    : message_(std::move(message)), code_(code), where_(where) {}

void Error::set_hint_if_empty(std::string hint) {
    if (hint_.empty()) {
        hint_ = std::move(hint);
    }
}

SystemError::SystemError(const std::string& message, int error_number, std::source_location where)
    : ErrorOfKind(
          fmt::format("{}: {}", message, std::strerror(error_number)), ExitCode::failed, where),
      error_number_(error_number) {}

void fail_check(const char* condition, std::source_location where) {
    throw Error(
        fmt::format("internal error: assertion '{}' failed", condition), ExitCode::bug, where);
}

} // namespace kiln
