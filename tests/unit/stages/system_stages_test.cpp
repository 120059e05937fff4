// SPDX-License-Identifier: MIT
//
// services, kernel, files and normalize stages, as far as they need no programs of a tree.
#include "stages/copy/tree_glob.hpp"
#include "stages/packages/auto_installed.hpp"
#include "support/expect_error.hpp"
#include "support/make_deb.hpp"
#include "support/run_stage.hpp"
#include "support/scan_tree.hpp"

namespace kiln {
namespace {

class SystemStages : public testing::Test {
  protected:
    /// What the error of a stage says, with its hint.
    std::string refusal(const std::string& stage) {
        try {
            test::run_stage(fixture_, stage);
        } catch (const Error& error) {
            EXPECT_EQ(error.exit_code(), ExitCode::failed);
            return error.message() + "; " + error.hint();
        }
        return "no error";
    }

    /// A tree in which the kernel stage has all that it looks for.
    void make_bootable() {
        for (const char* program :
             {"usr/sbin/update-initramfs", "usr/bin/grub-mkimage", "usr/bin/systemd-repart"}) {
            tree_.write_file(program, "", {.mode = 0755});
        }
        tree_.write_file("boot/vmlinuz-6.1.0-1-amd64", "", {});
        for (const char* platform : {"i386-pc", "x86_64-efi"}) {
            tree_.write_file(fmt::format("usr/lib/grub/{}/boot.img", platform), "", {});
        }
        tree_.write_file("boot/grub/i386-pc/core.img", "", {});
        tree_.write_file("boot/efi/EFI/BOOT/BOOTX64.EFI", "", {});
    }

    test::StageFixture fixture_;
    const TreeRoot& tree_ = fixture_.tree;
};

TEST_F(SystemStages, DisablingWhatIsNotThereIsAnError) {
    EXPECT_EQ(
        refusal("{stage: services, disable: [no-such.service]}"),
        "cannot disable 'no-such.service': no such unit in the tree; remove it, or use 'mask', "
        "which does not require the unit to exist");
    EXPECT_TRUE(fixture_.processes.commands.empty());
}

TEST_F(SystemStages, DisablesUnitsTemplatesAndScripts) {
    tree_.write_file("usr/lib/systemd/system/a.timer", "", {});
    tree_.write_file("usr/lib/systemd/system/getty@.service", "", {});
    tree_.write_file("etc/init.d/old", "", {});
    test::run_stage(
        fixture_, "{stage: services, disable: [a.timer, getty@tty1.service, old.service]}");
    ASSERT_EQ(fixture_.processes.commands.size(), 1U);
    EXPECT_EQ(fixture_.processes.commands[0].args.back(), "old.service");
}

TEST_F(SystemStages, EnablesEveryTypeOfUnit) {
    test::run_stage(
        fixture_,
        "{stage: services, enable: [swapfile.swap, srv.automount, srv.mount, x.path, x.slice, "
        "x.scope, dev-sda.device, 'getty@.service', 'a@b.socket', x.target, x.timer]}");
    ASSERT_EQ(fixture_.processes.commands.size(), 1U);
    EXPECT_EQ(fixture_.processes.commands[0].args.size(), 3U + 11U);
}

TEST_F(SystemStages, TheKernelStageSaysWhatIsMissing) {
    EXPECT_EQ(
        refusal("{stage: kernel}"),
        "'update-initramfs' not found in the tree; install initramfs-tools in a packages stage "
        "before; "
        "dracut is not supported");
    make_bootable();
    tree_.remove("usr/bin/systemd-repart");
    EXPECT_EQ(
        refusal("{stage: kernel}"),
        "'systemd-repart' not found in the tree; it is needed to grow the root partition "
        "at first boot; "
        "install systemd-repart in a packages stage before (bookworm has it in systemd)");
}

TEST_F(SystemStages, TheKernelStageKeepsMountsAndPartitionsOfTheRecipe) {
    make_bootable();
    tree_.write_file("etc/fstab", "# mine\nLABEL=data /srv ext4 defaults 0 2\n", {.mode = 0600});
    tree_.write_file("etc/repart.d/50-root.conf", "[Partition]\nType=root\nWeight=10\n", {});
    test::run_stage(fixture_, "{stage: kernel}");
    const std::string fstab = tree_.read_text("etc/fstab");
    EXPECT_TRUE(fstab.starts_with("UUID=")) << fstab;
    EXPECT_NE(fstab.find(" / ext4 errors=remount-ro,x-systemd.growfs 0 1\n"), std::string::npos);
    EXPECT_TRUE(fstab.ends_with("# mine\nLABEL=data /srv ext4 defaults 0 2\n")) << fstab;
    EXPECT_EQ(tree_.look("etc/fstab")->st_mode & 07777U, 0600U);
    EXPECT_EQ(tree_.read_text("etc/repart.d/50-root.conf"), "[Partition]\nType=root\nWeight=10\n");
    test::run_stage(fixture_, "{stage: kernel}");
    EXPECT_EQ(tree_.read_text("etc/fstab"), fstab) << "a second stage adds nothing";
}

TEST_F(SystemStages, TheRecipesOwnRootMountStays) {
    make_bootable();
    tree_.write_file("etc/fstab", "LABEL=root\t/\text4\tnoatime 0 1\n", {});
    test::run_stage(fixture_, "{stage: kernel}");
    const std::string fstab = tree_.read_text("etc/fstab");
    EXPECT_EQ(fstab.find("x-systemd.growfs"), std::string::npos) << fstab;
    EXPECT_NE(fstab.find(" /boot/efi vfat "), std::string::npos) << fstab;
    EXPECT_EQ(tree_.read_text("etc/repart.d/50-root.conf"), "[Partition]\nType=root\n");
}

TEST_F(SystemStages, RemovesWhatPatternsMatch) {
    for (const char* path :
         {"usr/share/doc/a/x",
          "usr/share/doc/b",
          "usr/share/doc/.hidden",
          "usr/share/docs",
          "var/a/log",
          "var/b/log",
          "usr/bin/[",
          "usr/bin/x"}) {
        tree_.write_file(path, "x", {});
    }
    test::run_stage(
        fixture_,
        "{stage: normalize, remove: [\"/usr/share/doc/*\", \"/usr/bin/[\", /usr/gone], empty: "
        "[\"/var/?/log\"]}");
    EXPECT_EQ(tree_.names("usr/share/doc"), std::vector<std::string>{".hidden"});
    EXPECT_TRUE(tree_.exists("usr/share/docs"));
    EXPECT_EQ(tree_.names("usr/bin"), std::vector<std::string>{"x"});
    EXPECT_EQ(tree_.read_text("var/b/log"), "");
    EXPECT_NE(
        fixture_.output.str().find("warning: '/usr/gone' does not exist in the tree"),
        std::string::npos)
        << fixture_.output.str();
    test::run_stage(fixture_, "{stage: files, files: [{remove: \"/var/[ab]/l*\"}]}");
    EXPECT_EQ(tree_.names("var/a"), std::vector<std::string>{});
}

TEST_F(SystemStages, DependenciesAreMarkedAutomatic) {
    const auto package = [&](const std::string& name, const std::string& more) {
        return read_package(make_deb(
            fixture_.dir.path(), {.control = "Package: " + name + "\nVersion: 1\n" + more}));
    };
    const std::string all = "Architecture: all\n";
    const std::vector<PackageFile> first{
        package("base", all + "Essential: yes\n"),
        package("library", "Architecture: amd64\n"),
        package("program", all),
        package("data", all)};
    mark_auto_installed(tree_, first, {"program"}, "amd64");
    const char* states = "var/lib/apt/extended_states";
    EXPECT_EQ(
        tree_.read_text(states),
        "Package: data\nArchitecture: amd64\nAuto-Installed: 1\n\n"
        "Package: library\nArchitecture: amd64\nAuto-Installed: 1\n\n");
    mark_auto_installed(tree_, {}, {"library=1.0"}, "amd64"); // asked for by a later stage
    EXPECT_EQ(
        tree_.read_text(states),
        "Package: data\nArchitecture: amd64\nAuto-Installed: 1\n\n"
        "Package: library\nArchitecture: amd64\nAuto-Installed: 0\n\n");
}

TEST_F(SystemStages, AptRemovesWhatNothingNeedsAnyMore) {
    KILN_NEEDS_TOOL("apt-get");
    std::vector<PackageFile> packages;
    std::string status;
    for (const char* fields : {"program\nDepends: library", "library", "data"}) {
        const std::string control =
            fmt::format("Package: {}\nVersion: 1\nArchitecture: all\nMaintainer: M\n", fields);
        packages.push_back(read_package(make_deb(fixture_.dir.path(), {.control = control})));
        status += control + "Status: install ok installed\n\n";
    }
    tree_.write_file("var/lib/dpkg/status", status, {});
    for (const char* folder :
         {"var/lib/apt/lists/partial", "var/cache/apt/archives/partial", "etc/apt/apt.conf.d"}) {
        tree_.make_directories(folder);
    }
    mark_auto_installed(tree_, packages, {"program"}, "amd64");
    const std::string root = fixture_.root.string();
    int code = 0;
    const std::string output = test::run_tool(
        "apt-get",
        {"-s",
         "-oDir=" + root,
         "-oDir::State::status=" + root + "/var/lib/dpkg/status",
         "-oAPT::Architecture=amd64",
         "-oDebug::NoLocking=1",
         "autoremove"},
        code);
    EXPECT_EQ(code, 0) << output;
    EXPECT_NE(output.find("Remv data [1]"), std::string::npos) << output;
    EXPECT_EQ(output.find("Remv library"), std::string::npos) << output;
}

} // namespace
} // namespace kiln
