// SPDX-License-Identifier: MIT
#include "cli/app.hpp"

int main(int count, char** arguments) {
    return kiln::run_on_system(count, arguments);
}
