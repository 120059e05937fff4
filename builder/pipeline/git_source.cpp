// SPDX-License-Identifier: MIT
#include "pipeline/git_source.hpp"

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/proxy.hpp"
#include "base/sandbox_watch.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

namespace kiln {

namespace {

/// The largest repositories (a full clone of Linux) take less over 10 Mbit/s.
constexpr std::chrono::hours kFetchTime{2};

/// On every command line, where nothing else can override it.
constexpr std::array kSettings{
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "credential.helper=",
    "fetch.recurseSubmodules=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "http.followRedirects=initial",
    "http.lowSpeedLimit=1024", // bytes per second, as kiln's own downloads
    "http.lowSpeedTime=60",
    "protocol.ext.allow=never",
    "submodule.recurse=false"};

Error bad_url(const std::string& url, std::string_view why) {
    return Error(
        fmt::format("git repository '{}': {}", redact_url(url), why), ExitCode::invalid_recipe);
}

/// Of scp's form, HOST:PATH.
bool is_scp_form(const std::string& url) {
    const std::size_t colon = url.find(':');
    return colon != std::string::npos && colon > 0 && url.find('/') > colon;
}

/// The user of an ssh URL or of scp's form is cut off.
std::string_view host_part(std::string_view text) {
    text = text.substr(0, text.find('/'));
    const std::size_t at = text.rfind('@');
    return at == std::string_view::npos ? text : text.substr(at + 1);
}

Environment git_environment(const GitSource& source, const InputContext& in) {
    Environment env = clean_environment();
    // Neither the user's nor the host's settings, and no questions on a terminal.
    env["GIT_CONFIG_NOSYSTEM"] = "1";
    env["GIT_CONFIG_GLOBAL"] = "/dev/null";
    env["GIT_ATTR_NOSYSTEM"] = "1";
    env["GIT_TERMINAL_PROMPT"] = "0";
    env["GIT_ALLOW_PROTOCOL"] = git_protocols(source.url);
    env["GIT_SSH_COMMAND"] = "ssh -oBatchMode=yes -oForwardAgent=no -oConnectTimeout=15 "
                             "-oServerAliveInterval=15 -oServerAliveCountMax=4";
    if (const std::string agent = variable(in.env, "SSH_AUTH_SOCK"); !agent.empty()) {
        env["SSH_AUTH_SOCK"] = agent;
    }
    if (const std::string file = variable(in.env, "SSL_CERT_FILE"); !file.empty()) {
        env["GIT_SSL_CAINFO"] = file;
    }
    const auto url = Url::parse(source.url);
    env.merge(proxy_variables(
        in.proxies == nullptr ? EnvironmentProxies() : in.proxies->environment(),
        url && url->is_loopback() ? url->host() : std::string()));
    return env;
}

/// git in one repository.
class Git {
  public:
    Git(fs::path repository, const GitSource& source, const InputContext& in)
        : repository_(std::move(repository)), source_(source), in_(in),
          env_(git_environment(source, in)) {}

    void run_checked(std::vector<std::string> args) const {
        const std::string name = args.front();
        if (const ProcessResult result = run(std::move(args)); !result.ok()) {
            throw ProcessError(fmt::format("'git {}'", name), result);
        }
    }

    /// The commit alone where the server can do that; all of its history from a web server that
    /// only has files; and every branch and tag where the server gives no commit by its name.
    void fetch_commit() const {
        const ProcessResult first = fetch({"--depth", "1"}, {source_.commit});
        if (first.ok()) {
            return;
        }
        const bool is_dumb = says(first, "does not support shallow");
        if (!is_dumb && !says(first, "unadvertised object") && !says(first, "not our ref")) {
            throw ProcessError("'git fetch'", first);
        }
        if (is_dumb && fetch({}, {source_.commit}).ok()) {
            return;
        }
        const ProcessResult all =
            fetch({}, {"+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"});
        if (!all.ok()) {
            throw ProcessError("'git fetch'", all);
        }
        if (!run({"cat-file", "-e", source_.commit + "^{commit}"}).ok()) {
            throw Error("no branch and no tag of the repository contains the commit");
        }
    }

  private:
    [[nodiscard]] static bool says(const ProcessResult& result, std::string_view words) {
        return result.output.find(words) != std::string::npos;
    }

    [[nodiscard]] ProcessResult
    fetch(std::vector<std::string> options, const std::vector<std::string>& refs) const {
        std::vector<std::string> args{"fetch", "-q", "--no-tags", "--no-recurse-submodules"};
        args.insert(args.end(), options.begin(), options.end());
        args.insert(args.end(), {"--", source_.url});
        args.insert(args.end(), refs.begin(), refs.end());
        return run(std::move(args));
    }

    [[nodiscard]] ProcessResult run(std::vector<std::string> args) const {
        Command command{.program = "git", .args = {"-C", repository_.string()}, .env = env_};
        for (const char* setting : kSettings) {
            command.args.insert(command.args.end(), {"-c", setting});
        }
        command.args.insert(command.args.end(), args.begin(), args.end());
        command.timeout = kFetchTime;
        // A server can send a pack without end, and a commit of a few kilobytes can hold the same
        // file a billion times.
        command.watch = watch_disk(repository_);
        return in_.processes.run(command);
    }

    fs::path repository_;
    const GitSource& source_;
    const InputContext& in_;
    Environment env_;
};

void require_commit(const GitSource& source) {
    const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    if (source.commit.empty() || !std::all_of(source.commit.begin(), source.commit.end(), is_hex)) {
        throw bad_url(source.url, fmt::format("'{}' is not a commit", excerpt(source.commit)));
    }
}

} // namespace

std::string git_protocols(const std::string& url) {
    if (url.empty() || url.starts_with('-')) {
        throw bad_url(url, "a URL or path must not begin with '-'");
    }
    const std::size_t scheme_end = url.find("://");
    const std::size_t helper = url.find("::");
    if (helper != std::string::npos && helper < std::min(scheme_end, url.find('/'))) {
        throw bad_url(url, "transport helpers such as 'ext::' are not allowed");
    }
    if (scheme_end == std::string::npos) {
        const bool is_ssh = is_scp_form(url);
        if (is_ssh && host_part(url).starts_with('-')) {
            throw bad_url(url, "a host must not begin with '-'");
        }
        return is_ssh ? "ssh" : "file";
    }
    using Row = std::pair<std::string_view, const char*>;
    constexpr std::array kProtocols{
        Row{"https", "https"},
        Row{"http", "http:https"}, // a server may send on to https, never back
        Row{"ssh", "ssh"},
        Row{"git", "git"},
        Row{"file", "file"}};
    const std::string_view scheme = std::string_view(url).substr(0, scheme_end);
    const auto* found = std::find_if(
        kProtocols.begin(), kProtocols.end(), [&](const Row& row) { return row.first == scheme; });
    if (found == kProtocols.end()) {
        throw bad_url(url, "supported are https:, http:, ssh:, git:, file: and paths");
    }
    if (host_part(std::string_view(url).substr(scheme_end + 3)).starts_with('-')) {
        throw bad_url(url, "a host must not begin with '-'");
    }
    return found->second;
}

Digest fetch_git_archive(const GitSource& source, const InputContext& in) {
    require_commit(source);
    if (in.offline) {
        throw Error(fmt::format(
                        "commit {} of '{}' is not in the pool, and --offline forbids to fetch it",
                        source.commit,
                        redact_url(source.url)))
            .with_hint("run once without --offline");
    }
    const std::string frame =
        fmt::format("fetching commit {} of '{}'", source.commit, redact_url(source.url));
    return with_context(frame, [&] {
        Job job = in.console.start(frame);
        const TempDir folder(temporary_root(), "kiln-git");
        const Git git(folder.path(), source, in);
        git.run_checked({"init", "-q", "--bare", "--template="});
        git.fetch_commit();
        const fs::path archive = folder.path() / "commit.tar";
        git.run_checked({"archive", "--format=tar", "-o", archive.string(), source.commit});
        const Digest digest = in.pool.add(archive);
        job.finish();
        return digest;
    });
}

namespace {

/// git for a folder that somebody has checked out.
class Checkout {
  public:
    Checkout(fs::path folder, ProcessRunner& processes)
        : folder_(std::move(folder)), processes_(processes) {}

    /// The trimmed answer, or nothing when git fails.
    [[nodiscard]] std::optional<std::string> ask(std::vector<std::string> args) const {
        Command command{.program = "git", .args = std::move(args), .env = clean_environment()};
        command.args.insert(command.args.begin(), {"-C", folder_.string()});
        command.env["GIT_CONFIG_NOSYSTEM"] = "1";
        command.env["GIT_CONFIG_GLOBAL"] = "/dev/null";
        command.env["GIT_ATTR_NOSYSTEM"] = "1";
        command.separate_stderr = true;
        const ProcessResult result = processes_.run(command);
        return result.ok() ? std::optional<std::string>(trim(result.output)) : std::nullopt;
    }

    /// Whether the files are those of the commit. Compared by a repository of kiln's own, which
    /// borrows the objects: the checkout's settings could name filters, which are programs.
    [[nodiscard]] bool is_unchanged(const std::string& commit) const {
        const auto objects = ask({"rev-parse", "--git-path", "objects"});
        if (!objects) {
            return false;
        }
        const TempDir own(temporary_root(), "kiln-checkout");
        const std::string repository = own.path().string();
        if (!ask({"init", "--quiet", "--bare", repository})) {
            return false;
        }
        write_file(
            own.path() / "objects/info/alternates",
            fs::weakly_canonical(folder_ / *objects).string() + "\n");
        write_file(own.path() / "HEAD", commit + "\n");
        const std::string git_dir = "--git-dir=" + repository;
        if (!ask({git_dir, "--work-tree=.", "read-tree", commit})) {
            return false;
        }
        const auto changes = ask(
            {git_dir,
             "--work-tree=.",
             "status",
             "--porcelain",
             "--ignored",
             "--no-renames",
             "--untracked-files=all"});
        return changes && changes->empty();
    }

  private:
    fs::path folder_;
    ProcessRunner& processes_;
};

} // namespace

std::string checkout_revision(const fs::path& folder, ProcessRunner& processes) {
    if (!fs::exists(folder / ".git")) {
        return "";
    }
    const Checkout checkout(folder, processes);
    const auto commit = checkout.ask({"rev-parse", "--quiet", "--verify", "HEAD^{commit}"});
    if (!commit) {
        return "";
    }
    return checkout.is_unchanged(*commit) ? *commit : *commit + " changed";
}

} // namespace kiln
