// SPDX-License-Identifier: MIT
#include "cli/options/confirm.hpp"

#include "base/error.hpp"

#include <fmt/format.h>

#include <istream>
#include <string>

namespace kiln {

bool confirm(const Arguments& arguments, Context& context, const std::string& question) {
    if (arguments.flag(kYesOption.name)) {
        return true;
    }
    if (!context.io.terminal) {
        throw UsageError(fmt::format("{} There is no terminal to ask at", question))
            .with_hint("--yes answers it");
    }
    context.console.notice(question + " [y/N]");
    std::string answer;
    std::getline(context.io.in, answer);
    return answer == "y" || answer == "yes";
}

} // namespace kiln
