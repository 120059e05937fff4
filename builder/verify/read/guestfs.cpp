// SPDX-License-Identifier: MIT
#include "verify/read/guestfs.hpp"

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/process/kvm.hpp"
#include "base/text.hpp"
#include "disk/foreign_disk.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <set>

namespace kiln {

namespace {

// A udev rule of the appliance makes these from the labels that drives are added with.
constexpr std::string_view kLabelDirectory = "/dev/disk/guestfs/";
constexpr const char* kScratchLabel = "scratch";

void require_program(std::string_view program, std::string_view package, const Environment& env) {
    if (find_program(program, env).empty()) {
        throw Error(fmt::format("the libguestfs appliance requires '{}'", program))
            .with_hint(fmt::format("run 'apt-get install {}'", package));
    }
}

/// Names below `directory`, sorted; none when it cannot be read.
std::set<std::string> names_in(const fs::path& directory) {
    std::set<std::string> names;
    std::error_code error;
    for (fs::directory_iterator it(directory, error), end; !error && it != end;
         it.increment(error)) {
        names.insert(it->path().filename().string());
    }
    return names;
}

/// Kernels with modules whose image this user can read; the first unreadable one otherwise.
struct KernelSearch {
    bool readable = false;
    std::optional<fs::path> unreadable;
};

KernelSearch search_kernel(const ApplianceHost& host) {
    constexpr std::string_view kPrefix = "vmlinuz-";
    KernelSearch found;
    for (const std::string& name : names_in(host.boot_dir)) {
        if (!name.starts_with(kPrefix) ||
            !fs::is_directory(host.modules_dir / name.substr(kPrefix.size()))) {
            continue;
        }
        const fs::path kernel = host.boot_dir / name;
        if (::access(kernel.c_str(), R_OK) == 0) {
            found.readable = true;
        } else if (!found.unreadable) {
            found.unreadable = kernel;
        }
    }
    return found;
}

/// Passes messages of libguestfs and of the appliance on. Must not throw: the caller is C.
void on_event( // NOLINT(readability-function-size): the signature is libguestfs' own
    guestfs_h* handle,
    void* opaque,
    std::uint64_t event,
    int /*event_handle*/,
    int /*flags*/,
    const char* text,
    std::size_t length,
    const std::uint64_t* /*numbers*/,
    std::size_t /*number_count*/) noexcept {
    if (event == GUESTFS_EVENT_PROGRESS) {
        if (interrupt_requested()) {
            guestfs_user_cancel(handle);
        }
        return;
    }
    try {
        auto* const console = static_cast<Console*>(opaque);
        for (const std::string& line : split_lines(std::string_view(text, length))) {
            console->debug("appliance: " + printable(line));
        }
    } catch (...) { // a lost debug message is no reason to end
        return;
    }
}

std::string drive_label(std::size_t number) {
    return fmt::format("disk{}", static_cast<char>('a' + number));
}

fs::path make_directory(const fs::path& path) {
    std::error_code error;
    fs::create_directories(path, error);
    if (error) {
        throw SystemError(fmt::format("cannot create '{}'", path.string()), error.value());
    }
    return path;
}

/// LIBGUESTFS_BACKEND_SETTINGS=force_tcg is libguestfs' own word for "no KVM".
Acceleration best_acceleration() {
    const auto settings = process_env("LIBGUESTFS_BACKEND_SETTINGS");
    const bool forbidden = settings && settings->find("force_tcg") != std::string::npos;
    return !forbidden && has_kvm() ? Acceleration::kvm : Acceleration::emulation;
}

} // namespace

void check_appliance_host(const ApplianceHost& host) {
    const Environment env = host.path ? Environment{{"PATH", *host.path}} : clean_environment();
    require_program("qemu-system-x86_64", "qemu-system-x86", env);
    require_program("qemu-img", "qemu-utils", env);
    require_program("supermin", "supermin", env);
    // With these the user names a kernel or a ready-made appliance.
    if (process_env("SUPERMIN_KERNEL") || process_env("LIBGUESTFS_PATH")) {
        return;
    }
    const KernelSearch kernels = search_kernel(host);
    if (kernels.readable) {
        return;
    }
    if (kernels.unreadable) {
        throw Error(fmt::format(
                        "the libguestfs appliance requires a kernel, but '{}' is not readable",
                        kernels.unreadable->string()))
            .with_hint(fmt::format("as root: chmod 0644 {}", kernels.unreadable->string()));
    }
    throw Error(fmt::format(
                    "the libguestfs appliance requires a kernel package: no '{}/vmlinuz-*' has "
                    "modules in '{}'",
                    host.boot_dir.string(),
                    host.modules_dir.string()))
        .with_hint("run 'apt-get install linux-image-cloud-amd64' (it is not booted on this host), "
                   "or skip the check with --no-check");
}

Appliance::Appliance(const ApplianceOptions& options, Console& console)
    : console_(console), temp_(temporary_root(), "kiln-appliance") {
    check_appliance_host({});
    Job job = console.start("start the libguestfs appliance");
    const Acceleration best = best_acceleration();
    bool started = launch(options, best);
    if (!started && best == Acceleration::kvm && !interrupt_requested()) {
        // Seen on hosts that are guests themselves: /dev/kvm opens, and QEMU dies of it.
        console.info("KVM is not usable for the appliance on this host; using emulation");
        started = launch(options, Acceleration::emulation);
    }
    if (!started) {
        fail("start the libguestfs appliance");
    }
    job.finish();
}

bool Appliance::launch(const ApplianceOptions& options, Acceleration acceleration) {
    handle_.reset(guestfs_create());
    if (!handle_) {
        throw SystemError("cannot create a libguestfs handle");
    }
    configure(options, acceleration);
    for (std::size_t i = 0; i < options.drives.size(); ++i) {
        add_drive(options.drives[i], drive_label(i));
    }
    if (options.scratch_bytes > 0) {
        add_scratch(options.scratch_bytes);
    }
    return guestfs_launch(get()) != -1;
}

void Appliance::configure(const ApplianceOptions& options, Acceleration acceleration) {
    guestfs_h* const g = get();
    guestfs_set_error_handler(g, nullptr, nullptr); // errors come through guestfs_last_error
    check(guestfs_set_backend(g, "direct"), "set the libguestfs backend");
    if (acceleration == Acceleration::emulation) {
        check(guestfs_set_backend_setting(g, "force_tcg", "1"), "set software emulation");
        // Software emulation walks `rep movsb`, the copy that these two flags recommend, byte by
        // byte. la57 is off as libguestfs has it.
        check(guestfs_config(g, "-cpu", "max,la57=off,erms=off,fsrm=off"), "set the CPU model");
    }
    check(
        guestfs_set_cachedir(g, make_directory(options.cache_dir).c_str()),
        "set the cache directory");
    check(guestfs_set_tmpdir(g, temp_.path().c_str()), "set the temporary directory");
    check(guestfs_set_memsize(g, options.memory_mib), "set the appliance's memory");
    // The kernel guards its caches against other guests at a price; this one has a single task.
    check(guestfs_set_append(g, "mitigations=off audit=0"), "configure the appliance");
    const bool verbose = console_.options().level == Level::debug;
    check(guestfs_set_verbose(g, verbose ? 1 : 0), "configure the appliance");
    constexpr std::uint64_t kEvents = GUESTFS_EVENT_APPLIANCE | GUESTFS_EVENT_LIBRARY |
                                      GUESTFS_EVENT_WARNING | GUESTFS_EVENT_PROGRESS;
    check(
        guestfs_set_event_callback(g, on_event, kEvents, 0, &console_), "register event handlers");
}

void Appliance::add_drive(const GuestDrive& drive, const std::string& label) {
    static_cast<void>(require_plain_disk(drive.path, drive.format));
    // A name of our own: libguestfs has characters that it does not take.
    const fs::path path = temp_.path() / label;
    std::error_code ignored; // the second try, without KVM, makes the same
    fs::remove(path, ignored);
    fs::create_symlink(fs::canonical(drive.path), path);
    struct guestfs_add_drive_opts_argv options{};
    options.bitmask = GUESTFS_ADD_DRIVE_OPTS_READONLY_BITMASK |
                      GUESTFS_ADD_DRIVE_OPTS_FORMAT_BITMASK | GUESTFS_ADD_DRIVE_OPTS_LABEL_BITMASK |
                      GUESTFS_ADD_DRIVE_OPTS_CACHEMODE_BITMASK;
    options.readonly = drive.access == GuestDrive::Access::read_only ? 1 : 0;
    const std::string format(name_of(drive.format));
    options.format = format.c_str();
    options.label = label.c_str();
    options.cachemode = drive.access == GuestDrive::Access::read_only ? "unsafe" : "writeback";
    check(
        guestfs_add_drive_opts_argv(get(), path.c_str(), &options),
        fmt::format("open the disk '{}'", drive.path.string()));
}

void Appliance::add_scratch(std::uint64_t size) {
    const UniqueFd fd = open_file(scratch_file(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (::ftruncate(fd.get(), static_cast<off_t>(size)) != 0) {
        throw SystemError(fmt::format("cannot create '{}'", scratch_file().string()));
    }
    struct guestfs_add_drive_opts_argv options{};
    options.bitmask = GUESTFS_ADD_DRIVE_OPTS_FORMAT_BITMASK | GUESTFS_ADD_DRIVE_OPTS_LABEL_BITMASK |
                      GUESTFS_ADD_DRIVE_OPTS_CACHEMODE_BITMASK;
    options.format = "raw";
    options.label = kScratchLabel;
    options.cachemode = "unsafe";
    check(
        guestfs_add_drive_opts_argv(get(), scratch_file().c_str(), &options),
        "add a scratch disk to the appliance");
}

std::string Appliance::api_device(std::size_t number) {
    return fmt::format("/dev/sd{}", static_cast<char>('a' + number));
}

std::string Appliance::inner_device(std::size_t number) {
    return std::string(kLabelDirectory) + drive_label(number);
}

std::string Appliance::scratch_device() {
    return std::string(kLabelDirectory) + kScratchLabel;
}

std::string Appliance::text(char* result, std::string_view what) const {
    if (result == nullptr) {
        fail(what);
    }
    return text_or_empty(result);
}

std::string Appliance::text_or_empty(char* result) {
    const Handle<char, std::free> owner(result);
    return result == nullptr ? std::string() : std::string(result);
}

std::vector<std::string> Appliance::list(char** result, std::string_view what) const {
    if (result == nullptr) {
        fail(what);
    }
    std::vector<std::string> strings;
    for (char** item = result; *item != nullptr; ++item) {
        strings.push_back(text_or_empty(*item));
    }
    std::free(static_cast<void*>(result));
    return strings;
}

std::string Appliance::shell(const std::string& command, std::string_view what) const {
    // The API call takes char* for historical reasons and does not write to it.
    std::string words = command;
    std::array<char*, 2> arguments{words.data(), nullptr};
    return text(guestfs_debug(get(), "sh", arguments.data()), what);
}

void Appliance::shutdown() {
    check(guestfs_shutdown(get()), "shut down the libguestfs appliance");
}

void Appliance::fail(std::string_view what) const {
    throw_if_interrupted();
    const char* const reason = guestfs_last_error(get());
    std::vector<std::string> lines =
        split_lines(reason == nullptr ? "no reason given" : printable_lines(reason));
    const std::string first = lines.empty() ? std::string() : lines.front();
    lines.erase(lines.begin(), lines.begin() + (lines.empty() ? 0 : 1));
    Error error = Error(fmt::format("cannot {}: {}", what, first)).with_details(std::move(lines));
    if (console_.options().level != Level::debug) {
        error.set_hint_if_empty("use --verbose to show the messages of the appliance");
    }
    throw error;
}

} // namespace kiln
