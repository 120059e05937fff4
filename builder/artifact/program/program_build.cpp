// SPDX-License-Identifier: MIT
#include "artifact/program/program_build.hpp"

#include "artifact/artifact_libraries.hpp"
#include "artifact/build_root.hpp"
#include "base/error.hpp"
#include "base/output_version.hpp"
#include "base/text.hpp"
#include "inputs/source_inputs.hpp"
#include "resolve/make_lock.hpp"
#include "resolve/request_of.hpp"
#include "resolve/solve.hpp"
#include "sandbox/namespaces.hpp"
#include "sandbox/sandbox.hpp"
#include "stages/copy/source_archive.hpp"
#include "stages/host_files.hpp"
#include "stages/script_hint.hpp"
#include "tree/tree_root.hpp"
#include "tree/tree_scan.hpp"

#include <fmt/format.h>

#include <chrono>
#include <fstream>

namespace kiln {

namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kWorkFolder = "/run/kiln/build";
constexpr const char* kSourceFolder = "/run/kiln/source";
constexpr std::chrono::seconds kLongestScript = std::chrono::minutes(60);

std::string refresh_program(const ProgramSpec& program) {
    return fmt::format("'kiln artifact lock {}'", program.name);
}

BuildRoot root_of(const ProgramSpec& program, const Lockfile& lock, const Pool& pool) {
    return {program.name, program.root, lock, pool, refresh_program(program)};
}

const LockedSource&
locked_source(const SourceSpec& source, const ProgramSpec& program, const Lockfile& lock) {
    if (const LockedSource* locked = find_locked_source(lock, source)) {
        return *locked;
    }
    throw Error(
        fmt::format(
            "{}: source '{}' differs between the definition and the lock",
            source.pos.to_string(),
            source.name),
        ExitCode::invalid_recipe)
        .with_hint(fmt::format("run {} to update the lock", refresh_program(program)));
}

std::vector<SourceInput> sources_of(
    const ProgramSpec& program, const Lockfile& lock, const Pool& pool, const HostFiles& host) {
    std::vector<SourceInput> out;
    for (const auto& [name, source] : program.sources) {
        out.push_back(
            std::holds_alternative<DirectorySource>(source.from)
                ? directory_input(source, host)
                : locked_input(source, locked_source(source, program, lock), pool));
    }
    return out;
}

Digest
key_on(const BuildRoot& root, const ProgramSpec& program, const std::vector<SourceInput>& sources) {
    FieldHasher hasher("kiln.program.v1");
    hasher.field("output-version", kOutputVersion)
        .field("root", root.key())
        .field("script", program.script);
    auto input = sources.begin();
    for (const auto& [name, source] : program.sources) {
        hasher.field("source-name", name).field("source", input->digest);
        if (input->strip > 0) {
            hasher.field("strip", std::uint64_t{input->strip});
        }
        ++input;
    }
    return hasher.finish();
}

/// Everything readable for all and writable for its owner, whatever the script's umask.
void set_plain_modes(const fs::path& root) {
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
        if (entry.is_symlink()) {
            continue;
        }
        const bool searchable = entry.is_directory() || (entry.status().permissions() &
                                                         fs::perms::owner_exec) != fs::perms::none;
        fs::permissions(entry.path(), fs::perms(searchable ? 0755 : 0644));
    }
}

class ProgramBuild {
  public:
    ProgramBuild(
        const ProgramSpec& program,
        const Lockfile& lock,
        const InputContext& in,
        const Store& store,
        unsigned jobs)
        : program_(program), in_(in), store_(store), jobs_(jobs), lock_(lock),
          root_(root_of(program, lock, in.pool)),
          sources_(sources_of(program, lock, in.pool, host_)),
          key_(key_on(root_, program, sources_)),
          log_(store.root() / "logs" / (program.name + ".log")) {}

    ArtifactInfo run() {
        if (!store_.contains(key_)) {
            fetch_sources();
            root_.make(in_, store_, jobs_);
            build();
        }
        return stored_artifact(store_, key_, program_.name);
    }

  private:
    void build() const {
        const auto start = Clock::now();
        Job job = in_.console.start(fmt::format("build {}", program_.name));
        const auto root = store_.begin(root_.keys());
        const auto work = store_.begin_work();
        const fs::path folder = work->path() / "build";
        const fs::path out = folder / "out";
        for (const fs::path& path : {folder, out}) {
            fs::create_directory(path);
            fs::permissions(path, fs::perms(0755)); // REPRO: whatever the umask
        }
        run_script(root->root(), folder, work->path() / "sources");
        for (const SourceInput& input : sources_) {
            if (!input.is_tarball) {
                check_unchanged(input.path, host_.folder(input.path));
            }
        }
        if (fs::is_empty(out)) {
            throw Error(
                fmt::format("the script of '{}' did not write anything to $OUT", program_.name));
        }
        set_plain_modes(out);
        const std::int64_t epoch = root_.epoch();
        const FileTree tree = scan_tree(
            out,
            {.ids = build_tree_ids(),
             .mtime = [&](const std::string&, FileType, std::int64_t) { return epoch; }});
        apply_times(out, tree);
        ArtifactInfo info;
        info.name = program_.name;
        info.kind = "program";
        info.key = key_;
        info.tree = tree.digest();
        info.libraries = find_libraries(tree, out, root->root(), in_.make_sandbox);
        info.parts.push_back(artifact_part(program_.name, "", tree));
        store_.commit(
            out,
            key_,
            tree,
            {.recipe = program_.name,
             .kind = kArtifactKind,
             .name = program_.name,
             .seconds = std::chrono::duration<double>(Clock::now() - start).count(),
             .bytes = tree.content_bytes(),
             .files = tree.entries().size(),
             .details = to_json(info)});
        job.finish(format_size(tree.content_bytes()));
    }

    void fetch_sources() const {
        std::vector<PoolInput> tarballs;
        for (const auto& [name, source] : program_.sources) {
            if (std::holds_alternative<TarballSource>(source.from)) {
                tarballs.push_back(tarball_input(source));
            } else if (std::holds_alternative<GitSource>(source.from)) {
                fetch_git_source(
                    source, locked_source(source, program_, lock_), refresh_program(program_), in_);
            }
        }
        FetchOptions options;
        options.offline = in_.offline;
        options.refresh = refresh_program(program_);
        in_.pool.fetch(tarballs, in_.http, options, in_.console);
    }

    /// Where the script finds the sources: folders as they are, the others unpacked below `folder`.
    [[nodiscard]] std::vector<SandboxBind> lay_out_sources(const fs::path& folder) const {
        std::vector<SandboxBind> out;
        fs::create_directory(folder);
        const TreeRoot tree(folder, build_tree_ids());
        auto input = sources_.begin();
        for (const auto& [name, source] : program_.sources) {
            fs::path path = fs::absolute(input->path);
            if (input->is_tarball) {
                path = folder / name;
                unpack_source(*input, "/" + name, tree, [](const std::string&, std::uint32_t mode) {
                    return Ownership{0, 0, mode};
                });
                set_times(path);
            }
            out.push_back({path, fmt::format("{}/{}", kSourceFolder, name)});
            ++input;
        }
        return out;
    }

    /// REPRO: of what was unpacked just now; programs such as make compare times.
    void set_times(const fs::path& folder) const {
        const std::int64_t epoch = root_.epoch();
        apply_times(
            folder,
            scan_tree(
                folder,
                {.ids = build_tree_ids(),
                 .mtime = [&](const std::string&, FileType, std::int64_t) { return epoch; }}));
    }

    void run_script(const fs::path& root, const fs::path& folder, const fs::path& sources) const {
        give_to_tree(folder, build_tree_ids());
        SandboxOptions options{.root = root, .epoch = root_.epoch()};
        options.read_only_root = true;
        options.binds.push_back({folder, kWorkFolder, false});
        for (SandboxBind& bind : lay_out_sources(sources)) {
            options.binds.push_back(std::move(bind));
        }
        const auto sandbox = in_.make_sandbox(std::move(options));
        fs::create_directories(log_.parent_path());
        std::ofstream log(log_, std::ios::trunc);
        Command command{"/bin/sh", {"-eu"}};
        command.input = program_.script;
        command.cwd = kWorkFolder;
        command.timeout = kLongestScript;
        command.env = {
            {"HOME", "/tmp"},
            {"JOBS", std::to_string(jobs_)},
            {"OUT", std::string(kWorkFolder) + "/out"},
            {"SOURCE", kSourceFolder}};
        command.on_lines = [&](std::string_view lines) { log << lines; };
        const ProcessResult result = sandbox->run(command);
        log.flush();
        if (!result.ok()) {
            std::vector<std::string> details = last_lines(result.output);
            details.push_back(fmt::format("full log: {}", log_.string()));
            throw Error(ProcessError("its script", result).message())
                .with_details(std::move(details))
                .with_hint(hint_of_failed_script(result));
        }
    }

    const ProgramSpec& program_;
    const InputContext& in_;
    const Store& store_;
    unsigned jobs_;
    const Lockfile& lock_;
    BuildRoot root_;
    HostFiles host_;
    std::vector<SourceInput> sources_; ///< in the order of the definition's names
    Digest key_;
    fs::path log_;
};

} // namespace

Lockfile
lock_program(const ProgramSpec& program, const InputContext& in, const fs::path& keyring_dir) {
    require_online(in);
    const SolveRequest request = build_root_request(program.name, program.root, in, keyring_dir);
    Lockfile lock = lock_of(program.name, request, solve(request, in.processes, in.console));
    lock.request = request_of(program);
    lock.sources = lock_sources(program.sources, in);
    return lock;
}

Digest program_key(const ProgramSpec& program, const Lockfile& lock, const Pool& pool) {
    return key_on(
        root_of(program, lock, pool), program, sources_of(program, lock, pool, HostFiles()));
}

ArtifactInfo build_program(
    const ProgramSpec& program,
    const Lockfile& lock,
    const InputContext& in,
    const Store& store,
    unsigned jobs) {
    return with_context(fmt::format("building program '{}'", program.name), [&] {
        return ProgramBuild(program, lock, in, store, jobs).run();
    });
}

} // namespace kiln
