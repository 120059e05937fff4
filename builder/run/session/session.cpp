// SPDX-License-Identifier: MIT
#include "run/session/session.hpp"

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/process/kvm.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

namespace kiln {

namespace {

constexpr Milliseconds kScriptTime{60'000};

HttpOptions readiness_http() {
    HttpOptions options;
    options.any_certificate = true; // it was made minutes ago, and this is loopback
    options.connect_timeout = std::chrono::seconds(5);
    options.stall_timeout = std::chrono::seconds(20);
    return options;
}

void sleep_watchfully(Milliseconds time) {
    constexpr Milliseconds kSlice{50};
    for (Milliseconds left = time; left.count() > 0; left -= kSlice) {
        throw_if_interrupted();
        std::this_thread::sleep_for(std::min(left, kSlice));
    }
}

/// A directory may be named with a slash at its end.
fs::path without_slash(const fs::path& path) {
    return path.has_filename() ? path : path.parent_path();
}

} // namespace

fs::path find_manifest(const fs::path& image, InstanceKind kind) {
    const fs::path manifest = fs::absolute(without_slash(image)).parent_path() /
                              (kind == InstanceKind::vm ? "vm.manifest" : "oci.manifest");
    return fs::exists(manifest) ? manifest : fs::path();
}

Session::Session(SessionRequest request, Console& console, ProcessRunner& runner)
    : request_(std::move(request)), console_(console), runner_(runner), http_(readiness_http()),
      suite_(request_.suite ? *request_.suite : default_suite()),
      folder_(temporary_root(), "kiln-run"), name_(folder_.path().filename().string()) {}

Session::~Session() {
    try {
        close();
    } catch (const std::exception& error) {
        console_.warning(error.what());
    }
}

void Session::open() {
    {
        Job job = console_.start(fmt::format("starting '{}'", request_.image.string()));
        if (request_.kind == InstanceKind::vm) {
            make_machine();
        } else {
            make_container();
        }
        instance_->start();
        make_scripts();
        job.finish();
    }
    if (instance_->is_emulated()) {
        console_.notice("KVM is not used: the VM is emulated, which is several times slower");
    }
    wait_ready();
}

void Session::close() {
    // Ends a request at hand, while an interruption still makes it short.
    scripts_.reset();
    if (!instance_) {
        return;
    }
    const InterruptPause pause;
    if (request_.keep || request_.detach) {
        if (request_.keep) {
            folder_.keep();
        }
        for (const std::string& line : instance_->cleanup_hints()) {
            console_.notice(line);
        }
        instance_.reset();
        return;
    }
    const Finally forget([&] { instance_.reset(); });
    if (!request_.data.empty() && instance_->is_running()) {
        instance_->stop(); // what is kept must be whole
    }
    instance_->remove();
}

void Session::make_container() {
    ContainerPlan plan;
    plan.engine = request_.engine.empty() ? find_engine() : request_.engine;
    plan.name = name_;
    plan.image = request_.image;
    plan.spec = suite_.container;
    plan.network = request_.network;
    plan.keep = request_.keep || request_.detach;
    plan.scratch = folder_.path();
    plan.env = engine_environment(request_.env);
    ContainerImage loaded = load_container_image(plan, plan.image, runner_);
    if (!request_.suite) {
        suite_.ports = loaded.ports;
    }
    ports_ = publish_ports(suite_.ports, request_.ports, plan.network == "host");
    plan.ports = ports_;
    if (plan.spec.volume.empty() && !request_.data.empty()) {
        if (loaded.volumes.size() != 1) {
            throw UsageError("neither the suite nor the image defines a data directory (--data)");
        }
        plan.spec.volume = loaded.volumes.front();
    }
    plan.keep_data = !request_.data.empty();
    if (!plan.spec.volume.empty()) {
        plan.data = plan.keep_data ? request_.data : name_ + "-data";
    }
    if (plan.keep_data && plan.data.find('/') != std::string::npos) {
        fs::create_directories(plan.data);
    }
    shell_command_ = fmt::format("{} exec -it {} sh", plan.engine, name_);
    instance_ = std::make_unique<Container>(std::move(plan), std::move(loaded), runner_);
}

void Session::make_machine() {
    MachinePlan plan;
    plan.name = name_;
    plan.image = request_.image;
    plan.format = request_.format;
    plan.spec = suite_.machine;
    std::vector<SuitePort> ports = suite_.ports;
    const bool has_ssh = std::any_of(
        ports.begin(), ports.end(), [](const SuitePort& port) { return port.port == kSshPort; });
    if (plan.spec.inside == MachineShell::ssh && !has_ssh) {
        ports.push_back({"ssh", kSshPort});
    }
    ports_ = publish_ports(ports, request_.ports, false);
    plan.ports = ports_;
    plan.data = request_.data;
    plan.firmware = request_.firmware;
    plan.is_emulated = request_.emulate || !has_kvm();
    plan.keep = request_.keep;
    plan.has_inside = request_.suite.has_value() && plan.spec.inside != MachineShell::none;
    plan.folder = folder_.path() / "vm";
    if (plan.spec.inside == MachineShell::ssh) {
        shell_command_ = fmt::format("ssh -F {} instance", (plan.folder / "ssh_config").string());
    }
    instance_ = std::make_unique<Machine>(std::move(plan), runner_);
}

void Session::make_scripts() {
    ScriptFacts facts;
    facts.suite = &suite_;
    facts.ports = ports_;
    facts.engine = engine_environment(request_.env);
    facts.image = fs::absolute(without_slash(request_.image));
    facts.manifest = find_manifest(request_.image, request_.kind);
    facts.program = fs::read_symlink("/proc/self/exe");
    scripts_ = std::make_unique<Scripts>(
        folder_.path() / "scripts",
        facts,
        *instance_,
        runner_,
        [this](std::string_view verb, const std::string& rest) { return handle(verb, rest); });
}

int Session::slowness() const {
    return instance_ && instance_->is_emulated() ? kEmulationSlowness : 1;
}

void Session::wait_ready() {
    const ReadyContext context{
        *instance_,
        ports_,
        http_,
        console_,
        [this](const std::string& text) {
            return run_script("ready", text, kScriptTime * slowness()).status == 0;
        },
        sleep_watchfully};
    wait_until_ready(suite_.ready, suite_.ready.within * slowness(), context);
}

ScriptResult
Session::run_script(const std::string& name, const std::string& text, Milliseconds timeout) {
    return scripts_->run(name, text, timeout);
}

ControlReply Session::handle(std::string_view verb, const std::string& rest) {
    const auto start = std::chrono::steady_clock::now();
    if (verb == "stop" || verb == "restart") {
        instance_->stop();
    }
    if (verb == "stop") {
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
        return {0, fmt::format("{:.1f}\n", took.count())};
    }
    if (verb == "kill") {
        instance_->kill();
    } else if (verb == "start" || verb == "restart") {
        instance_->start();
    } else if (verb == "renew") {
        instance_->renew(rest);
    } else if (verb == "log") {
        return {0, instance_->log()};
    }
    if (verb == "ready" || verb == "restart" || verb == "renew") {
        wait_ready();
    }
    return {};
}

std::string Session::find_source() {
    if (suite_.source.empty()) {
        return {};
    }
    const ScriptResult result = run_script("source", suite_.source, kScriptTime * slowness());
    if (result.status != 0) {
        throw Error(fmt::format(
                        "the script 'source' of suite '{}' failed with {}",
                        suite_.name,
                        describe_exit(result.status)))
            .with_details(last_lines(result.output));
    }
    std::string text(trim(result.output));
    std::string word = text.substr(text.find_last_of(" \t\n") + 1);
    scripts_->set_source(word);
    return word;
}

std::vector<std::string> Session::login_lines() {
    if (suite_.login.empty()) {
        return {};
    }
    const ScriptResult result = run_script("login", suite_.login, kScriptTime * slowness());
    if (result.status != 0) {
        console_.warning(fmt::format(
            "the script 'login' of suite '{}' failed with {}",
            suite_.name,
            describe_exit(result.status)));
    }
    return split_lines(result.output);
}

} // namespace kiln
