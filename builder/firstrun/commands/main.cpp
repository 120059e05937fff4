// SPDX-License-Identifier: MIT
#include "base/interrupt.hpp"
#include "firstrun/commands/app.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <iostream>
#include <string>
#include <string_view>

namespace {

kiln::Environment environment() {
    kiln::Environment out;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        if (const std::size_t equals = text.find('='); equals != std::string_view::npos) {
            out[std::string(text.substr(0, equals))] = text.substr(equals + 1);
        }
    }
    return out;
}

} // namespace

int main(int argc, char** argv) {
    ::umask(077);
    kiln::open_standard_descriptors();
    kiln::install_interrupt_handlers();
    kiln::firstrun::SystemLauncher launcher;
    return kiln::firstrun::run_first_run(
        {argv + 1, argv + argc}, {"/", launcher, environment(), std::cout, std::cerr});
}
