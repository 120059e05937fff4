// SPDX-License-Identifier: MIT
//
// Step (machine): the host name and the files that repeat it. They lie on the root file system, so
// each new image gets them again.
#include "base/text.hpp"
#include "firstrun/answers/answer_kinds.hpp"
#include "firstrun/steps/steps.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace kiln::firstrun {

namespace {

constexpr const char* kHostname = "/etc/hostname";
constexpr const char* kHosts = "/etc/hosts";
constexpr const char* kMailname = "/etc/mailname";
constexpr const char* kLoopback = "127.0.1.1";

/// The kernel's name: the first label. An address has no labels.
std::string short_name(const Context& context) {
    const std::string& name = context.answers.text(Key::hostname);
    return is_ip_address(name) ? "pause" : name.substr(0, name.find('.'));
}

std::string hosts_line(const Context& context) {
    const std::string& name = context.answers.text(Key::hostname);
    const std::string host = short_name(context);
    return name == host || is_ip_address(name) ? fmt::format("{}\t{}", kLoopback, host)
                                               : fmt::format("{}\t{} {}", kLoopback, name, host);
}

std::string wanted_hosts(const Context& context) {
    std::vector<std::string> lines =
        split_lines(context.host.read(kHosts).value_or("127.0.0.1\tlocalhost\n::1\tlocalhost\n"));
    const auto is_ours = [](const std::string& line) {
        return line.starts_with(std::string(kLoopback) + "\t") ||
               line.starts_with(std::string(kLoopback) + " ");
    };
    const auto it = std::find_if(lines.begin(), lines.end(), is_ours);
    if (it == lines.end()) {
        lines.insert(lines.begin() + (lines.empty() ? 0 : 1), hosts_line(context));
    } else {
        *it = hosts_line(context);
    }
    return join(lines, "\n") + "\n";
}

} // namespace

Reasons hostname_needed(Context& context) {
    Reasons reasons;
    if (context.host.read(kHostname) != short_name(context) + "\n") {
        reasons.push_back(fmt::format("{} does not say {}", kHostname, short_name(context)));
    }
    if (context.host.read(kHosts) != wanted_hosts(context)) {
        reasons.push_back(fmt::format("{} has no line for the name", kHosts));
    }
    if (context.host.read(kMailname) != context.answers.text(Key::hostname) + "\n") {
        reasons.push_back(
            fmt::format("{} does not say {}", kMailname, context.answers.text(Key::hostname)));
    }
    const std::string kernel(trim(context.host.read("/proc/sys/kernel/hostname").value_or("")));
    if (kernel != short_name(context)) {
        reasons.push_back(fmt::format("the host name in the kernel is '{}'", kernel));
    }
    return reasons;
}

void apply_hostname(Context& context) {
    context.host.write_file(kHostname, short_name(context) + "\n", {}, 0644);
    context.host.write_file(kHosts, wanted_hosts(context), {}, 0644);
    context.host.write_file(kMailname, context.answers.text(Key::hostname) + "\n", {}, 0644);
    context.host.set_host_name(short_name(context));
}

} // namespace kiln::firstrun
