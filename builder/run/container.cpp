// SPDX-License-Identifier: MIT
#include "run/container.hpp"

#include "base/error.hpp"
#include "base/json_object.hpp"
#include "base/text.hpp"
#include "oci/docker_archive.hpp"
#include "oci/image_reference.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace kiln {

namespace {

constexpr std::string_view kLabel = "kiln.instance";

Command make_client(const ContainerPlan& plan, std::vector<std::string> args) {
    Command command{plan.engine, std::move(args)};
    command.env = plan.env;
    command.separate_stderr = true;
    return command;
}

std::string run_client(ProcessRunner& runner, const Command& command) {
    const ProcessResult result = runner.run(command);
    if (!result.ok()) {
        throw ProcessError(fmt::format("'{} {}'", command.program, command.args.front()), result);
    }
    return result.output;
}

/// "Loaded image: NAME" or "Loaded image ID: DIGEST", the last of them; Podman lists several names
/// with commas.
std::string loaded_reference(const std::string& output) {
    std::string found;
    for (const std::string& line : split_lines(output)) {
        for (const std::string_view mark :
             {"Loaded image: ", "Loaded image ID: ", "Loaded image(s): "}) {
            if (line.starts_with(mark)) {
                found = split(line.substr(mark.size()), ',').front();
            }
        }
    }
    if (found.empty()) {
        throw Error("unexpected output of the container engine: no image name after 'load'")
            .with_details(last_lines(output));
    }
    found = trim(found);
    // The image chose this name, and it becomes an argument of the client.
    require_image_reference(found);
    return found;
}

/// A volume's place ends up behind the colon of `-v`, where further words are options.
void require_plain_volume(const std::string& volume) {
    const bool fits = volume.starts_with('/') &&
                      volume.find_first_of(":,\t") == std::string::npos &&
                      printable(volume) == volume;
    if (!fits) {
        throw Error(fmt::format("the image has an invalid volume '{}'", printable(volume)));
    }
}

SuitePort port_of(const std::string& text) {
    const auto number = parse_unsigned(text);
    if (!number || *number == 0 || *number > UINT16_MAX) {
        throw Error(fmt::format("the image has an invalid port '{}'", printable(text)));
    }
    return {text, static_cast<std::uint16_t>(*number)};
}

ContainerImage
inspect_image(const ContainerPlan& plan, std::string reference, ProcessRunner& runner) {
    const std::string text = run_client(runner, make_client(plan, {"image", "inspect", reference}));
    const nlohmann::ordered_json json = parse_json(text, "image inspect");
    const std::vector<JsonObject> images = json_objects(json, "output of image inspect");
    ContainerImage out{std::move(reference), {}, {}};
    if (images.empty() || !images.front().has("Config")) {
        return out;
    }
    const JsonObject config = images.front().object("Config");
    for (const std::string& port : config.keys("ExposedPorts")) {
        const std::vector<std::string> parts = split(port, '/');
        const bool is_tcp = parts.size() < 2 || parts[1] == "tcp";
        if (is_tcp) {
            out.ports.push_back(port_of(parts[0]));
        }
    }
    std::sort(out.ports.begin(), out.ports.end(), [](const auto& a, const auto& b) {
        return a.port < b.port;
    });
    for (const std::string& volume : config.keys("Volumes")) {
        require_plain_volume(volume);
        out.volumes.push_back(volume);
    }
    return out;
}

} // namespace

Environment engine_environment(const Environment& caller) {
    Environment out = clean_environment();
    for (const auto& [name, value] : caller) {
        const bool is_wanted = name == "HOME" || name == "TMPDIR" || name == "XDG_RUNTIME_DIR" ||
                               name == "CONTAINER_HOST" || name.starts_with("DOCKER_");
        if (is_wanted) {
            out[name] = value;
        }
    }
    if (const auto folders = absolute_folders(variable(caller, "PATH")); !folders.empty()) {
        out["PATH"] = join(folders, ":");
    }
    return out;
}

std::string find_engine() {
    for (const char* program : {"docker", "podman"}) {
        if (!find_program(program).empty()) {
            return program;
        }
    }
    throw Error("running a container requires docker or podman")
        .with_hint("install docker.io or podman, or run the disk image with --vm");
}

ContainerImage
load_container_image(const ContainerPlan& plan, const fs::path& image, ProcessRunner& runner) {
    fs::path archive = image;
    const bool is_layout = fs::is_directory(image);
    if (is_layout) { // which Docker reads only since version 25
        archive = plan.scratch / "image.docker.tar";
        AtomicFile file(archive);
        // A name of its own, so that nobody's image loses one.
        write_docker_archive(image, {"kiln-run:" + plan.name}, file);
        file.commit();
    } else {
        require_loadable_archive(image);
    }
    const std::string output =
        run_client(runner, make_client(plan, {"load", "-i", fs::absolute(archive).string()}));
    if (is_layout) {
        fs::remove(archive);
    }
    return inspect_image(plan, loaded_reference(output), runner);
}

std::vector<std::string> run_arguments(const ContainerPlan& plan, const std::string& reference) {
    std::vector<std::string> args{
        "run", "-d", "--name", plan.name, "--label", fmt::format("{}={}", kLabel, plan.name)};
    const auto add = [&](std::string option, std::string value) {
        args.push_back(std::move(option));
        args.push_back(std::move(value));
    };
    if (!plan.network.empty()) {
        add("--network", plan.network);
    }
    if (plan.network != "host" && plan.network != "none") {
        for (const PublishedPort& port : plan.ports) {
            add("-p", fmt::format("127.0.0.1:{}:{}", port.host, port.port));
        }
    }
    if (!plan.data.empty()) {
        const bool is_directory = plan.data.find('/') != std::string::npos;
        add("-v",
            fmt::format(
                "{}:{}",
                is_directory ? fs::absolute(plan.data).string() : plan.data,
                plan.spec.volume));
    }
    if (plan.spec.memory_bytes > 0) {
        add("--memory", std::to_string(plan.spec.memory_bytes));
    }
    for (const auto& [name, value] : plan.spec.environment) {
        add("-e", name); // the value is in the client's environment, where no list of processes is
    }
    args.insert(args.end(), plan.spec.options.begin(), plan.spec.options.end());
    args.push_back(reference);
    args.insert(args.end(), plan.spec.command.begin(), plan.spec.command.end());
    return args;
}

Container::Container(ContainerPlan plan, ContainerImage loaded, ProcessRunner& runner)
    : plan_(std::move(plan)), loaded_(std::move(loaded)), runner_(runner) {}

Container::~Container() {
    try {
        remove();
    } catch (const std::exception&) { // remove() is for those who want to know
        return;
    }
}

Command Container::client(std::vector<std::string> args) const {
    return make_client(plan_, std::move(args));
}

void Container::start() {
    if (exists_) {
        static_cast<void>(run_client(runner_, client({"start", plan_.name})));
        return;
    }
    const bool is_ours = !plan_.data.empty() && !plan_.keep_data;
    if (is_ours && !volume_exists_) {
        static_cast<void>(run_client(
            runner_,
            client(
                {"volume",
                 "create",
                 "--label",
                 fmt::format("{}={}", kLabel, plan_.name),
                 plan_.data})));
        volume_exists_ = true;
    }
    Command command = client(run_arguments(plan_, loaded_.reference));
    for (const auto& [name, value] : plan_.spec.environment) {
        command.env[name] = value;
    }
    exists_ = true; // also a container that could not be started is there
    static_cast<void>(run_client(runner_, command));
}

void Container::stop() {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(plan_.spec.stop);
    static_cast<void>(
        run_client(runner_, client({"stop", "-t", std::to_string(seconds.count()), plan_.name})));
    const std::string status =
        run_client(runner_, client({"inspect", "-f", "{{.State.ExitCode}}", plan_.name}));
    constexpr std::string_view kKilled = "137";
    if (trim(status) == kKilled) {
        throw Error(
            fmt::format("the container did not stop within {} s and was killed", seconds.count()));
    }
}

void Container::kill() {
    static_cast<void>(run_client(runner_, client({"kill", plan_.name})));
}

void Container::renew(const fs::path& image) {
    if (exists_) {
        static_cast<void>(run_client(runner_, client({"rm", "-f", plan_.name})));
        exists_ = false;
    }
    if (!image.empty()) {
        loaded_ = load_container_image(plan_, image, runner_);
    }
    start();
}

bool Container::is_running() {
    const ProcessResult result =
        runner_.run(client({"inspect", "-f", "{{.State.Running}}", plan_.name}));
    return result.ok() && trim(result.output) == "true";
}

void Container::remove() {
    if (plan_.keep) {
        return;
    }
    if (exists_) {
        exists_ = false;
        static_cast<void>(run_client(runner_, client({"rm", "-f", "-v", plan_.name})));
    }
    if (volume_exists_) {
        volume_exists_ = false;
        static_cast<void>(run_client(runner_, client({"volume", "rm", "-f", plan_.data})));
    }
}

std::string Container::log() {
    Command command = client({"logs", plan_.name});
    command.separate_stderr = false;
    return runner_.run(command).output;
}

std::string Container::inside_script() const {
    return fmt::format("exec {} exec -i -u 0 {} \"$@\"", plan_.engine, plan_.name);
}

std::vector<std::string> Container::cleanup_hints() const {
    std::vector<std::string> out{
        fmt::format("run '{} rm -f -v {}' to stop and remove it", plan_.engine, plan_.name)};
    if (volume_exists_) {
        out.push_back(
            fmt::format("run '{} volume rm {}' to remove its data", plan_.engine, plan_.data));
    }
    return out;
}

} // namespace kiln
