// SPDX-License-Identifier: MIT
#include "run/instance.hpp"

namespace kiln {

ProcessResult Instance::run_inside(const std::string&, const std::string&, std::chrono::seconds) {
    throw Error("cannot run programs inside this instance");
}

} // namespace kiln
