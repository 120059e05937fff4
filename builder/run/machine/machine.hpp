// SPDX-License-Identifier: MIT
//
// An instance as a virtual machine under QEMU, on a throw-away overlay over the disk image.
#pragma once

#include "base/image_format.hpp"
#include "base/process/background_process.hpp"
#include "run/bounded_log.hpp"
#include "run/machine/qemu_command.hpp"
#include "run/machine/serial_shell.hpp"
#include "run/ssh.hpp"

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace kiln {

enum class Firmware { bios, uefi };

/// Everything of a machine that is known before it is made.
struct MachinePlan {
    std::string name;
    fs::path image;
    ImageFormat format = ImageFormat::raw;
    MachineSpec spec;
    std::vector<PublishedPort> ports;
    /// A disk that is kept, and made when it is missing: qcow2 when it is called *.qcow2, else raw.
    /// Empty: a blank one when the suite says so.
    fs::path data;
    Firmware firmware = Firmware::bios;
    bool is_emulated = false;
    bool keep = false;      ///< the overlay and the data disk stay
    bool has_inside = true; ///< programs are to be run inside, so a shell is waited for
    fs::path folder;        ///< for its disks, sockets and logs; short names fit sockets
};

class Machine final : public Instance {
  public:
    /// Makes the disks. Throws Error.
    Machine(MachinePlan plan, ProcessRunner& runner);
    ~Machine() override;

    [[nodiscard]] InstanceKind kind() const override { return InstanceKind::vm; }

    [[nodiscard]] bool is_emulated() const override { return plan_.is_emulated; }

    void start() override;
    void stop() override;
    void kill() override;
    void renew(const fs::path& image) override;
    [[nodiscard]] bool is_running() override;
    bool open_inside() override;

    [[nodiscard]] std::string inside_trouble() const override {
        return ssh_ ? ssh_->trouble() : std::string();
    }

    void remove() override;
    /// The last 16 MiB at most.
    [[nodiscard]] std::string log() override;
    [[nodiscard]] std::string log_since_start() override;

    [[nodiscard]] std::string log_name() const override { return "serial console"; }

    [[nodiscard]] std::string inside_script() const override;
    ProcessResult run_inside(
        const std::string& text, const std::string& input, std::chrono::seconds limit) override;
    [[nodiscard]] std::vector<std::string> cleanup_hints() const override;

  private:
    void make_root(const fs::path& image, ImageFormat format);
    void add_data_disk();
    void add_seed();
    void add_firmware();
    void launch();

    MachinePlan plan_;
    ProcessRunner& runner_;
    QemuPlan qemu_;
    std::unique_ptr<SshAccess> ssh_;
    std::mutex shell_mutex_;
    std::unique_ptr<SerialShell> shell_;
    std::unique_ptr<BoundedLog> bound_; ///< of the console's file
    std::unique_ptr<BackgroundProcess> process_;
    std::uint64_t console_begin_ = 0; ///< of the present start, in the console's file
};

/// A console's output as people read it: without escape sequences and carriage returns.
[[nodiscard]] std::string plain_console(std::string_view text);

} // namespace kiln
