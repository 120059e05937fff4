// SPDX-License-Identifier: MIT
//
// Makes what a disk needs to boot and packages cannot make without a disk: the initramfs, GRUB's
// core images for BIOS and UEFI, grub.cfg, fstab. grub.cfg names /vmlinuz and /initrd.img, the
// links that Debian's kernel packages keep, so a kernel upgrade needs no update-grub.
#include "base/text.hpp"
#include "debian/deb822.hpp"
#include "disk/disk.hpp"
#include "recipe/yaml/patterns.hpp"
#include "stages/clean/cleanup_rules.hpp"
#include "stages/kinds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

namespace kiln {

namespace {

constexpr Shape kSeconds = integer_between(0, 60);
constexpr auto kFields = std::to_array<Field>({
    {"cmdline",
     &kLine,
     Need::optional,
     "kernel parameters after root=",
     "console=tty0 console=ttyS0,115200"},
    {"timeout", &kSeconds, Need::optional, "timeout of the boot menu in seconds", "1"},
});

/// GRUB's modules are embedded, so that booting reads nothing but grub.cfg and the kernel.
constexpr std::string_view kCommonModules =
    "part_gpt part_msdos ext2 search search_fs_uuid normal configfile linux echo test ls cat "
    "serial terminal gzio halt reboot minicmd";

struct GrubTarget {
    std::string_view platform;
    std::string_view modules;
    std::string_view image;
};

constexpr std::array kTargets{
    GrubTarget{"i386-pc", "biosdisk", "/boot/grub/i386-pc/core.img"},
    GrubTarget{"x86_64-efi", "fat efi_gop all_video", "/boot/efi/EFI/BOOT/BOOTX64.EFI"},
};

constexpr const char* kFstab = "/etc/fstab";

/// What the stage, or the machine at its first boot, runs.
struct NeededProgram {
    std::array<const char*, 2> places;
    const char* name;
    const char* hint;
};

constexpr std::array kPrograms{
    NeededProgram{
        {"/usr/sbin/update-initramfs", "/sbin/update-initramfs"},
        "update-initramfs",
        "install initramfs-tools in a packages stage before; dracut is not supported"},
    NeededProgram{
        {"/usr/bin/grub-mkimage", "/bin/grub-mkimage"},
        "grub-mkimage",
        "install grub-common, grub-pc-bin and grub-efi-amd64-bin in a packages stage before"},
    NeededProgram{
        {"/usr/bin/systemd-repart", "/bin/systemd-repart"},
        "systemd-repart",
        "it is needed to grow the root partition at first boot; install systemd-repart in a "
        "packages stage before (bookworm has it in systemd)"},
};

class KernelStage final : public Stage {
  public:
    explicit KernelStage(const StageSpec& spec) : spec_(spec) {}

    void run(StageContext& context, const StageInputs&) const override {
        const DiskIdentity identity = disk_identity(context.settings.identity);
        require_programs(context.tree);
        make_initramfs(context);
        for (const GrubTarget& target : kTargets) {
            make_grub_image(context, target, identity);
        }
        context.tree.write_file("/boot/grub/grub.cfg", grub_config(identity), {});
        write_fstab(context, identity);
        let_root_grow(context.tree);
        clean_tree(context);
    }

    [[nodiscard]] bool runs_programs() const override { return true; }

    /// mkinitramfs starts some three thousand small programs.
    [[nodiscard]] bool leaves_cores_idle() const override { return true; }

  private:
    static void require_programs(const TreeRoot& tree) {
        for (const NeededProgram& program : kPrograms) {
            if (std::none_of(program.places.begin(), program.places.end(), [&](const char* place) {
                    return tree.look_through(place).has_value();
                })) {
                throw Error(fmt::format("'{}' not found in the tree", program.name))
                    .with_hint(program.hint);
            }
        }
    }

    /// Versions of the kernels that the tree has, sorted.
    static std::vector<std::string> kernels(const TreeRoot& tree) {
        constexpr std::string_view kPrefix = "vmlinuz-";
        std::vector<std::string> out;
        for (const std::string& name : tree.names("/boot")) {
            if (name.starts_with(kPrefix)) {
                out.push_back(name.substr(kPrefix.size()));
            }
        }
        return out;
    }

    static void make_initramfs(StageContext& context) {
        const TreeRoot& tree = context.tree;
        const auto versions = kernels(tree);
        if (versions.empty()) {
            throw Error("no kernel found in the tree")
                .with_hint("install one in a packages stage before, such as "
                           "linux-image-cloud-amd64, with initramfs-tools");
        }
        for (const std::string& version : versions) {
            context.job.note("initramfs for " + version);
            run(context, {"update-initramfs", {"-c", "-k", version}});
        }
        if (!tree.exists("/initrd.img")) {
            tree.make_link("/initrd.img", "boot/initrd.img-" + versions.back(), {.mode = 0777});
        }
        if (!tree.exists("/vmlinuz")) {
            tree.make_link("/vmlinuz", "boot/vmlinuz-" + versions.back(), {.mode = 0777});
        }
    }

    static void
    make_grub_image(StageContext& context, const GrubTarget& target, const DiskIdentity& identity) {
        const TreeRoot& tree = context.tree;
        const std::string modules = fmt::format("/usr/lib/grub/{}", target.platform);
        if (!tree.exists(modules)) {
            throw Error(fmt::format("GRUB for '{}' not found in the tree", target.platform))
                .with_hint("install grub-common, grub-pc-bin and grub-efi-amd64-bin in a packages "
                           "stage before");
        }
        context.job.note(fmt::format("GRUB for {}", target.platform));
        const std::string image(target.image);
        tree.make_directory(image.substr(0, image.rfind('/')), {.mode = 0755});
        const std::string early = "/boot/grub/early.cfg";
        tree.write_file(
            early,
            fmt::format(
                "search.fs_uuid {} root\nset prefix=($root)/boot/grub\n",
                format_uuid(identity.root_file_system)),
            {});
        Command command{
            "grub-mkimage",
            {"-O", std::string(target.platform), "-p", "/boot/grub", "-c", early, "-o", image}};
        for (const std::string_view list : {kCommonModules, target.modules}) {
            for (std::string& module : split(list, ' ')) {
                command.args.push_back(std::move(module));
            }
        }
        run(context, std::move(command));
        tree.remove(early);
        tree.set_ownership(image, {});
        if (target.platform == "i386-pc") {
            tree.write_file(
                "/boot/grub/i386-pc/boot.img", tree.read_text(modules + "/boot.img"), {});
        }
    }

    static void run(StageContext& context, Command command) {
        command.on_lines = [&](std::string_view lines) { context.console.output(lines); };
        const ProcessResult result = context.sandbox.run(command);
        if (!result.ok()) {
            throw ProcessError(fmt::format("'{}'", command.program), result);
        }
    }

    [[nodiscard]] std::string grub_config(const DiskIdentity& identity) const {
        const std::string uuid = format_uuid(identity.root_file_system);
        const std::string& cmdline = spec_.options.at("cmdline").as_string();
        return fmt::format(
            "# Made by kiln. /vmlinuz and /initrd.img are links that kernel packages keep.\n"
            "serial --unit=0 --speed=115200\n"
            "terminal_input console serial\n"
            "terminal_output console serial\n"
            "set default=0\n"
            "set timeout={}\n"
            "search --no-floppy --fs-uuid --set=root {}\n"
            "menuentry 'Debian GNU/Linux' {{\n"
            "    linux /vmlinuz root=UUID={} ro {}\n"
            "    initrd /initrd.img\n"
            "}}\n"
            "menuentry 'Debian GNU/Linux, previous kernel' {{\n"
            "    linux /vmlinuz.old root=UUID={} ro {}\n"
            "    initrd /initrd.img.old\n"
            "}}\n",
            spec_.options.at("timeout").as_integer(),
            uuid,
            uuid,
            cmdline,
            uuid,
            cmdline);
    }

    /// Lines of the recipe stay, behind kiln's, and instead of kiln's where they mount the same.
    static void write_fstab(const StageContext& context, const DiskIdentity& identity) {
        const auto info = context.tree.look_through(kFstab);
        const std::string theirs = info ? context.tree.read_text(kFstab) : "";
        const Ownership owner =
            info ? Ownership{info->st_uid, info->st_gid, info->st_mode & 07777U} : Ownership{};
        std::set<std::string, std::less<>> mounted;
        for (const std::string& line : split_lines(theirs)) {
            const auto words = deb822_words(line);
            if (words.size() > 1 && !words[0].starts_with('#')) {
                mounted.insert(words[1]);
            }
        }
        std::string text;
        if (!mounted.contains("/")) {
            text += fmt::format(
                "UUID={} / ext4 errors=remount-ro,x-systemd.growfs 0 1\n",
                format_uuid(identity.root_file_system));
        }
        if (!mounted.contains("/boot/efi")) {
            text += fmt::format(
                "UUID={} /boot/efi vfat umask=0077,nofail 0 0\n",
                format_volume_id(identity.esp_volume_id));
        }
        if (!text.empty()) {
            context.tree.write_through(kFstab, text + theirs, owner);
        }
    }

    /// systemd-repart lets the root partition grow over the disk at first boot, fstab's
    /// x-systemd.growfs the file system over the partition. Partitions of the recipe stay as they
    /// are.
    static void let_root_grow(const TreeRoot& tree) {
        constexpr const char* kFolder = "/etc/repart.d";
        for (const std::string& name : tree.names(kFolder)) {
            if (name.ends_with(".conf")) {
                return;
            }
        }
        tree.write_file(fmt::format("{}/50-root.conf", kFolder), "[Partition]\nType=root\n", {});
    }

    const StageSpec& spec_;
};

} // namespace

constexpr Shape kKernelOptions = object_of(kFields);

std::unique_ptr<Stage> make_kernel_stage(const StageSpec& spec) {
    return std::make_unique<KernelStage>(spec);
}

} // namespace kiln
