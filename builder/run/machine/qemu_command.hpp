// SPDX-License-Identifier: MIT
//
// The command line of a virtual machine, as data.
#pragma once

#include "base/image_format.hpp"
#include "run/instance.hpp"

#include <string>
#include <vector>

namespace kiln {

struct QemuDisk {
    fs::path file;                         ///< absolute
    ImageFormat format = ImageFormat::raw; ///< never guessed by QEMU
    std::string serial;                    ///< /dev/disk/by-id/virtio-SERIAL; empty: none
    bool is_read_only = false;
    bool is_kept = false; ///< what the guest flushes must reach the file
    bool is_block_device = false;
};

struct QemuPlan {
    bool has_kvm = false;
    std::uint64_t memory_bytes = std::uint64_t{1} << 30U;
    unsigned cpus = 2;
    fs::path firmware_code;      ///< of UEFI; empty: BIOS
    fs::path firmware_variables; ///< a copy that may be written to
    std::vector<QemuDisk> disks; ///< in the order in which they are booted from
    std::vector<PublishedPort> ports;
    bool outgoing = false;
    fs::path folder; ///< of the sockets and the console's log
    /// NAME=BASE64 pairs for systemd.
    std::vector<std::pair<std::string, std::string>> credentials;
    bool has_shell_port = false; ///< a bus on which the port of a SerialShell can be plugged in

    [[nodiscard]] fs::path qmp_socket() const { return folder / "qmp"; }

    [[nodiscard]] fs::path shell_socket() const { return folder / "shell"; }

    [[nodiscard]] fs::path console_log() const { return folder / "console.log"; }
};

inline constexpr std::string_view kQemu = "qemu-system-x86_64";

/// Arguments of kQemu.
[[nodiscard]] std::vector<std::string> qemu_arguments(const QemuPlan& plan);

/// A value inside QEMU's options, where a comma is written twice.
[[nodiscard]] std::string qemu_escape(std::string_view text);

} // namespace kiln
