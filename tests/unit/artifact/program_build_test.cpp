// SPDX-License-Identifier: MIT
//
// A program built in a stand-in for the sandbox, on a build root that is in the store already: what
// the script is given, and what becomes of what it leaves.
#include "artifact/build_root.hpp"
#include "artifact/program/program_build.hpp"
#include "base/io/paths.hpp"
#include "resolve/request_of.hpp"
#include "support/direct_mounter.hpp"
#include "support/expect_error.hpp"
#include "support/fake_http_client.hpp"
#include "support/fake_process_runner.hpp"
#include "tree/tree_scan.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <functional>
#include <sstream>

namespace kiln {
namespace {

using test::message_of;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr std::string_view kProgram = R"(kiln: 1
program: tool
archives: [{archive: debian, suites: [bookworm]}]
build: {install: [gcc]}
sources: {here: source}
script: make install
)";

constexpr std::int64_t kLockEpoch = 1'700'000'000;

/// What a script does: `folder` is where it finds its work and $OUT.
using Script = std::function<ProcessResult(const fs::path& folder, const Command& command)>;

class FakeSandbox final : public ProcessRunner {
  public:
    FakeSandbox(fs::path folder, Script script)
        : folder_(std::move(folder)), script_(std::move(script)) {}

    ProcessResult run(const Command& command) override { return script_(folder_, command); }

  private:
    fs::path folder_;
    Script script_;
};

ProcessResult failed(int status, std::string output) {
    ProcessResult out;
    out.exit_status = status;
    out.output = std::move(output);
    return out;
}

class ProgramBuilds : public testing::Test {
  protected:
    ProgramBuilds() {
        fs::create_directories(dir_.path() / "source");
        write_file(dir_.path() / "source/main.c", "int main() {}\n");
        write_file_atomically(dir_.path() / "tool.yaml", kProgram);
        Diagnostics diags;
        program_ = load_program(dir_.path() / "tool.yaml", diags).value_or(ProgramSpec());
        EXPECT_EQ(diags.render_all(), "");
        lock_.recipe = "tool";
        lock_.architecture = "amd64";
        lock_.epoch = kLockEpoch;
        lock_.request = request_of(program_);
        lock_.stages = {{"common", kBuildRootStage, {"gcc"}}};
        LockedPackage gcc;
        gcc.package = "gcc";
        gcc.version = "12";
        gcc.architecture = "amd64";
        gcc.sha256 = sha256("gcc");
        lock_.packages = {gcc};
        put_build_root();
    }

    /// As if its packages had been installed.
    void put_build_root() const {
        const BuildRoot root("tool", program_.root, lock_, pool_, "");
        for (const Digest& key : root.keys()) {
            const auto work = store_.begin_work();
            const fs::path tree = work->path() / "tree";
            fs::create_directory(tree);
            store_.commit(
                tree,
                key,
                scan_tree(tree, {}),
                {.recipe = "tool", .kind = "packages", .name = kBuildRootStage});
        }
    }

    ArtifactInfo build(const Script& script) {
        InputContext in{console_, processes_, http_, mirrors_, pool_};
        in.make_sandbox = [&](SandboxOptions options) {
            fs::path folder;
            for (const SandboxBind& bind : options.binds) {
                if (!bind.read_only) {
                    folder = bind.source;
                }
            }
            sandboxes_.push_back(std::move(options));
            return std::make_unique<FakeSandbox>(std::move(folder), script);
        };
        return build_program(program_, lock_, in, store_, 3);
    }

    [[nodiscard]] Digest key() const { return program_key(program_, lock_, pool_); }

    /// A script that writes one file.
    static Script writes(const std::string& path, const std::string& text) {
        return [=](const fs::path& folder, const Command&) {
            fs::create_directories((folder / "out" / path).parent_path());
            write_file(folder / "out" / path, text);
            fs::permissions(folder / "out" / path, fs::perms(0700));
            return ProcessResult();
        };
    }

    [[nodiscard]] bool has_work_left() const {
        for (const auto& folder : fs::directory_iterator(dir_.path() / "cache/work")) {
            if (fs::exists(folder.path() / "build") || fs::exists(folder.path() / "upper")) {
                return true;
            }
        }
        return false;
    }

    TempDir dir_{temporary_root(), "kiln-test"};
    ProgramSpec program_;
    Lockfile lock_;
    test::DirectMounter mounter_;
    Store store_{dir_.path() / "cache", mounter_};
    std::vector<SandboxOptions> sandboxes_;

  private:
    std::ostringstream said_;
    Console console_{said_, {}};
    test::FakeProcessRunner processes_;
    test::FakeHttpClient http_;
    Mirrors mirrors_{MirrorSettings()};
    Pool pool_{dir_.path() / "pool"};
};

TEST_F(ProgramBuilds, GiveTheScriptItsSourcesAndARootThatItCannotChange) {
    Command seen;
    build([&](const fs::path& folder, const Command& command) {
        seen = command;
        return writes("usr/bin/tool", "#!/bin/sh\n")(folder, command);
    });
    EXPECT_EQ(seen.program, "/bin/sh");
    EXPECT_THAT(seen.args, ElementsAre("-eu"));
    EXPECT_EQ(seen.input, "make install");
    EXPECT_EQ(seen.cwd, "/run/kiln/build");
    EXPECT_EQ(
        seen.env,
        (Environment{
            {"HOME", "/tmp"},
            {"JOBS", "3"},
            {"OUT", "/run/kiln/build/out"},
            {"SOURCE", "/run/kiln/source"}}));
    ASSERT_EQ(sandboxes_.size(), 1U);
    EXPECT_TRUE(sandboxes_[0].read_only_root);
    EXPECT_EQ(sandboxes_[0].epoch, kLockEpoch);
    std::vector<std::string> binds;
    for (const SandboxBind& bind : sandboxes_[0].binds) {
        binds.push_back(fmt::format("{} {}", bind.target, bind.read_only ? "read" : "write"));
        if (bind.read_only) {
            EXPECT_EQ(bind.source, fs::absolute(dir_.path() / "source"));
        }
    }
    EXPECT_THAT(binds, UnorderedElementsAre("/run/kiln/build write", "/run/kiln/source/here read"));
}

TEST_F(ProgramBuilds, KeepWhatTheScriptLeftWithPlainModesAndTheLocksTime) {
    const ArtifactInfo info = build(writes("usr/bin/tool", "#!/bin/sh\n"));
    EXPECT_EQ(info.name, "tool");
    EXPECT_EQ(info.kind, "program");
    EXPECT_EQ(info.key, key());
    EXPECT_THAT(info.libraries, IsEmpty());
    const FileTree tree = store_.load(key());
    EXPECT_EQ(info.tree, tree.digest());
    const Entry* tool = tree.find("usr/bin/tool");
    ASSERT_NE(tool, nullptr);
    EXPECT_EQ(tool->mode, 0755U);
    EXPECT_EQ(tool->mtime, kLockEpoch);
    EXPECT_EQ(tree.find("usr/bin")->mode, 0755U);
    EXPECT_FALSE(has_work_left());
    sandboxes_.clear();
    EXPECT_EQ(
        build([](const fs::path&, const Command&) { return failed(1, "not again"); }).tree,
        info.tree);
    EXPECT_THAT(sandboxes_, IsEmpty()) << "it is in the store";
}

TEST_F(ProgramBuilds, TellWhyTheScriptFailedAndKeepItsWholeLog) {
    try {
        build([](const fs::path& folder, const Command& command) {
            write_file(folder / "out/half", "half");
            command.on_lines("cc main.c\nmain.c:1: error\n");
            return failed(2, "cc main.c\nmain.c:1: error\n");
        });
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.exit_code(), ExitCode::failed);
        EXPECT_EQ(error.message(), "its script failed with exit code 2");
        const fs::path log = dir_.path() / "cache/logs/tool.log";
        EXPECT_THAT(
            error.details(),
            ElementsAre("cc main.c", "main.c:1: error", fmt::format("full log: {}", log.string())));
        EXPECT_EQ(read_text_file(log), "cc main.c\nmain.c:1: error\n");
    }
    EXPECT_FALSE(store_.contains(key()));
    EXPECT_FALSE(has_work_left());
}

TEST_F(ProgramBuilds, RefuseAScriptThatLeavesNothing) {
    EXPECT_EQ(
        message_of([&] { build([](const fs::path&, const Command&) { return ProcessResult(); }); }),
        "the script of 'tool' did not write anything to $OUT");
    EXPECT_FALSE(store_.contains(key()));
}

TEST_F(ProgramBuilds, RefuseSourcesThatChangedMeanwhile) {
    EXPECT_THAT(
        message_of([&] {
            build([&](const fs::path& folder, const Command& command) {
                write_file(dir_.path() / "source/main.c", "int main() { return 1; }\n");
                return writes("tool", "text")(folder, command);
            });
        }),
        HasSubstr("changed"));
}

TEST_F(ProgramBuilds, FindThePackagesOfTheLibrariesThatProgramsLoad) {
    std::vector<std::string> ran;
    std::string packages = "libc6:amd64: /usr/lib/x86_64-linux-gnu/libc.so.6\n"
                           "libssl3, other: /usr/lib/x86_64-linux-gnu/libssl.so.3\n";
    const Script script = [&](const fs::path& folder, const Command& command) -> ProcessResult {
        ran.push_back(command.program);
        ProcessResult out;
        if (command.program == "/bin/sh") {
            writes(
                "usr/lib/libown.so",
                "\x7f"
                "ELF library")(folder, command);
            return writes(
                "usr/bin/tool",
                "\x7f"
                "ELF program")(folder, command);
        }
        if (command.program == "readelf") {
            EXPECT_THAT(command.args, testing::IsSupersetOf({"usr/bin/tool", "usr/lib/libown.so"}));
            out.output = " 0x1 (NEEDED)  Shared library: [libssl.so.3]\n"
                         " 0x1 (NEEDED)  Shared library: [libown.so]\n"
                         " 0x1 (NEEDED)  Shared library: [libc.so.6]\n"
                         " 0xe (SONAME)  Library soname: [libother.so]\n";
            return out;
        }
        EXPECT_THAT(command.args, ElementsAre("--search", "*/libc.so.6", "*/libssl.so.3"));
        out.output = packages;
        return out;
    };
    const ArtifactInfo info = build(script);
    EXPECT_THAT(ran, ElementsAre("/bin/sh", "readelf", "dpkg-query"));
    ASSERT_EQ(info.libraries.size(), 2U);
    EXPECT_EQ(info.libraries[0].soname, "libc.so.6");
    EXPECT_EQ(info.libraries[0].package, "libc6");
    EXPECT_EQ(info.libraries[1].path, "/usr/lib/x86_64-linux-gnu/libssl.so.3");
    EXPECT_EQ(info.libraries[1].package, "libssl3");
    program_.script = "make other";
    packages = "libc6:amd64: /usr/lib/x86_64-linux-gnu/libc.so.6\n";
    EXPECT_EQ(
        message_of([&] { build(script); }),
        "no package in the build root contains the library 'libssl.so.3'");
    EXPECT_FALSE(store_.contains(key()));
}

} // namespace
} // namespace kiln
