// SPDX-License-Identifier: MIT
//
// What each kind of stage does to a tree, and what it asks of the sandbox, as a recipe says it. The
// kinds with files of their own beside this one are not repeated.
#include "base/text.hpp"
#include "stages/kinds.hpp"
#include "support/expect_error.hpp"
#include "support/run_stage.hpp"
#include "support/sample_trees.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <functional>

namespace kiln {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// One artifact, in memory.
class OneArtifact final : public StageInputs {
  public:
    [[nodiscard]] std::vector<LockedDeb> packages(const StageSpec&) const override { return {}; }

    [[nodiscard]] SourceInput source(const std::string&) const override { return {}; }

    [[nodiscard]] Digest artifact_key(const std::string& name) const override {
        return sha256(name + " " + version);
    }

    [[nodiscard]] ArtifactInput artifact(const std::string& name) const override {
        EXPECT_EQ(name, "perl");
        return the_artifact;
    }

    ArtifactInput the_artifact;
    std::string version = "1";
};

class Kinds : public testing::Test {
  protected:
    void run(const std::string& stage) { test::run_stage(fixture_, stage); }

    std::string refusal(const std::string& stage, ExitCode code = ExitCode::failed) {
        return test::message_of([&] { run(stage); }, code);
    }

    [[nodiscard]] StageSpec artifact() const {
        StageSpec spec;
        spec.kind = "artifact";
        spec.name = "place";
        spec.options = test::stage_options(kArtifactOptions, "artifact: perl");
        return spec;
    }

    /// "0644 0:0" of a path of the tree.
    [[nodiscard]] std::string owner_of(const std::string& path) const {
        const auto info = tree_.look(path);
        return info
                   ? fmt::format("{:04o} {}:{}", info->st_mode & 07777U, info->st_uid, info->st_gid)
                   : "nothing";
    }

    void make_accounts() const {
        tree_.write_file("etc/passwd", "root:x:0:0::/root:/bin/sh\nweb:x:33:34::/:/bin/sh\n", {});
        tree_.write_file("etc/group", "root:x:0:\nweb:x:34:\nadm:x:4:\n", {});
    }

    test::StageFixture fixture_{test::kEpoch};
    const TreeRoot& tree_ = fixture_.tree;
};

TEST_F(Kinds, FilesHaveTheOwnersAndModesOfTheirShapesUnlessTheySayOthers) {
    make_accounts();
    run("{stage: files, files: ["
        "{file: /srv/plain, content: hello}, {file: /srv/empty}, "
        "{file: /srv/web, owner: web, mode: 0600}, {file: /srv/adm, owner: web, group: adm}, "
        "{directory: /srv/www}, {directory: /srv/cgi, owner: web, mode: '2750'}, "
        "{link: /srv/link, target: plain}]}");
    EXPECT_EQ(tree_.read_text("srv/plain"), "hello");
    EXPECT_EQ(owner_of("srv/plain"), "0644 0:0");
    EXPECT_EQ(tree_.read_text("srv/empty"), "");
    EXPECT_EQ(owner_of("srv/web"), "0600 33:34");
    EXPECT_EQ(owner_of("srv/adm"), "0644 33:4");
    EXPECT_EQ(owner_of("srv/www"), "0755 0:0");
    EXPECT_EQ(owner_of("srv/cgi"), "2750 33:34");
    EXPECT_EQ(tree_.link_target("srv/link"), "plain");
    EXPECT_EQ(
        refusal("{stage: files, files: [{file: /srv/x, owner: nobody}]}"),
        "user 'nobody' does not exist in the tree");
    EXPECT_EQ(
        refusal("{stage: files, files: [{file: /srv/x, group: staff}]}"),
        "group 'staff' does not exist in the tree");
    EXPECT_FALSE(tree_.exists("srv/x"));
}

TEST_F(Kinds, AnOverlayHasModesByWhatRunsAndTheLastPermissionThatMatches) {
    make_accounts();
    const fs::path folder = fixture_.dir.path() / "folder";
    fs::create_directories(folder / "www/cgi");
    write_file(folder / "www/page", "page");
    write_file(folder / "www/cgi/run", "#!/bin/sh");
    fs::permissions(folder / "www/cgi/run", fs::perms(0700));
    fs::permissions(folder / "www/page", fs::perms(0600));
    run("{stage: overlay, from: folder}");
    EXPECT_EQ(owner_of("www"), "0755 0:0");
    EXPECT_EQ(owner_of("www/page"), "0644 0:0") << "not as the host has it";
    EXPECT_EQ(owner_of("www/cgi/run"), "0755 0:0");
    run("{stage: overlay, from: folder, to: /srv, owner: web, permissions: ["
        "{path: www/cgi/*, mode: '4711'}, {path: www/*, owner: web, group: adm}, "
        "{path: /www/page, mode: 0640}]}");
    EXPECT_EQ(owner_of("srv/www"), "0755 33:34");
    EXPECT_EQ(owner_of("srv/www/cgi/run"), "0755 33:4") << "the second rule matches it, too";
    EXPECT_EQ(owner_of("srv/www/page"), "0640 0:0");
}

TEST_F(Kinds, ARunStageRunsItsScriptInTheSandbox) {
    run("{stage: run, why: a test, script: 'make install', environment: {B: two, A: one}}");
    ASSERT_EQ(fixture_.processes.commands.size(), 1U);
    const Command& command = fixture_.processes.commands[0];
    EXPECT_EQ(command.program, "/bin/sh");
    EXPECT_THAT(command.args, ElementsAre("-euc", "make install"));
    EXPECT_EQ(command.env, (Environment{{"A", "one"}, {"B", "two"}}));
    ProcessResult failed;
    failed.exit_status = 3;
    failed.output = "no such target\n";
    fixture_.processes.answer("/bin/sh", failed);
    EXPECT_EQ(
        refusal("{stage: run, name: build, why: a test, script: make}"),
        "the script of stage 'build' failed with exit code 3");
}

TEST_F(Kinds, AnArtifactIsPlacedWithItsOwnTimesIntoFoldersThatStay) {
    tree_.make_directory("opt", {.uid = 5, .gid = 6, .mode = 0711});
    OneArtifact inputs;
    FileTree& artifact_tree = inputs.the_artifact.tree;
    artifact_tree.put("", test::directory());
    artifact_tree.put("opt", test::directory(0755));
    artifact_tree.put("opt/perl", test::directory(0755));
    artifact_tree.put("opt/perl/bin", test::file("#!perl", 0755));
    Entry same = test::file("#!perl", 0755);
    same.hardlink_to = "opt/perl/bin";
    artifact_tree.put("opt/perl/perl5", same);
    artifact_tree.put("opt/perl/link", test::symlink("bin"));
    const StageSpec spec = artifact();
    make_stage(spec)->run(fixture_.context, inputs);
    EXPECT_EQ(owner_of("opt"), "0711 5:6") << "the image's own";
    EXPECT_EQ(owner_of("opt/perl/bin"), "0755 0:0");
    EXPECT_EQ(tree_.read_text("opt/perl/perl5"), "#!perl");
    EXPECT_EQ(tree_.look("opt/perl/perl5")->st_nlink, 2U);
    EXPECT_EQ(tree_.link_target("opt/perl/link"), "bin");
    EXPECT_EQ(fixture_.times.at("opt/perl/bin"), test::kEpoch);
    EXPECT_FALSE(fixture_.times.contains("opt"));
    artifact_tree.put("opt/perl/device", test::device(FileType::char_device, 1, 3));
    EXPECT_EQ(
        test::message_of([&] { make_stage(spec)->run(fixture_.context, inputs); }),
        "'/opt/perl/device' in an artifact is not a file, directory or link");
}

TEST_F(Kinds, AnArtifactNeedsItsLibrariesInTheImage) {
    OneArtifact inputs;
    inputs.the_artifact.libraries = {
        {"/usr/lib/libmariadb.so.3", "libmariadb3"}, {"/lib/libz.so.1", "zlib1g"}};
    tree_.write_file("usr/lib/libz.so.1", "", {}); // what /lib is a link to
    const StageSpec spec = artifact();
    try {
        make_stage(spec)->run(fixture_.context, inputs);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.exit_code(), ExitCode::invalid_recipe);
        EXPECT_EQ(error.message(), "artifact 'perl' requires 1 library not installed in the image");
        EXPECT_THAT(
            error.details(), ElementsAre("/usr/lib/libmariadb.so.3, of package libmariadb3"));
        EXPECT_EQ(error.hint(), "install libmariadb3 in a packages stage before stage 'place'");
    }
}

TEST_F(Kinds, AnArtifactsKeyIsInTheStages) {
    OneArtifact inputs;
    const StageSpec spec = artifact();
    const auto key = [&] {
        FieldHasher hasher("test");
        make_stage(spec)->hash_inputs(hasher, inputs);
        return hasher.finish();
    };
    const Digest before = key();
    EXPECT_EQ(key(), before);
    inputs.version = "2";
    EXPECT_NE(key(), before);
}

TEST_F(Kinds, APackagesStageKnowsItsPackagesByAllThatTheLockSays) {
    class Locked final : public StageInputs {
      public:
        [[nodiscard]] std::vector<LockedDeb> packages(const StageSpec&) const override {
            return debs;
        }

        [[nodiscard]] SourceInput source(const std::string&) const override { return {}; }

        [[nodiscard]] Digest artifact_key(const std::string&) const override { return {}; }

        [[nodiscard]] ArtifactInput artifact(const std::string&) const override { return {}; }

        std::vector<LockedDeb> debs{
            {"a", "1", "amd64", "/pool/a", sha256("a")}, {"b", "1", "all", "/pool/b", sha256("b")}};
    };

    StageSpec spec;
    spec.kind = "packages";
    spec.options = test::stage_options(kPackagesOptions, "install: [aa, bb]");
    const auto key = [&](const std::function<void(std::vector<LockedDeb>&)>& change) {
        Locked inputs;
        change(inputs.debs);
        FieldHasher hasher("test");
        make_stage(spec)->hash_inputs(hasher, inputs);
        return hasher.finish();
    };
    const Digest before = key([](auto&) {});
    EXPECT_EQ(key([](auto& debs) { debs[0].path = "/elsewhere/a"; }), before);
    EXPECT_NE(key([](auto& debs) { debs[0].version = "2"; }), before);
    EXPECT_NE(key([](auto& debs) { debs[0].architecture = "all"; }), before);
    EXPECT_NE(key([](auto& debs) { debs[1].sha256 = sha256("c"); }), before);
    EXPECT_NE(key([](auto& debs) { std::swap(debs[0], debs[1]); }), before) << "their order";
    EXPECT_NE(key([](auto& debs) { debs.pop_back(); }), before);
}

TEST_F(Kinds, TheKernelStageMakesAMenuWithTheDefaultsOfItsShape) {
    for (const char* program :
         {"usr/sbin/update-initramfs", "usr/bin/grub-mkimage", "usr/bin/systemd-repart"}) {
        tree_.write_file(program, "", {.mode = 0755});
    }
    for (const char* version : {"6.1.0-2-amd64", "6.1.0-10-amd64"}) {
        tree_.write_file(fmt::format("boot/vmlinuz-{}", version), "", {});
    }
    for (const char* platform : {"i386-pc", "x86_64-efi"}) {
        tree_.write_file(fmt::format("usr/lib/grub/{}/boot.img", platform), "", {});
    }
    tree_.write_file("boot/grub/i386-pc/core.img", "", {});
    tree_.write_file("boot/efi/EFI/BOOT/BOOTX64.EFI", "", {});
    run("{stage: kernel}");
    const std::string menu = tree_.read_text("boot/grub/grub.cfg");
    EXPECT_THAT(menu, HasSubstr("set timeout=1\n"));
    EXPECT_THAT(menu, HasSubstr(" ro console=tty0 console=ttyS0,115200\n"));
    std::vector<std::string> ran;
    for (const Command& command : fixture_.processes.commands) {
        ran.push_back(command.program + " " + command.args.back());
    }
    EXPECT_THAT(ran, testing::Contains("update-initramfs 6.1.0-2-amd64"));
    EXPECT_THAT(ran, testing::Contains("update-initramfs 6.1.0-10-amd64"));
    EXPECT_FALSE(tree_.exists("boot/grub/early.cfg"));
    run("{stage: kernel, cmdline: quiet, timeout: 0}");
    EXPECT_THAT(tree_.read_text("boot/grub/grub.cfg"), HasSubstr("set timeout=0\n"));
    EXPECT_THAT(tree_.read_text("boot/grub/grub.cfg"), HasSubstr(" ro quiet\n"));
    ProcessResult failed;
    failed.exit_status = 1;
    fixture_.processes.answer("update-initramfs", failed);
    EXPECT_EQ(refusal("{stage: kernel}"), "'update-initramfs' failed with exit code 1");
}

TEST_F(Kinds, ServicesAreDisabledBeforeOthersAreEnabledAndMasked) {
    tree_.write_file("usr/lib/systemd/system/a.timer", "", {});
    run("{stage: services, mask: [c.service], enable: [b.service], disable: [a.timer]}");
    std::vector<std::string> ran;
    for (const Command& command : fixture_.processes.commands) {
        EXPECT_EQ(command.program, "systemctl");
        ran.push_back(join(command.args, " "));
    }
    EXPECT_THAT(
        ran,
        ElementsAre(
            "disable --quiet --no-reload a.timer",
            "enable --quiet --no-reload b.service",
            "mask --quiet --no-reload c.service"));
}

TEST_F(Kinds, NormalizeRemovesAndEmptiesWhatPatternsMatch) {
    tree_.write_file("var/log/a.log", "text", {.mode = 0640});
    tree_.write_file("var/cache/x/y", "text", {});
    run("{stage: normalize, remove: ['/var/cache/*'], empty: ['/var/log/*.log']}");
    EXPECT_FALSE(tree_.exists("var/cache/x"));
    EXPECT_TRUE(tree_.exists("var/cache"));
    EXPECT_EQ(tree_.read_text("var/log/a.log"), "");
    EXPECT_EQ(owner_of("var/log/a.log"), "0640 0:0");
}

} // namespace
} // namespace kiln
