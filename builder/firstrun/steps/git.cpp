// SPDX-License-Identifier: MIT
//
// Step: PAUSE-git, the repository that holds the index files, and where it is pushed to: the
// answered remote with its deploy key, or a bare repository on the data volume. The configuration
// of PAUSE-git is public (rsync exports it), so nothing secret goes into it.
#include "base/error.hpp"
#include "base/text.hpp"
#include "firstrun/answers/answer_kinds.hpp"
#include "firstrun/host/locations.hpp"
#include "firstrun/steps/steps.hpp"

#include <fmt/format.h>

#include <map>

namespace kiln::firstrun {

namespace {

const fs::path& deploy_key_file() {
    static const fs::path kPath = fs::path(locations::kDeployKey) / "id";
    return kPath;
}

std::string ssh_command() {
    return fmt::format(
        "ssh -i {0} -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=accept-new -o "
        "UserKnownHostsFile={1}/known_hosts",
        deploy_key_file().string(),
        locations::kDeployKey);
}

bool is_local(const Context& context) {
    return !context.answers.has(Key::git_remote);
}

/// The answered key; empty when none was answered.
std::string answered_deploy_key(const Context& context) {
    const std::string& answer = context.answers.text(Key::deploy_key);
    std::string text = answer;
    if (!answer.empty() && !is_pem_text(answer)) {
        const auto file = context.host.read(answer);
        if (!file) {
            throw Error(fmt::format("deploy_key: file '{}' not found", answer));
        }
        text = *file;
    }
    // ssh refuses a key whose last line has no end.
    return text.empty() || text.ends_with('\n') ? text : text + "\n";
}

std::map<std::string, std::string> wanted_config(const Context& context) {
    const std::string& hostname = context.answers.text(Key::hostname);
    std::map<std::string, std::string> out{
        {"user.name", "PAUSE"},
        {"user.email", fmt::format("pause@{}", hostname)},
        {"remote.origin.url",
         is_local(context) ? std::string(locations::kGitOrigin)
                           : context.answers.text(Key::git_remote)},
        {"remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"}};
    if (context.host.exists(deploy_key_file()) || context.answers.has(Key::deploy_key)) {
        out["core.sshcommand"] = ssh_command();
    }
    return out;
}

/// What the file .git/config has for those keys, without starting git.
std::map<std::string, std::string> present_config(const Context& context) {
    std::map<std::string, std::string> out;
    const auto text = context.host.read(fs::path(locations::kGit) / ".git/config");
    std::string section;
    for (const std::string& line : split_lines(text.value_or(""))) {
        const std::string_view entry = trim(line);
        if (entry.starts_with('[')) {
            section = entry.substr(1, entry.find_last_of(']') - 1);
            if (section == "remote \"origin\"") {
                section = "remote.origin";
            }
            continue;
        }
        const std::size_t equals = entry.find('=');
        if (equals == std::string_view::npos) {
            continue;
        }
        std::string key(trim(entry.substr(0, equals)));
        std::string_view value = trim(entry.substr(equals + 1));
        if (value.size() > 1 && value.front() == '"' && value.back() == '"') {
            value = value.substr(1, value.size() - 2);
        }
        if (key == "sshCommand") {
            key = "sshcommand";
        }
        out[fmt::format("{}.{}", section, key)] = value;
    }
    return out;
}

void git(Context& context, const std::string& what, std::vector<std::string> args) {
    Command command{"git", std::move(args)};
    command.cwd = "/";
    context.host.run(what, command, &context.accounts.get("pause"));
}

void make_origin(Context& context) {
    Host& host = context.host;
    host.remove_tree(locations::kNewGitOrigin);
    host.make_directory(locations::kNewGitOrigin, owner_of(context.accounts.get("pause")), 0755);
    git(context,
        "create the bare repository",
        {"init",
         "--quiet",
         "--template=",
         "--bare",
         "--initial-branch",
         "master",
         locations::kNewGitOrigin});
    host.rename(locations::kNewGitOrigin, locations::kGitOrigin);
}

void write_deploy_key(Context& context) {
    const std::string key = answered_deploy_key(context);
    if (!key.empty() && context.host.read(deploy_key_file()) != key) {
        context.host.write_file(
            deploy_key_file(), key, owner_of(context.accounts.get("pause")), 0600);
    }
}

} // namespace

Reasons git_needed(Context& context) {
    Reasons reasons;
    need_file(context, reasons, fs::path(locations::kGit) / ".git/HEAD");
    if (is_local(context)) {
        need_file(context, reasons, locations::kGitOrigin);
    }
    const std::string key = answered_deploy_key(context);
    if (!key.empty() && context.host.read(deploy_key_file()) != key) {
        reasons.emplace_back("the deploy key is new");
    }
    const auto present = present_config(context);
    for (const auto& [name, value] : wanted_config(context)) {
        if (const auto it = present.find(name); it == present.end() || it->second != value) {
            reasons.push_back(fmt::format("{} is not set to {}", name, value));
        }
    }
    return reasons;
}

void apply_git(Context& context) {
    if (is_local(context) && !context.host.exists(locations::kGitOrigin)) {
        make_origin(context);
    }
    write_deploy_key(context);
    const fs::path folder(locations::kGit);
    const auto present = present_config(context);
    if (!context.host.exists(folder / ".git/HEAD") || present.empty()) {
        // git init finishes what a killed one began.
        git(context,
            "create PAUSE-git",
            {"init", "--quiet", "--template=", "--initial-branch", "master", folder.string()});
    }
    const fs::path lock = folder / ".git/config.lock";
    if (context.host.exists(lock)) {
        context.host.remove(lock); // of a killed git; nobody else works here at this time
    }
    for (const auto& [name, value] : wanted_config(context)) {
        if (const auto it = present.find(name); it == present.end() || it->second != value) {
            git(context,
                fmt::format("set {}", name),
                {"-C", folder.string(), "config", "--replace-all", name, value});
        }
    }
}

} // namespace kiln::firstrun
