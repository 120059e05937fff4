// SPDX-License-Identifier: MIT
#include "run/machine/qemu_command.hpp"

#include <fmt/format.h>

namespace kiln {

namespace {

class Arguments {
  public:
    void add(std::string option, std::string value) {
        list_.push_back(std::move(option));
        list_.push_back(std::move(value));
    }

    void flag(std::string option) { list_.push_back(std::move(option)); }

    [[nodiscard]] std::vector<std::string> take() { return std::move(list_); }

  private:
    std::vector<std::string> list_;
};

void add_processor(const QemuPlan& plan, Arguments& out) {
    if (plan.has_kvm) {
        out.add("-accel", "kvm");
        out.add("-cpu", "host");
        return;
    }
    out.add("-accel", "tcg,thread=multi");
    // Emulation walks the copies that erms and fsrm recommend byte by byte, and five levels of
    // page tables cost without use. Linux 6.12 panics when it uses the emulated cmpxchg16b.
    out.add("-cpu", "max,la57=off,erms=off,fsrm=off,cx16=off");
}

void add_disks(const QemuPlan& plan, Arguments& out) {
    for (std::size_t i = 0; i < plan.disks.size(); ++i) {
        const QemuDisk& disk = plan.disks[i];
        // Every driver is named, so that QEMU opens the file as this and as nothing else: with
        // -drive a name may be a protocol, and a header of the guest's making a format.
        out.add(
            "-blockdev",
            fmt::format(
                "driver={},node-name=disk{},read-only={},cache.no-flush={},file.driver={},"
                "file.filename={}",
                name_of(disk.format),
                i,
                disk.is_read_only ? "on" : "off",
                disk.is_kept ? "off" : "on",
                disk.is_block_device ? "host_device" : "file",
                qemu_escape(disk.file.string())));
        out.add(
            "-device",
            fmt::format(
                "virtio-blk-pci,drive=disk{},bootindex={}{}",
                i,
                i + 1,
                disk.serial.empty() ? "" : ",serial=" + disk.serial));
    }
}

void add_network(const QemuPlan& plan, Arguments& out) {
    std::string forwards;
    for (const PublishedPort& port : plan.ports) {
        forwards += fmt::format(",hostfwd=tcp:127.0.0.1:{}-:{}", port.host, port.port);
    }
    out.add(
        "-netdev",
        fmt::format("user,id=net,restrict={}{}", plan.outgoing ? "off" : "on", forwards));
    out.add("-device", "virtio-net-pci,netdev=net,romfile=");
}

} // namespace

std::vector<std::string> qemu_arguments(const QemuPlan& plan) {
    Arguments out;
    out.flag("-nodefaults");
    out.flag("-no-user-config");
    out.add("-machine", "q35");
    add_processor(plan, out);
    out.add("-m", fmt::format("{}M", plan.memory_bytes >> 20U));
    out.add("-smp", std::to_string(plan.cpus));
    out.add("-display", "none");
    out.add("-monitor", "none");
    out.add(
        "-chardev",
        fmt::format("file,id=console,append=on,path={}", qemu_escape(plan.console_log().string())));
    out.add("-serial", "chardev:console");
    out.add(
        "-qmp", fmt::format("unix:{},server=on,wait=off", qemu_escape(plan.qmp_socket().string())));
    out.add("-device", "virtio-rng-pci");
    if (!plan.firmware_code.empty()) {
        out.add(
            "-drive",
            fmt::format(
                "if=pflash,format=raw,unit=0,readonly=on,file={}",
                qemu_escape(plan.firmware_code.string())));
        out.add(
            "-drive",
            fmt::format(
                "if=pflash,format=raw,unit=1,file={}",
                qemu_escape(plan.firmware_variables.string())));
    }
    add_disks(plan, out);
    add_network(plan, out);
    for (const auto& [name, value] : plan.credentials) {
        out.add(
            "-smbios",
            fmt::format("type=11,value=io.systemd.credential.binary:{}={}", name, value));
    }
    if (plan.has_shell_port) {
        out.add("-device", "virtio-serial-pci,id=ports");
        out.add(
            "-chardev",
            fmt::format(
                "socket,id=shell,server=on,wait=off,path={}",
                qemu_escape(plan.shell_socket().string())));
    }
    return out.take();
}

std::string qemu_escape(std::string_view text) {
    std::string out;
    for (const char c : text) {
        out += c == ',' ? ",," : std::string(1, c);
    }
    return out;
}

} // namespace kiln
