// SPDX-License-Identifier: MIT
#include "stages/packages/configure.hpp"

#include "base/text.hpp"
#include "stages/host_name.hpp"
#include "stages/packages/program_replacements.hpp"

#include <fmt/format.h>

#include <regex>
#include <string>

namespace kiln {

namespace {

/// dpkg runs a preinst from here, and some scripts look at their own path.
constexpr std::string_view kScriptFolder = "/var/lib/dpkg/tmp.ci";

Environment preinst_environment(const PackageFile& package) {
    return {
        {"DPKG_MAINTSCRIPT_PACKAGE", package.name},
        {"DPKG_MAINTSCRIPT_ARCH", package.architecture},
        {"DPKG_MAINTSCRIPT_NAME", "preinst"},
        {"DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT", "1"},
        {"DPKG_ADMINDIR", "/var/lib/dpkg"},
        {"DPKG_ROOT", ""},
    };
}

} // namespace

Configurer::Configurer(StageContext& context, const std::vector<PackageFile>& packages)
    : context_(context) {
    for (const PackageFile& package : packages) {
        packages_.insert(package.name);
    }
}

Configurer::~Configurer() {
    try {
        context_.tree.remove(kScriptFolder);
    } catch (const Error&) { // NOLINT(bugprone-empty-catch): clean-up is best effort
    }
}

void Configurer::run_preinst(const PackageFile& package) {
    const std::string folder(kScriptFolder);
    context_.tree.remove(folder);
    context_.tree.make_directories(folder);
    for (const auto& [name, content] : package.control.files) {
        context_.tree.write_file(
            fmt::format("{}/{}", folder, name),
            content,
            {.mode = package.control.modes.at(name) & 0777U});
    }
    Command command{folder + "/preinst", {"install"}};
    command.env = preinst_environment(package);
    command.on_lines = [&](std::string_view lines) { context_.console.output(lines); };
    const ResolvableHostName host_name(context_);
    const ProcessResult result = context_.sandbox.run(command);
    context_.tree.remove(folder);
    if (!result.ok()) {
        throw ProcessError(
            fmt::format("package '{}' {}: preinst", package.name, package.version), result);
    }
}

void Configurer::configure(const std::vector<std::string>& names, Force force) {
    std::vector<std::string> args;
    if (force == Force::depends) {
        args.emplace_back("--force-depends");
    }
    args.emplace_back("--configure");
    args.insert(args.end(), names.begin(), names.end());
    run_dpkg(std::move(args));
}

void Configurer::configure_all() {
    run_dpkg({"--configure", "--pending"});
}

void Configurer::run_dpkg(std::vector<std::string> args) {
    const ProgramReplacements replacements(context_.tree, packages_);
    const ResolvableHostName host_name(context_);
    Command command{"dpkg", std::move(args)};
    // The kernel stage makes the initramfs, once and last.
    command.env["INITRD"] = "No";
    command.on_lines = [&](std::string_view lines) { on_lines(lines); };
    const ProcessResult result = context_.sandbox.run(command);
    if (result.ok()) {
        return;
    }
    const std::string failure = describe_dpkg_failure(result.output);
    if (failure.empty()) {
        throw ProcessError("'dpkg'", result);
    }
    throw Error(failure).with_details(last_lines(result.output));
}

void Configurer::on_lines(std::string_view lines) {
    constexpr std::string_view kSettingUp = "Setting up ";
    context_.console.output(lines);
    while (!lines.empty()) {
        const std::string_view line = lines.substr(0, lines.find('\n'));
        if (line.starts_with(kSettingUp)) {
            const std::string_view rest = line.substr(kSettingUp.size());
            context_.job.note("configuring " + std::string(rest.substr(0, rest.find(' '))));
            context_.job.add(1);
        }
        lines.remove_prefix(std::min(line.size() + 1, lines.size()));
    }
}

void Configurer::audit() {
    // Not `dpkg --audit`, which also complains of packages that ship no md5sums.
    const std::string report = context_.sandbox.run_checked(
        {"dpkg-query", {"-W", "-f", "${binary:Package} ${db:Status-Status}\n"}});
    std::vector<std::string> unfinished;
    for (std::string& line : split_lines(report)) {
        const bool is_removed = line.ends_with(" config-files") || line.ends_with(" not-installed");
        if (!is_removed && !line.ends_with(" installed")) {
            unfinished.push_back(std::move(line));
        }
    }
    if (!unfinished.empty()) {
        throw Error("packages are not fully installed").with_details(std::move(unfinished));
    }
}

std::string describe_dpkg_failure(std::string_view output) {
    static const std::regex kFailed(
        R"((?:installed|new) (\S+) package ([a-z-]+) script subprocess )"
        R"((returned error exit status|was killed by signal) \(?(\d+))");
    std::match_results<std::string_view::const_iterator> match;
    if (!std::regex_search(output.begin(), output.end(), match, kFailed)) {
        return {};
    }
    const std::string words = match[2].str();
    const std::string script = words == "post-installation"  ? "postinst"
                               : words == "pre-installation" ? "preinst"
                                                             : words;
    const bool killed = match[3].str().starts_with("was");
    return fmt::format(
        "package '{}': {} {} {}",
        match[1].str(),
        script,
        killed ? "was killed by signal" : "failed with exit code",
        match[4].str());
}

} // namespace kiln
