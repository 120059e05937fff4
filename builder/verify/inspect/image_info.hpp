// SPDX-License-Identifier: MIT
//
// What system an image holds: its release, kernels, packages, users and services. For any image of
// a Debian-like system, not only kiln's.
#pragma once

#include "base/image_format.hpp"
#include "oci/oci_reader.hpp"
#include "verify/read/disk_info.hpp"
#include "verify/read/image_files.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

struct OsRelease {
    std::string id;            ///< "debian"
    std::string version;       ///< "12"
    std::string codename;      ///< "bookworm"
    std::string pretty_name;   ///< "Debian GNU/Linux 12 (bookworm)"
    std::string point_release; ///< content of etc/debian_version, "12.9"
};

struct InstalledPackage {
    std::string name;
    std::string version;
    std::string architecture;
    bool operator==(const InstalledPackage&) const = default;
};

struct UserInfo {
    std::string name;
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::string home;
    std::string shell;
    bool operator==(const UserInfo&) const = default;
};

struct GroupInfo {
    std::string name;
    std::uint32_t gid = 0;
    std::vector<std::string> members;
    bool operator==(const GroupInfo&) const = default;
};

/// A unit that a target starts: "ssh.service" of "multi-user.target".
struct EnabledUnit {
    std::string unit;
    std::string wanted_by;
    bool operator==(const EnabledUnit&) const = default;
};

struct SystemInfo {
    std::optional<OsRelease> os; ///< nothing when there is no os-release
    std::string hostname;
    std::vector<std::string> kernels;       ///< versions with an image in boot/
    std::vector<std::string> module_trees;  ///< versions in lib/modules/
    std::vector<InstalledPackage> packages; ///< by dpkg's database, sorted by name
    std::vector<UserInfo> users;            ///< in the order of etc/passwd
    std::vector<GroupInfo> groups;
    std::vector<EnabledUnit> units;
    std::vector<std::string> runit_services; ///< names in etc/service
};

/// How a container image runs, and what it is made of.
struct ContainerInfo {
    std::vector<std::string> names;
    std::string created;
    std::string architecture;
    std::string os;
    OciImageConfig config;
    Digest manifest; ///< none for archives of old Docker versions
    std::vector<OciReadLayer> layers;
};

/// A finished image, seen from outside.
struct ImageInfo {
    std::string path;
    ImageFormat format = ImageFormat::raw;
    std::optional<DiskInfo> disk;
    std::optional<ContainerInfo> container;
    std::optional<SystemInfo> system; ///< nothing when no operating system was found
};

/// Reads what there is; what is missing stays empty. Malformed lines of etc/passwd and etc/group
/// are left out. Throws what `files` throws.
[[nodiscard]] SystemInfo read_system_info(ImageFiles& files);

/// Files whose content read_system_info() looks at: what to keep while a tree is read out.
[[nodiscard]] bool is_inspected_file(std::string_view path);

/// The installed packages of a dpkg status file. Throws Error when it is malformed.
[[nodiscard]] std::vector<InstalledPackage> parse_dpkg_status(std::string_view text);
[[nodiscard]] OsRelease parse_os_release(std::string_view text);

} // namespace kiln
