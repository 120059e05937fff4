// SPDX-License-Identifier: MIT
#include "firstrun/host/device_probe.hpp"

#include "base/error.hpp"
#include "base/io/file.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>

namespace kiln::firstrun {

namespace {

constexpr int kNothingFound = 2; // exit codes of blkid
constexpr int kAmbivalent = 8;
constexpr std::size_t kLookedAt = std::size_t{1} << 20U; ///< in one place
/// Data without a signature, such as an encrypted volume whose header is elsewhere, begins
/// anywhere; what ends with a signature (RAID, GPT's copy) has it in the last MiB.
constexpr std::uint64_t kSamples = 64;
constexpr std::array<std::string_view, 3> kMountable{"ext4", "xfs", "btrfs"};

bool is_zero_at(int fd, std::uint64_t at, std::uint64_t size, const fs::path& device) {
    std::vector<std::byte> bytes(std::min<std::uint64_t>(kLookedAt, size - at));
    read_exactly_at(fd, bytes, at, device);
    return std::all_of(
        bytes.begin(), bytes.end(), [](std::byte byte) { return byte == std::byte{0}; });
}

} // namespace

std::vector<std::uint64_t> looked_at(std::uint64_t size) {
    std::vector<std::uint64_t> out;
    const std::uint64_t last = size > kLookedAt ? size - kLookedAt : 0;
    for (std::uint64_t i = 0; i <= kSamples; ++i) {
        out.push_back(last / kSamples * i);
    }
    out.push_back(last);
    return out;
}

bool is_zeros(int fd, std::uint64_t size, const fs::path& device) {
    const std::vector<std::uint64_t> places = looked_at(size);
    return std::all_of(places.begin(), places.end(), [&](std::uint64_t at) {
        return is_zero_at(fd, at, size, device);
    });
}

std::map<std::string, std::string> parse_export(std::string_view text) {
    std::map<std::string, std::string> out;
    for (const std::string& line : split_lines(text)) {
        if (const std::size_t equals = line.find('='); equals != std::string::npos) {
            out[line.substr(0, equals)] = line.substr(equals + 1);
        }
    }
    return out;
}

DeviceInfo explain_probe(int exit_status, std::string_view output) {
    DeviceInfo out;
    if (exit_status == kNothingFound) {
        out.content = DeviceContent::blank;
        return out;
    }
    if (exit_status == kAmbivalent) {
        out.type = "several signatures";
        return out;
    }
    std::map<std::string, std::string> values = parse_export(output);
    out.label = values["LABEL"];
    out.type = values["TYPE"];
    if (out.type == "LVM2_member") {
        out.content = DeviceContent::lvm_member;
    } else if (out.type.empty() && !values["PTTYPE"].empty()) {
        out.content = DeviceContent::partitioned;
        out.type = values["PTTYPE"];
    } else if (
        std::find(kMountable.begin(), kMountable.end(), out.type) != kMountable.end() &&
        values["USAGE"] != "raid") {
        out.content = DeviceContent::file_system;
    } else if (out.type.empty()) {
        out.type = "an unknown signature";
    }
    return out;
}

DeviceInfo probe_device(Host& host, const fs::path& device) {
    const ProcessResult probe =
        host.query(Command{"blkid", {"--probe", "--output", "export", device.string()}});
    if (!probe.ok() && probe.exit_status != kNothingFound && probe.exit_status != kAmbivalent) {
        throw ProcessError(fmt::format("examining '{}'", device.string()), probe);
    }
    DeviceInfo out = explain_probe(probe.exit_status, probe.output);
    const UniqueFd fd = open_file(host.real(device), O_RDONLY);
    int read_only = 0;
    if (::ioctl(fd.get(), BLKGETSIZE64, &out.size) != 0 ||
        ::ioctl(fd.get(), BLKROGET, &read_only) != 0) {
        throw SystemError(fmt::format("'{}' is not a block device", device.string()));
    }
    out.read_only = read_only != 0;
    if (out.content == DeviceContent::blank && !is_zeros(fd.get(), out.size, device)) {
        out.content = DeviceContent::unexplained;
    }
    return out;
}

} // namespace kiln::firstrun
