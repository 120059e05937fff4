// SPDX-License-Identifier: MIT
//
// A small disk by kiln's own writers, with what it must hold, for those who check disks.
#pragma once

#include "base/io/file.hpp"
#include "disk/disk.hpp"
#include "disk/qcow2/qcow2.hpp"
#include "support/sample_systems.hpp"
#include "verify/check/image_check.hpp"

#include <fcntl.h>

namespace kiln::test {

inline constexpr std::string_view kMarker = "a marker that the tests look for on the disk";

/// A system with owners, odd modes, hard links and attributes.
inline FileTree disk_tree() {
    FileTree tree = sample_system();
    put_with_parents(tree, "etc/fstab", file("LABEL=root / ext4 defaults 0 1\n"));
    put_with_parents(tree, "srv/marker", file(std::string(kMarker)));
    tree.entries().at("etc/shadow").gid = 42;
    Entry owned = file(std::string(300'000, 'x'), 0640);
    owned.uid = 33;
    owned.gid = 100'000;
    owned.mtime = kEpoch - 5;
    put_with_parents(tree, "var/www/owned", owned);
    put_with_parents(tree, "usr/bin/sudo", file("setuid", 04755));
    tree.put("usr/bin/sudoedit", hardlink(tree, "usr/bin/sudo"));
    Entry ping = file("ping", 0755);
    ping.xattrs["security.capability"] =
        std::string("\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
    put_with_parents(tree, "usr/bin/ping", ping);
    put_with_parents(tree, "tmp", directory(01777));
    put_with_parents(tree, "usr/F\xc5\x91tan\xc3\xba.crt", file("not ASCII"));
    return tree;
}

/// The disk in `folder`, as a raw file and as a qcow2 image.
class SampleDisk {
  public:
    static constexpr std::string_view kEspText = "a file of the ESP";

    explicit SampleDisk(const fs::path& folder)
        : raw(folder / "kiln.raw"), qcow2(folder / "kiln.qcow2") {
        put_with_parents(root, "usr/latin1-\xe9", file("not UTF-8"));
        Entry journal = directory(02755);
        journal.gid = 999;
        // As 'setfacl -m g:4:r-x' leaves it: owner, group, group 4, mask, others.
        journal.xattrs["system.posix_acl_access"] = std::string(
            "\x02\0\0\0"
            "\x01\0\x07\0\xff\xff\xff\xff"
            "\x04\0\x05\0\xff\xff\xff\xff"
            "\x08\0\x05\0\x04\0\0\0"
            "\x10\0\x05\0\xff\xff\xff\xff"
            "\x20\0\x05\0\xff\xff\xff\xff",
            44);
        put_with_parents(root, "var/log/journal", journal);
        put_with_parents(root, "dev/null", device(FileType::char_device, 1, 3));
        put_with_parents(root, "dev/initctl", device(FileType::fifo, 0, 0));
        esp.put("", directory());
        esp.put("EFI", directory());
        esp.put("EFI/X.TXT", file(std::string(kEspText)));
        DiskOptions options;
        options.seed = sha256("kiln check test");
        options.epoch = kEpoch;
        options.root_label = "root";
        options.esp_bytes = 64U << 20U;
        options.esp = esp;
        options.root_free_bytes = 8U << 20U;
        layout = write_disk(root, options, raw, [](std::uint64_t) {});
        const UniqueFd fd = open_file(raw, O_RDONLY | O_CLOEXEC);
        static_cast<void>(write_qcow2(fd.get(), qcow2, {}, [](std::uint64_t) {}));
    }

    [[nodiscard]] DiskToCheck to_check(DiskImage image, std::vector<DiskImage> copies = {}) const {
        return {std::move(image), std::move(copies), &root, &esp};
    }

    FileTree root = disk_tree();
    FileTree esp;
    fs::path raw;
    fs::path qcow2;
    DiskLayout layout;
};

} // namespace kiln::test
