// SPDX-License-Identifier: MIT
#include "run/instance.hpp"

namespace kiln {

ProcessResult Instance::run_inside(const std::string&, const std::string&, std::chrono::seconds) {
    throw Error("no program can be run inside this instance");
}

std::string shell_quote(std::string_view word) {
    std::string out = "'";
    for (const char c : word) {
        out += c == '\'' ? "'\\''" : std::string(1, c);
    }
    return out + "'";
}

} // namespace kiln
