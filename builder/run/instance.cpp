// SPDX-License-Identifier: MIT
#include "run/instance.hpp"

namespace kiln {

ProcessResult Instance::run_inside(const std::string&, const std::string&, std::chrono::seconds) {
    throw Error("no program can be run inside this instance");
}

} // namespace kiln
