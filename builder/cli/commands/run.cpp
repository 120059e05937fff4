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
    {"kiln run pause", "starts the container of images/out/pause and says where it answers"},
    {"kiln run pause --vm --port https=8443", "starts the disk, with one port where you want it"},
    {"kiln run pause --docker --data pause-data --detach",
     "keeps the data in a volume, and leaves it running"},
    {"kiln run pause --vm --data pause-data.qcow2", "keeps the data in a disk file"},
    {"kiln run web.qcow2 --firmware uefi", "any disk will do: ssh is forwarded to it"},
});

constexpr OptionSpec kDetachOption{
    .name = "--detach", .doc = "leave the container running and end; not for machines"};

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
    if (!session.way_in().empty()) {
        out << fmt::format("{:<10} {}\n", "inside", session.way_in());
    }
    out.flush();
}

void print_json(Session& session, const std::vector<std::string>& login, std::ostream& out) {
    nlohmann::ordered_json json{
        {"name", session.name()},
        {"kind", kind_name(session.instance().kind())},
        {"ports", nlohmann::ordered_json::array()},
        {"login", login},
        {"inside", session.way_in()}};
    for (const PublishedPort& port : session.ports()) {
        json["ports"].push_back(
            {{"name", port.name},
             {"port", port.port},
             {"host", port.host},
             {"address", address_of(port)}});
    }
    out << json_text(json) << '\n' << std::flush;
}

/// Until the user has enough of it, or it ends by itself.
void wait_for_end(Session& session, Console& console) {
    console.notice("it runs until you press Ctrl-C");
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
                console.notice("it has ended by itself");
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
        throw UsageError("--detach: a machine ends with kiln");
    }
    const bool knows_suite = request.suite.has_value();
    const bool is_detached = request.detach;
    Session session(std::move(request), context.console, context.io.processes);
    session.open();
    if (!knows_suite) {
        context.console.notice(
            "no readiness check is known for this image (it has no suite): it runs, and may still "
            "be starting");
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
    .summary = "run an image here, wait until it answers, say where",
    .description =
        "Starts a container, or a virtual machine on a throw-away overlay: the image itself is "
        "never written to. When it is ready, standard output says where its ports are on "
        "127.0.0.1 and how to log in, and it runs until Ctrl-C. Then everything is removed but "
        "what --data names.\n"
        "\n"
        "How to run an image and when it is ready stands in its suite (docs/accept.md), which its "
        "recipe names. Without one, the ports that a container image declares are published, and "
        "ssh is forwarded to a disk with a key made for this run; cloud-init, or systemd 252 and "
        "later, lets root in with it.\n"
        "\n"
        "A machine uses KVM where it can and is emulated elsewhere, which takes several times as "
        "long. It reaches nothing outside unless its suite says so. DOCKER_HOST and its kin hold "
        "as they do for docker.",
    .examples = kExamples,
    .options = kOptions,
    .positionals = kPositionals,
    .run = run};

} // namespace kiln
