// SPDX-License-Identifier: MIT
//
// Files and folders of the build host that stages copy.
#include "stages/host_files.hpp"
#include "stages/kinds.hpp"
#include "support/expect_error.hpp"
#include "support/no_inputs.hpp"
#include "support/run_stage.hpp"
#include "support/stage_fixture.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace kiln {
namespace {

class HostInputs : public testing::Test {
  protected:
    HostInputs() {
        fs::create_directories(folder_);
        write_file(folder_ / "a", "first\n");
        write_file(folder_ / "b", "second\n");
        inputs_.the_source.path = folder_;
    }

    [[nodiscard]] StageSpec spec(const Shape& shape, const std::string& options) const {
        StageSpec out;
        out.options = test::stage_options(shape, options);
        out.base_dir = fixture_.dir.path();
        return out;
    }

    [[nodiscard]] StageSpec overlay() const { return spec(kOverlayOptions, "from: folder"); }

    [[nodiscard]] StageSpec source() const {
        return spec(kSourceOptions, "{source: app, to: /srv}");
    }

    [[nodiscard]] StageSpec files() const {
        return spec(kFilesOptions, "files: [{file: /copy, from: folder/a}]");
    }

    void hash(const Stage& stage) const {
        FieldHasher hasher("test");
        stage.hash_inputs(hasher, inputs_);
    }

    /// What running the stage says after `change`, which comes after its inputs were hashed.
    template <typename Change> std::string run_after(const Stage& stage, const Change& change) {
        hash(stage);
        change();
        return test::message_of([&] { stage.run(fixture_.context, inputs_); });
    }

    test::StageFixture fixture_;
    fs::path folder_ = fixture_.dir.path() / "folder";
    test::NoInputs inputs_;
};

TEST_F(HostInputs, AreCopiedAsTheyWereHashed) {
    const StageSpec spec = overlay();
    EXPECT_EQ(run_after(*make_overlay_stage(spec), [] {}), "no error");
    EXPECT_EQ(read_text_file(fixture_.root / "a"), "first\n");
    const StageSpec one = files();
    EXPECT_EQ(run_after(*make_files_stage(one), [] {}), "no error");
    EXPECT_EQ(read_text_file(fixture_.root / "copy"), "first\n");
}

TEST_F(HostInputs, MayNotChangeBeforeTheyAreCopied) {
    const std::string expected =
        "'" + (folder_ / "a").string() + "' changed while it was being read";
    const StageSpec overlay_spec = overlay();
    const StageSpec source_spec = source();
    const StageSpec files_spec = files();
    const auto change = [&](const char* content) {
        return [this, content] { write_file(folder_ / "a", content); };
    };
    EXPECT_EQ(run_after(*make_overlay_stage(overlay_spec), change("other\n")), expected);
    EXPECT_EQ(run_after(*make_source_stage(source_spec), change("second")), expected);
    EXPECT_EQ(run_after(*make_files_stage(files_spec), change("other, longer\n")), expected);
}

TEST_F(HostInputs, ThatCameOrWentMeanwhileAreNotMissed) {
    const StageSpec overlay_spec = overlay();
    EXPECT_EQ(
        run_after(
            *make_overlay_stage(overlay_spec), [&] { write_file(folder_ / "late", "late\n"); }),
        "no error");
    EXPECT_FALSE(fs::exists(fixture_.root / "late")); // its stage's key says nothing of it
    const StageSpec source_spec = source();
    EXPECT_EQ(
        run_after(*make_source_stage(source_spec), [&] { fs::remove(folder_ / "b"); }),
        "'" + (folder_ / "b").string() + "' changed while it was being read");
}

TEST_F(HostInputs, AreNotReadThroughALinkThatReplacedThem) {
    const fs::path other = fixture_.dir.path() / "other";
    write_file(other, "first\n");
    const StageSpec spec = overlay();
    EXPECT_EQ(
        run_after(
            *make_overlay_stage(spec),
            [&] {
                fs::remove(folder_ / "a");
                fs::create_symlink(other, folder_ / "a");
            }),
        "'" + (folder_ / "a").string() + "' changed while it was being read");
}

/// What the check of a stage says, with its hint.
std::string fault_of(const Stage& stage) {
    Diagnostics diags;
    stage.check(diags);
    std::string out;
    for (const Diagnostic& each : diags.all()) {
        out += each.message + "\n" + each.hint + "\n";
    }
    return out;
}

TEST_F(HostInputs, AreNotTakenFromTheKernel) {
    const std::string hint =
        "its files have no fixed content: copy the files that you need to another directory\n";
    const StageSpec overlay = spec(kOverlayOptions, "from: /proc/sys/fs");
    EXPECT_EQ(
        fault_of(*make_overlay_stage(overlay)),
        "'/proc/sys/fs' is in a kernel file system (proc)\n" + hint);
    const StageSpec files = spec(kFilesOptions, "files: [{file: /copy, from: /proc/version}]");
    EXPECT_EQ(
        fault_of(*make_files_stage(files)),
        "'/proc/version' is in a kernel file system (proc)\n" + hint);
    EXPECT_EQ(
        test::message_of([&] { static_cast<void>(inputs_.host().folder("/proc/sys/fs")); }),
        "'/proc/sys/fs' is in a kernel file system (proc)");
    EXPECT_EQ(
        test::message_of([&] { static_cast<void>(inputs_.host().file("/proc/version")); }),
        "'/proc/version' is in a kernel file system (proc)");
}

TEST_F(HostInputs, MayLeadToTheKernelAsLinks) {
    fs::create_symlink("/proc/self/mounts", folder_ / "mtab");
    const StageSpec spec = overlay();
    EXPECT_EQ(fault_of(*make_overlay_stage(spec)), "");
    EXPECT_EQ(run_after(*make_overlay_stage(spec), [] {}), "no error");
    EXPECT_EQ(fs::read_symlink(fixture_.root / "mtab"), "/proc/self/mounts");
}

TEST_F(HostInputs, AreFilesDirectoriesAndLinks) {
    const StageSpec spec = overlay();
    const std::string says =
        "'" + (folder_ / "deep/odd").string() + "' is not a file, directory or link";
    fs::create_directories(folder_ / "deep");
    const fs::path odd = folder_ / "deep/odd";
    ASSERT_EQ(::mkfifo(odd.c_str(), 0644), 0);
    EXPECT_EQ(fault_of(*make_overlay_stage(spec)), says + "\n\n");
    EXPECT_EQ(test::message_of([&] { hash(*make_overlay_stage(spec)); }), says);
    fs::remove(odd);
    ASSERT_EQ(::mknod(odd.c_str(), S_IFSOCK | 0644, 0), 0);
    EXPECT_EQ(fault_of(*make_overlay_stage(spec)), says + "\n\n");
    EXPECT_EQ(test::message_of([&] { hash(*make_overlay_stage(spec)); }), says);
    fs::remove_all(folder_ / "deep");
    fs::create_directories(folder_ / ".git");
    ASSERT_EQ(::mkfifo((folder_ / ".git/odd").c_str(), 0644), 0);
    EXPECT_EQ(fault_of(*make_overlay_stage(spec)), ""); // it is left out
}

TEST_F(HostInputs, OfAProgramAreComparedAfterItsScript) {
    const HostFiles host;
    const HostFolder& before = host.folder(folder_);
    check_unchanged(folder_, before);
    write_file(folder_ / "c", "third\n");
    EXPECT_EQ(
        test::message_of([&] { check_unchanged(folder_, before); }),
        "'" + (folder_ / "c").string() + "' changed while it was being read");
    fs::remove(folder_ / "c");
    fs::permissions(folder_ / "b", fs::perms(0755));
    EXPECT_EQ(
        test::message_of([&] { check_unchanged(folder_, before); }),
        "'" + (folder_ / "b").string() + "' changed while it was being read");
}

} // namespace
} // namespace kiln
