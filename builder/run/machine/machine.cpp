// SPDX-License-Identifier: MIT
#include "run/machine/machine.hpp"

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/io/beneath.hpp"
#include "base/text.hpp"
#include "disk/foreign_disk.hpp"
#include "run/base64.hpp"
#include "run/machine/qmp.hpp"
#include "run/machine/seed.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace kiln {

namespace {

void run_qemu_img(ProcessRunner& runner, std::vector<std::string> args) {
    static_cast<void>(runner.run_checked({"qemu-img", std::move(args)}));
}

/// A new disk of `size` bytes, of the format that its name says.
void make_data_disk(ProcessRunner& runner, const fs::path& disk, std::uint64_t size) {
    if (format_by_name(disk) == ImageFormat::qcow2) {
        run_qemu_img(
            runner,
            {"create",
             "-q",
             "-f",
             std::string(name_of(ImageFormat::qcow2)),
             disk_argument(disk),
             std::to_string(size)});
        return;
    }
    const UniqueFd fd = open_file(disk, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (::ftruncate(fd.get(), static_cast<off_t>(size)) != 0) {
        throw SystemError(fmt::format("cannot create '{}'", disk.string()));
    }
}

void remove_quietly(const fs::path& path) noexcept {
    std::error_code ignored;
    fs::remove(path, ignored);
}

} // namespace

namespace {

/// A guest that prints for ever fills its log; what is of interest is at the end.
constexpr std::uint64_t kMostConsole = std::uint64_t{16} << 20U;
/// Beyond this only as much of the file is kept.
constexpr std::uint64_t kLongestConsole = 4 * kMostConsole;

std::uint64_t size_of(const fs::path& path) {
    return fs::exists(path) ? fs::file_size(path) : 0;
}

/// The console's output from the byte `from` on, or the last of it.
std::string console_from(const fs::path& path, std::uint64_t from) {
    const std::uint64_t size = size_of(path);
    if (from > size) { // it was cut meanwhile
        from = 0;
    }
    const std::uint64_t begin = std::max(from, size - std::min(size, kMostConsole));
    if (begin >= size) {
        return {};
    }
    const RegularFile file(path);
    std::string text(static_cast<std::size_t>(size - begin), '\0');
    std::size_t count = 0;
    ::lseek(file.fd(), static_cast<off_t>(begin), SEEK_SET);
    while (const std::size_t more =
               read_some(file.fd(), std::as_writable_bytes(std::span(text).subspan(count)), path)) {
        count += more;
    }
    text.resize(count); // less when it was cut meanwhile
    return plain_console(text);
}

} // namespace

std::string plain_console(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '\x1b') {
            if (i + 1 < text.size() && text[i + 1] == '[') {
                i += 2;
                while (i < text.size() && (text[i] < '@' || text[i] > '~')) {
                    ++i;
                }
            } else {
                ++i;
            }
        } else if (c == '\n' || c == '\t' || static_cast<unsigned char>(c) >= ' ') {
            out += c;
        }
    }
    return out;
}

Machine::Machine(MachinePlan plan, ProcessRunner& runner)
    : plan_(std::move(plan)), runner_(runner) {
    if (find_program(kQemu).empty() || find_program("qemu-img").empty()) {
        throw Error(fmt::format("running a disk requires {} and qemu-img", kQemu))
            .with_hint("install qemu-system-x86 and qemu-utils");
    }
    qemu_.has_kvm = !plan_.is_emulated;
    qemu_.memory_bytes = plan_.spec.memory_bytes;
    qemu_.cpus = plan_.spec.cpus;
    qemu_.outgoing = plan_.spec.outgoing;
    qemu_.folder = plan_.folder;
    qemu_.ports = plan_.ports;
    fs::create_directories(plan_.folder);
    make_root(plan_.image, plan_.format);
    qemu_.disks.push_back({plan_.folder / "root.qcow2", ImageFormat::qcow2, "", false, false});
    add_data_disk();
    add_seed();
    if (plan_.firmware == Firmware::uefi) {
        add_firmware();
    }
}

Machine::~Machine() {
    remove();
}

void Machine::make_root(const fs::path& image, ImageFormat format) {
    const fs::path overlay = plan_.folder / "root.qcow2";
    remove_quietly(overlay);
    const std::uint64_t size = require_plain_disk(image, format);
    std::vector<std::string> args{
        "create",
        "-q",
        "-f",
        std::string(name_of(ImageFormat::qcow2)),
        "-F",
        std::string(name_of(format)),
        "-b",
        disk_argument(image),
        disk_argument(overlay)};
    if (plan_.spec.root_bytes > 0) {
        args.push_back(std::to_string(std::max(plan_.spec.root_bytes, size)));
    }
    run_qemu_img(runner_, std::move(args));
}

void Machine::add_data_disk() {
    if (plan_.data.empty() && plan_.spec.data_bytes == 0) {
        return;
    }
    const bool is_kept = !plan_.data.empty();
    const fs::path disk = is_kept ? fs::absolute(plan_.data) : plan_.folder / "data.qcow2";
    if (!fs::exists(disk)) {
        constexpr std::uint64_t kUsual = std::uint64_t{8} << 30U;
        const std::uint64_t size = plan_.spec.data_bytes > 0 ? plan_.spec.data_bytes : kUsual;
        make_data_disk(runner_, disk, size);
    }
    const ImageFormat format = require_guest_disk(disk);
    qemu_.disks.push_back({disk, format, "data", false, is_kept, fs::is_block_file(disk)});
}

void Machine::add_seed() {
    std::string key;
    if (plan_.spec.inside == MachineShell::ssh) {
        const auto port =
            std::find_if(qemu_.ports.begin(), qemu_.ports.end(), [](const auto& each) {
                return each.port == kSshPort;
            });
        KILN_CHECK(port != qemu_.ports.end());
        ssh_ = std::make_unique<SshAccess>(plan_.folder, port->host, runner_);
        key = ssh_->public_key();
        qemu_.credentials.emplace_back("ssh.authorized_keys.root", to_base64(key + '\n'));
    } else if (plan_.spec.inside == MachineShell::serial) {
        shell_ = std::make_unique<SerialShell>(qemu_.qmp_socket(), qemu_.shell_socket());
        qemu_.has_shell_port = true;
        qemu_.credentials.emplace_back("tmpfiles.extra", to_base64(serial_shell_credential()));
    }
    const fs::path drive = plan_.folder / "seed.img";
    if (ssh_ || !plan_.spec.seed.empty()) {
        write_seed_drive(seed_files(plan_.spec.seed, plan_.name, key), drive);
        qemu_.disks.push_back({drive, ImageFormat::raw, "seed", true, false});
    }
}

void Machine::add_firmware() {
    struct Pair {
        const char* code;
        const char* variables;
    };

    constexpr std::array kPairs{
        Pair{"/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"},
        Pair{"/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"},
    };
    for (const Pair& pair : kPairs) {
        if (fs::exists(pair.code) && fs::exists(pair.variables)) {
            qemu_.firmware_code = pair.code;
            qemu_.firmware_variables = plan_.folder / "uefi-variables.fd";
            fs::copy_file(
                pair.variables, qemu_.firmware_variables, fs::copy_options::overwrite_existing);
            return;
        }
    }
    throw Error("UEFI firmware for QEMU not found").with_hint("install ovmf");
}

void Machine::start() {
    if (is_running()) {
        throw Error("the VM is already running");
    }
    remove_quietly(qemu_.qmp_socket());
    remove_quietly(qemu_.shell_socket());
    if (const std::lock_guard lock(shell_mutex_); shell_) {
        shell_ = std::make_unique<SerialShell>(qemu_.qmp_socket(), qemu_.shell_socket());
    }
    bound_.reset();
    console_begin_ = size_of(qemu_.console_log());
    bound_ = std::make_unique<BoundedLog>(qemu_.console_log(), kLongestConsole, kMostConsole);
    launch();
    // Where machines are nested in machines, KVM may be there and yet fail at once.
    constexpr std::chrono::milliseconds kFailsWithin{1500};
    if (qemu_.has_kvm && process_->wait(kFailsWithin) && process_->exit_status() != 0) {
        qemu_.has_kvm = false;
        plan_.is_emulated = true;
        remove_quietly(qemu_.qmp_socket());
        remove_quietly(qemu_.shell_socket());
        launch();
    }
}

void Machine::launch() {
    process_ = std::make_unique<BackgroundProcess>(
        Command{std::string(kQemu), qemu_arguments(qemu_)}, plan_.folder / "qemu.log");
}

void Machine::stop() {
    if (!is_running()) {
        throw Error("the VM is not running");
    }
    constexpr std::chrono::seconds kAgain{15}; // a guest that still boots misses the first one
    const auto limit = plan_.spec.stop * (plan_.is_emulated ? kEmulationSlowness : 1);
    const auto end = std::chrono::steady_clock::now() + limit;
    while (std::chrono::steady_clock::now() < end) {
        try {
            Qmp(qemu_.qmp_socket()).execute("system_powerdown");
        } catch (const Error&) { // it may have ended just now
            if (is_running()) {
                throw;
            }
        }
        if (process_->wait(kAgain)) {
            process_.reset();
            if (ssh_) {
                ssh_->close();
            }
            return;
        }
    }
    throw Error(fmt::format(
        "the VM did not shut down within {} of the ACPI power-off request",
        format_duration(std::chrono::duration<double>(limit).count())));
}

void Machine::kill() {
    if (!is_running()) {
        throw Error("the VM is not running");
    }
    process_.reset();
    if (ssh_) {
        ssh_->close();
    }
}

void Machine::renew(const fs::path& image) {
    if (is_running()) {
        stop();
    }
    const fs::path& root = image.empty() ? plan_.image : image;
    make_root(root, image.empty() ? plan_.format : detect_disk_format(root));
    start();
}

bool Machine::is_running() {
    if (process_ == nullptr) {
        return false;
    }
    const std::optional<int> status = process_->exit_status();
    if (status && *status != 0) {
        const std::string said = read_text_file(plan_.folder / "qemu.log");
        process_.reset();
        throw Error(fmt::format("QEMU exited with {}", describe_exit(*status)))
            .with_details(last_lines(said));
    }
    return !status;
}

bool Machine::open_inside() {
    if (!plan_.has_inside) {
        return true;
    }
    if (ssh_) {
        return ssh_->open();
    }
    const std::chrono::seconds patience(plan_.is_emulated ? 30 : 10);
    const std::lock_guard lock(shell_mutex_);
    return shell_ == nullptr || shell_->open(patience);
}

void Machine::remove() {
    process_.reset();
    if (ssh_) {
        ssh_->close();
    }
    if (!plan_.keep) {
        remove_quietly(plan_.folder / "root.qcow2");
        remove_quietly(plan_.folder / "data.qcow2");
    }
}

std::string Machine::log() {
    return console_from(qemu_.console_log(), 0);
}

std::string Machine::log_since_start() {
    return console_from(qemu_.console_log(), console_begin_);
}

std::string Machine::inside_script() const {
    return ssh_ ? ssh_->inside_script() : std::string();
}

ProcessResult
Machine::run_inside(const std::string& text, const std::string& input, std::chrono::seconds limit) {
    const std::lock_guard lock(shell_mutex_);
    return shell_ ? shell_->run(text, input, limit) : Instance::run_inside(text, input, limit);
}

std::vector<std::string> Machine::cleanup_hints() const {
    return {fmt::format("the VM's disks and logs are in '{}'", plan_.folder.string())};
}

} // namespace kiln
