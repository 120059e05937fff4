// SPDX-License-Identifier: MIT
//
// Step: who gets what cron's jobs print. The image's wrapper of jobs reads the address and sends by
// PAUSE's own transport: cron itself would need a sendmail, which only a machine with postfix has.
#include "firstrun/host/locations.hpp"
#include "firstrun/steps/steps.hpp"

#include <fmt/format.h>

namespace kiln::firstrun {

namespace {

std::string wanted_address(const Context& context) {
    const std::string& address = context.answers.text(Key::mail_cron);
    return address.empty() ? address : address + "\n";
}

} // namespace

Reasons cron_needed(Context& context) {
    if (context.host.read(locations::kMailCron).value_or("") == wanted_address(context)) {
        return {};
    }
    return {"the output of cron's jobs goes to another address"};
}

void apply_cron(Context& context) {
    const std::string address = wanted_address(context);
    if (address.empty()) {
        context.host.remove(locations::kMailCron);
    } else {
        context.host.write_file(locations::kMailCron, address, {}, 0644);
    }
}

} // namespace kiln::firstrun
