// SPDX-License-Identifier: MIT
#include "base/interrupt.hpp"
#include "base/json.hpp"
#include "cli/commands.hpp"
#include "cli/options/run_options.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <ostream>
#include <thread>

namespace kiln {

namespace {

constexpr auto kExamples = std::to_array<Example>({
    {"kiln run pause", "start the container image in images/out/pause and print its address"},
    {"kiln run pause --vm --port https=8443", "start the disk image, with https on port 8443"},
    {"kiln run pause --docker --data pause-data --detach",
     "keep data in a volume and run in the background"},
    {"kiln run pause --vm --data pause-data.qcow2", "keep data in a disk file"},
    {"kiln run web.qcow2 --firmware uefi", "start any disk image; ssh is forwarded to it"},
});

constexpr OptionSpec kDetachOption{
    .name = "--detach",
    .doc = "run the container in the background and exit; not available for VMs"};

constexpr std::array kOptions{
    kDockerOption,
    kVmOption,
    kPortOption,
    kDataOption,
    kDetachOption,
    kKeepOption,
    kFirmwareOption,
    kEmulateOption,
    kSuiteOption,
    kRunRecipeOption,
    kSuiteSetOption,
    kEngineOption,
    kNetworkOption};
constexpr std::array kPositionals{kInstanceImagePositional};

void print_text(Session& session, const std::vector<std::string>& login, std::ostream& out) {
    const ReadySpec& ready = session.suite().ready;
    for (const PublishedPort& port : session.ports()) {
        const bool is_ready_port = port.name == ready.port && !ready.path.empty();
        out << fmt::format(
            "{:<10} {}\n",
            port.name,
            is_ready_port ? ready_url(ready, port.host) : address_of(port));
    }
    for (const std::string& line : login) {
        out << line << '\n';
    }
    if (!session.shell_command().empty()) {
        out << fmt::format("{:<10} {}\n", "inside", session.shell_command());
    }
    out.flush();
}

void print_json(Session& session, const std::vector<std::string>& login, std::ostream& out) {
    nlohmann::ordered_json json{
        {"name", session.name()},
        {"kind", kind_name(session.instance().kind())},
        {"ports", nlohmann::ordered_json::array()},
        {"login", login},
        {"inside", session.shell_command()}};
    for (const PublishedPort& port : session.ports()) {
        json["ports"].push_back(
            {{"name", port.name},
             {"port", port.port},
             {"host", port.host},
             {"address", address_of(port)}});
    }
    out << json_text(json) << '\n' << std::flush;
}

/// Until the user has enough of it, or it ends on its own.
void wait_for_end(Session& session, Console& console) {
    console.notice("running; press Ctrl-C to stop");
    constexpr std::chrono::milliseconds kSlice{200};
    constexpr int kSlices = 5; // between two looks at the instance
    while (true) {
        for (int i = 0; i < kSlices; ++i) {
            if (interrupt_requested()) {
                return;
            }
            std::this_thread::sleep_for(kSlice);
        }
        try {
            if (!session.instance().is_running()) {
                console.notice("the instance has exited");
                return;
            }
        } catch (const Interrupted&) {
            return;
        }
    }
}

ExitCode run(const Arguments& arguments, Context& context) {
    SessionRequest request = session_request(arguments, context);
    request.detach = arguments.flag(kDetachOption.name);
    if (request.detach && request.kind == InstanceKind::vm) {
        throw UsageError("--detach is not available for VMs");
    }
    const bool knows_suite = request.suite.has_value();
    const bool is_detached = request.detach;
    Session session(std::move(request), context.console, context.io.processes);
    session.open();
    if (!knows_suite) {
        context.console.notice(
            "the image has no suite and therefore no readiness check: it may still be starting");
    }
    const std::vector<std::string> login = session.login_lines();
    if (context.global.json) {
        print_json(session, login, context.io.out);
    } else {
        print_text(session, login, context.io.out);
    }
    if (!is_detached) {
        wait_for_end(session, context.console);
    }
    session.close();
    return ExitCode::ok;
}

} // namespace

const CommandSpec kRunCommand{
    .name = "run",
    .summary = "start an image locally and print how to reach it",
    .description =
        R"(Starts a container, or a VM on a temporary overlay: the image itself is never modified.
When the instance is ready, prints its ports on 127.0.0.1 and how to log in, and runs until
Ctrl-C. Then everything except the data named by --data is removed.

The acceptance suite of the recipe defines how the image is run and when it is ready
(docs/accept.md). Without a suite, the exposed ports of a container image are published; for a
disk, ssh is forwarded and root can log in with a temporary key, if the image has cloud-init or
systemd 252 or later.

A VM uses KVM if available, and slower emulation otherwise. It has no outgoing network access
unless its suite allows it. DOCKER_HOST and other environment variables of docker are
respected.)",
    .examples = kExamples,
    .options = kOptions,
    .positionals = kPositionals,
    .run = run};

} // namespace kiln
