// SPDX-License-Identifier: MIT
#include "firstrun/volumes/volume_device.hpp"

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/text.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/mount.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

namespace kiln::firstrun {

namespace {

constexpr std::uint64_t kSmallest = std::uint64_t{1} << 30U;
constexpr std::uint64_t kNeededFree = std::uint64_t{256} << 20U;
constexpr int kPollMilliseconds = 200;
constexpr int kMostListed = 5;
/// On the root file system: which blank device was being formatted. A killed mkfs leaves one that
/// looks like somebody's data.
constexpr const char* kFormatting = "/var/lib/pause-first-run/formatting";

bool is_kind(const std::string& answer, std::string_view prefix) {
    return answer.starts_with(prefix);
}

std::string name_in(const std::string& answer) {
    return answer.substr(answer.find('=') + 1);
}

std::uint64_t smallest_size() {
    const char* text = std::getenv("FIRST_RUN_MINIMUM_VOLUME");
    return text == nullptr ? kSmallest : parse_size(text).value_or(kSmallest);
}

/// The kernel's path of a link below /dev/disk.
std::optional<fs::path> device_behind(const Host& host, const fs::path& path) {
    std::error_code failure;
    const fs::path real = fs::canonical(host.real(path), failure);
    return failure ? std::nullopt : std::optional(real);
}

std::optional<fs::path> find_by_label(Context& context, const std::string& label) {
    if (auto device = device_behind(context.host, fs::path("/dev/disk/by-label") / label)) {
        return device;
    }
    // Where no udev keeps the links.
    const ProcessResult found = context.host.query(Command{"blkid", {"--label", label}});
    const std::string path(trim(found.output));
    return found.ok() && !path.empty() ? std::optional<fs::path>(path) : std::nullopt;
}

fs::path logical_volume(const VolumeRequest& request, const std::string& group) {
    return fs::path("/dev") / group / request.label;
}

void make_logical_volume(Context& context, const VolumeRequest& request) {
    const std::string group = name_in(context.answers.text(request.key));
    if (!context.host.has_program("lvcreate")) {
        throw Error(fmt::format(
            "volume '{}' requires LVM, which is not in this image",
            context.answers.text(request.key)));
    }
    if (!context.host.query(Command{"vgs", {"--noheadings", group}}).ok()) {
        return; // it may be late
    }
    context.host.run(
        fmt::format("create the logical volume {}", request.label),
        Command{
            "lvcreate",
            {"--yes",
             "--wipesignatures",
             "y",
             "--name",
             request.label,
             "--size",
             context.answers.text(request.size_key),
             group}});
}

std::vector<std::string> device_list(Context& context) {
    const ProcessResult list = context.host.query(
        Command{"lsblk", {"--output", "PATH,SIZE,TYPE,FSTYPE,LABEL,MOUNTPOINT"}});
    return list.ok() ? last_lines(list.output) : std::vector<std::string>();
}

[[noreturn]] void fail_absent(Context& context, const VolumeRequest& request) {
    throw Error(fmt::format(
                    "the {} '{}' did not appear within {} s",
                    request.what,
                    context.answers.text(request.key),
                    context.answers.number(Key::volume_wait)))
        .with_details(device_list(context))
        .with_hint(fmt::format(
            "attach it; or set '{0}' to a blank device, which is then formatted with the label "
            "{1}; or set 'volume: root' to keep everything on the root disk",
            spec_of(request.key).name,
            request.label));
}

} // namespace

std::optional<fs::path> find_volume(Context& context, const VolumeRequest& request) {
    const std::string& answer = context.answers.text(request.key);
    if (is_kind(answer, "label=")) {
        return find_by_label(context, name_in(answer));
    }
    if (is_kind(answer, "vg=")) {
        return device_behind(context.host, logical_volume(request, name_in(answer)));
    }
    if (is_kind(answer, "digitalocean=")) {
        return device_behind(
            context.host, fmt::format("/dev/disk/by-id/scsi-0DO_Volume_{}", name_in(answer)));
    }
    return device_behind(context.host, answer);
}

fs::path await_volume(Context& context, const VolumeRequest& request) {
    const auto start = std::chrono::steady_clock::now();
    const std::chrono::seconds patience(context.answers.number(Key::volume_wait));
    bool is_reported = false;
    while (true) {
        if (auto device = find_volume(context, request)) {
            if (is_reported) {
                const std::chrono::duration<double> late = std::chrono::steady_clock::now() - start;
                context.report.notice(
                    fmt::format("the {} appeared after {:.1f} s", request.what, late.count()));
            }
            return *device;
        }
        if (is_kind(context.answers.text(request.key), "vg=")) {
            make_logical_volume(context, request);
            if (auto device = find_volume(context, request)) {
                return *device;
            }
        }
        if (std::chrono::steady_clock::now() - start >= patience) {
            fail_absent(context, request);
        }
        if (!is_reported) {
            context.report.notice(fmt::format(
                "waiting up to {} s for the {} '{}'",
                patience.count(),
                request.what,
                context.answers.text(request.key)));
            is_reported = true;
        }
        throw_if_interrupted();
        ::poll(nullptr, 0, kPollMilliseconds);
    }
}

void check_device(
    const VolumeRequest& request, const fs::path& device, const DeviceInfo& info, bool was_ours) {
    const std::string name = fmt::format("the {} '{}'", request.what, device.string());
    if (info.read_only) {
        throw Error(name + " is read-only")
            .with_hint("attach it writable; a snapshot must be copied to a volume first");
    }
    switch (info.content) {
    case DeviceContent::file_system:
        return;
    case DeviceContent::foreign:
        throw Error(
            fmt::format("{} contains {}, which first-run does not overwrite", name, info.type))
            .with_hint("use another volume; to use this one for PAUSE, erase it with 'wipefs "
                       "--all' and 'blkdiscard --zeroout'");
    case DeviceContent::partitioned:
        throw Error(fmt::format("{} is a partitioned disk ({})", name, info.type))
            .with_hint("use one of its partitions, or a blank disk");
    case DeviceContent::lvm_member:
        throw Error(name + " belongs to a volume group of LVM")
            .with_hint("set 'vg=NAME' with the name of the group");
    case DeviceContent::unexplained:
        if (was_ours) {
            break;
        }
        throw Error(name + " has no signature, but is not blank")
            .with_hint("it may be encrypted or damaged; to use it for PAUSE, erase it with "
                       "'blkdiscard --zeroout'");
    case DeviceContent::blank:
        break;
    }
    if (info.size < smallest_size()) {
        throw Error(fmt::format(
                        "{} is too small: {} of {}",
                        name,
                        format_size(info.size),
                        format_size(smallest_size())))
            .with_hint("an empty PAUSE needs 256 MiB, one in use many gigabytes");
    }
}

void check_content(const Context& context, const VolumeRequest& request) {
    if (context.host.exists(request.target / request.stamp)) {
        return;
    }
    std::vector<std::string> strangers;
    for (const std::string& name : context.host.list(request.target)) {
        if (!request.entries.contains(name) && name != "lost+found") {
            strangers.push_back(name);
        }
    }
    if (strangers.empty()) {
        return;
    }
    const std::size_t count = strangers.size();
    strangers.resize(std::min<std::size_t>(count, kMostListed));
    throw Error(fmt::format(
                    "the {} contains files that do not belong to PAUSE: {}{}",
                    request.what,
                    join(strangers, ", "),
                    count > kMostListed ? fmt::format(" and {} more", count - kMostListed) : ""))
        .with_hint("use another volume, or move these files away");
}

void check_space(const Context& context, const VolumeRequest& request) {
    if (!context.host.is_writable(request.target)) {
        throw Error(
            fmt::format("the {} at '{}' is not writable", request.what, request.target.string()))
            .with_hint("it is mounted read-only, perhaps after errors: check the kernel log");
    }
    const std::uint64_t free = context.host.free_bytes(request.target);
    if (free < kNeededFree) {
        throw Error(fmt::format(
                        "the {} is full: {} free, {} needed",
                        request.what,
                        format_size(free),
                        format_size(kNeededFree)))
            .with_hint(
                "free some space or enlarge it; the database must not start on a full volume");
    }
}

namespace {

/// Names of links in `folder` that lead to the device.
std::string links_to(const Host& host, const fs::path& folder, const fs::path& device) {
    std::string out;
    for (const std::string& name : host.list(folder)) {
        if (device_behind(host, folder / name) == device) {
            out += fmt::format(" {}", name);
        }
    }
    return out;
}

/// What tells this device from another that gets its name at the next boot: its serial number or
/// that of its layer, else the slot it sits in. Empty when nothing does.
std::string identity_of(const Host& host, const fs::path& device) {
    std::string out = links_to(host, "/dev/disk/by-id", device);
    const fs::path system = fs::path("/sys/class/block") / device.filename();
    for (const char* name :
         {"serial", "wwid", "device/serial", "device/wwid", "dm/uuid", "loop/backing_file"}) {
        if (const auto text = host.read(system / name); text && !trim(*text).empty()) {
            out += fmt::format(" {}", trim(*text));
        }
    }
    return out.empty() ? links_to(host, "/dev/disk/by-path", device) : out;
}

/// Empty when the device cannot be is_reported from others: then nothing is forgiven.
std::string formatting_note(const Host& host, const fs::path& device, const DeviceInfo& info) {
    const std::string identity = identity_of(host, device);
    return identity.empty() ? "" : fmt::format("{} {}\n", info.size, trim(identity));
}

void format(
    Context& context,
    const VolumeRequest& request,
    const fs::path& device,
    const DeviceInfo& info) {
    Host& host = context.host;
    host.make_directory(fs::path(kFormatting).parent_path(), {}, 0700);
    host.write_file(kFormatting, formatting_note(host, device, info), {}, 0600);
    host.run(
        fmt::format("format the {}", request.what),
        Command{"mkfs.ext4", {"-q", "-F", "-L", request.label, "-m", "1", device.string()}});
    host.remove(kFormatting);
}

void repair(Context& context, const fs::path& device) {
    if (!context.host.has_program("e2fsck")) {
        return;
    }
    const ProcessResult check =
        context.host.try_run("check the file system", {"e2fsck", {"-p", device.string()}});
    constexpr int kRepaired = 3; // 0, 1 and 2 mean "well now"
    if (check.exit_status >= kRepaired) {
        throw Error(fmt::format("the file system of '{}' is damaged", device.string()))
            .with_details(last_lines(check.output))
            .with_hint(fmt::format("repair it with 'e2fsck {}' and start again", device.string()));
    }
}

/// The file system at the target comes from this device (as far as can be is_reported).
void check_mounted(
    Context& context, const VolumeRequest& request, const std::optional<fs::path>& device) {
    const ProcessResult source = context.host.query(
        {"findmnt",
         {"--noheadings", "--output", "SOURCE", "--mountpoint", request.target.string()}});
    const std::string mounted(trim(source.output));
    const auto real = device_behind(context.host, mounted);
    if (device && real && *real != *device) {
        throw Error(fmt::format(
                        "'{}' is mounted at '{}', not the {} '{}'",
                        mounted,
                        request.target.string(),
                        request.what,
                        device->string()))
            .with_hint("a mount unit or fstab line contradicts the answers");
    }
}

} // namespace

void mount_volume(Context& context, const VolumeRequest& request) {
    Host& host = context.host;
    if (host.is_mount_point(request.target)) {
        check_mounted(context, request, find_volume(context, request));
        check_content(context, request);
        check_space(context, request);
        return;
    }
    const fs::path device = await_volume(context, request);
    DeviceInfo info = probe_device(host, device);
    const std::string note = formatting_note(host, device, info);
    const bool was_ours = !note.empty() && host.read(kFormatting) == note;
    check_device(request, device, info, was_ours);
    // mkfs writes the superblock last, after a flush: what shows a file system is whole, whatever
    // the note says, and may hold data by now.
    if (info.content != DeviceContent::file_system) {
        format(context, request, device, info);
        info = probe_device(host, device);
    } else if (was_ours) {
        host.remove(kFormatting); // of a run that was killed after mkfs
    }
    if (info.type == "ext4") {
        repair(context, device);
    }
    if (!host.exists(request.target)) {
        host.make_directory(request.target, {}, 0755);
    }
    host.mount({device.string(), request.target, info.type, MS_NODEV | MS_NOSUID});
    try {
        check_content(context, request);
        check_space(context, request);
    } catch (...) {
        host.unmount(request.target);
        throw;
    }
}

Reasons volume_reasons(Context& context, const VolumeRequest& request) {
    if (context.host.is_mount_point(request.target)) {
        check_content(context, request);
        check_space(context, request);
        return {};
    }
    const auto device = find_volume(context, request);
    if (!device) {
        return {fmt::format(
            "the {} '{}' is not available yet", request.what, context.answers.text(request.key))};
    }
    const DeviceInfo info = probe_device(context.host, *device);
    check_device(request, *device, info, false);
    return {
        info.content == DeviceContent::file_system
            ? fmt::format("{} is not mounted", device->string())
            : fmt::format("{} is blank: it will be formatted", device->string())};
}

} // namespace kiln::firstrun
