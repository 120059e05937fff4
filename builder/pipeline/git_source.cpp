// SPDX-License-Identifier: MIT
#include "pipeline/git_source.hpp"

#include <fmt/format.h>

namespace kiln {

namespace {

Environment git_environment() {
    Environment env = clean_environment();
    // Neither the user's nor the host's settings, and no questions on a terminal.
    env["GIT_CONFIG_NOSYSTEM"] = "1";
    env["GIT_CONFIG_GLOBAL"] = "/dev/null";
    env["GIT_TERMINAL_PROMPT"] = "0";
    return env;
}

void git(const fs::path& repository, std::vector<std::string> args, const InputContext& in) {
    args.insert(args.begin(), {"-C", repository.string()});
    in.processes.run_checked({.program = "git", .args = std::move(args), .env = git_environment()});
}

} // namespace

Digest fetch_git_archive(const GitSource& source, const InputContext& in) {
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
        git(folder.path(), {"init", "-q", "--bare"}, in);
        git(folder.path(), {"fetch", "-q", "--depth", "1", "--", source.url, source.commit}, in);
        const fs::path archive = folder.path() / "commit.tar";
        git(folder.path(), {"archive", "--format=tar", "-o", archive.string(), source.commit}, in);
        const Digest digest = in.pool.add(archive);
        job.finish();
        return digest;
    });
}

} // namespace kiln
