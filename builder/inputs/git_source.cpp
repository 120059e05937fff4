// SPDX-License-Identifier: MIT
#include "inputs/git_source.hpp"

#include "archive/archive_reader.hpp"
#include "base/error.hpp"
#include "base/http/proxy.hpp"
#include "base/io/file.hpp"
#include "base/text.hpp"
#include "inputs/git_command.hpp"
#include "sandbox/sandbox_watch.hpp"

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

Error bad_url(const std::string& url, std::string_view why) {
    return Error(
        fmt::format("git repository '{}': {}", redact_url(url), why), ExitCode::invalid_recipe);
}

/// The user of an ssh URL or of scp's form is cut off.
std::string_view host_part(std::string_view text) {
    text = text.substr(0, text.find('/'));
    const std::size_t at = text.rfind('@');
    return at == std::string_view::npos ? text : text.substr(at + 1);
}

/// In the repository's own info/attributes, which come before those of the commit: the archive gets
/// every file, as it was committed.
constexpr const char* kAttributes =
    "* -export-ignore -export-subst -text -eol -crlf -ident -filter -working-tree-encoding\n";

/// The names of all that a message can hold.
std::vector<std::string> first_names(const std::vector<std::string>& names) {
    constexpr std::size_t kMost = 10;
    std::vector<std::string> out;
    for (const std::string& name : names) {
        if (out.size() == kMost) {
            out.push_back(fmt::format("... and {} more", names.size() - kMost));
            break;
        }
        out.push_back(printable(name));
    }
    return out;
}

constexpr const char* kIncompleteHint =
    "check it out completely and use that directory as a 'directory' source, or add the other "
    "repository as a separate source";

/// https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md: a pointer is a text of less than 1024
/// bytes that begins with the version.
std::vector<std::string> lfs_pointers_in(const fs::path& archive) {
    constexpr std::string_view kBegin = "version https://git-lfs.github.com/spec/";
    constexpr std::uint64_t kLargest = 1024;
    FileSource file(archive);
    ArchiveReader reader(file, archive.filename().string());
    std::vector<std::string> out;
    while (const auto member = reader.next()) {
        if (member->entry.type == FileType::regular && member->entry.size < kLargest &&
            member->entry.size > kBegin.size()) {
            MemorySink bytes;
            copy(reader.content(), bytes);
            const std::string_view text = bytes.text();
            if (text.starts_with(kBegin) && text.find("\noid ") != std::string::npos) {
                out.push_back(member->path);
            }
        }
    }
    return out;
}

Environment fetch_environment(const GitSource& source, const InputContext& in) {
    Environment env = git_environment();
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
        : repository_(std::move(repository)), source_(source), address_(git_address(source)),
          in_(in), env_(fetch_environment(source, in)) {}

    void make_repository() const {
        static_cast<void>(run_checked({"init", "-q", "--bare", "--template="}));
        fs::create_directories(repository_ / "info");
        write_file_atomically(repository_ / "info/attributes", kAttributes);
    }

    /// Refuses a commit of which git archive would leave something out.
    void write_archive(const fs::path& archive) const {
        const std::string listing = run_checked({"ls-tree", "-r", "-z", source_.commit});
        refuse_any(submodules_in(listing), "submodule");
        static_cast<void>(
            run_checked({"archive", "--format=tar", "-o", archive.string(), source_.commit}));
        refuse_any(lfs_pointers_in(archive), "file in Git LFS");
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
            throw Error("no branch or tag of the repository contains the commit");
        }
    }

  private:
    [[nodiscard]] std::string run_checked(std::vector<std::string> args) const {
        const std::string name = args.front();
        ProcessResult result = run(args);
        if (!result.ok()) {
            throw ProcessError(fmt::format("'git {}'", name), result);
        }
        return std::move(result.output);
    }

    static void refuse_any(const std::vector<std::string>& names, std::string_view what) {
        if (names.empty()) {
            return;
        }
        throw Error(
            fmt::format(
                "the commit has {} {}{}, whose content is not in the repository",
                names.size(),
                what,
                names.size() == 1 || !what.starts_with("sub") ? "" : "s"),
            ExitCode::invalid_recipe)
            .with_details(first_names(names))
            .with_hint(kIncompleteHint);
    }

    [[nodiscard]] static bool says(const ProcessResult& result, std::string_view words) {
        return result.output.find(words) != std::string::npos;
    }

    [[nodiscard]] ProcessResult
    fetch(std::vector<std::string> options, const std::vector<std::string>& refs) const {
        std::vector<std::string> args{"fetch", "-q", "--no-tags", "--no-recurse-submodules"};
        args.insert(args.end(), options.begin(), options.end());
        if (git_protocols(source_.url) == "file") {
            // A repository that the recipe names may belong to another user. Only the command line
            // may say so, and git's own child gets nothing of the one here.
            args.insert(args.end(), {"--upload-pack", "git -c safe.directory=* upload-pack"});
        }
        args.insert(args.end(), {"--", address_});
        args.insert(args.end(), refs.begin(), refs.end());
        return run(args);
    }

    [[nodiscard]] ProcessResult run(const std::vector<std::string>& args) const {
        Command command = git_command(repository_, args);
        command.env = env_;
        command.timeout = kFetchTime;
        // A server can send a pack without end, and a commit of a few kilobytes can hold the same
        // file a billion times.
        command.watch = watch_disk(repository_);
        return in_.processes.run(command);
    }

    fs::path repository_;
    const GitSource& source_;
    std::string address_;
    const InputContext& in_;
    Environment env_;
};

void require_commit(const GitSource& source) {
    const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    if (source.commit.empty() || !std::all_of(source.commit.begin(), source.commit.end(), is_hex)) {
        throw bad_url(source.url, fmt::format("'{}' is not a commit id", excerpt(source.commit)));
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
        const bool is_ssh = is_ssh_place(url);
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
        throw bad_url(url, "supported: https:, http:, ssh:, git:, file: and paths");
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
                        "commit {} of '{}' is not in the download cache and cannot be fetched with "
                        "--offline",
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
        git.make_repository();
        git.fetch_commit();
        const fs::path archive = folder.path() / "commit.tar";
        git.write_archive(archive);
        const Digest digest = in.pool.add(archive);
        job.finish();
        return digest;
    });
}

} // namespace kiln
