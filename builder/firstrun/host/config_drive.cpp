// SPDX-License-Identifier: MIT
#include "firstrun/host/config_drive.hpp"

#include "base/error.hpp"
#include "base/io/file.hpp"
#include "base/text.hpp"
#include "firstrun/answers/answers_yaml.hpp"
#include "firstrun/host/locations.hpp"

#include <fmt/format.h>
#include <sys/mount.h>

#include <array>
#include <filesystem>

namespace kiln::firstrun {

namespace {

constexpr std::array<const char*, 4> kLabels{"config-2", "cidata", "CIDATA", "pause-config"};
constexpr std::array<const char*, 3> kTypes{"iso9660", "vfat", "ext4"};
constexpr std::array<const char*, 2> kUserData{"user-data", "openstack/latest/user_data"};

bool mount_read_only(Host& host, const std::string& device, const fs::path& target) {
    for (const char* type : kTypes) {
        try {
            host.mount({device, target, type, MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC});
            return true;
        } catch (const SystemError&) {
            continue; // another type of file system
        }
    }
    return false;
}

void read_drive(
    const Host& host,
    const fs::path& folder,
    const std::string& label,
    AnswerSource& out,
    Faults& faults) {
    if (const auto text = host.read(folder / "pause.yaml")) {
        out.answers = parse_answers(
            fmt::format("config drive {}: pause.yaml", label), *text, OtherKeys::refused, faults);
        return;
    }
    for (const char* file : kUserData) {
        const auto text = host.read(folder / file);
        if (text && is_cloud_config(*text)) {
            out.answers = parse_answers(
                fmt::format("config drive {}: {}", label, file), *text, OtherKeys::ignored, faults);
            return;
        }
    }
}

} // namespace

bool is_cloud_config(std::string_view text) {
    return trim(text.substr(0, text.find('\n'))) == "#cloud-config";
}

AnswerSource from_config_drive(Host& host, Faults& faults) {
    AnswerSource out{"config drive", {}};
    for (const char* label : kLabels) {
        const fs::path link = fs::path("/dev/disk/by-label") / label;
        if (!host.exists(link)) {
            continue;
        }
        const fs::path folder = fs::path(locations::kRun) / "config-drive";
        host.make_directory(locations::kRun, {}, 0755);
        host.make_directory(folder, {}, 0700);
        host.unmount(folder); // of a run that was killed
        if (!mount_read_only(host, link.string(), folder)) {
            faults.add(fmt::format("config drive {}", label), "cannot be mounted");
            continue;
        }
        const Finally unmount([&] { host.unmount(folder); });
        read_drive(host, folder, label, out, faults);
        if (!out.answers.empty()) {
            break;
        }
    }
    return out;
}

} // namespace kiln::firstrun
