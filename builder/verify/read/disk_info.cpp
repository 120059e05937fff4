// SPDX-License-Identifier: MIT
#include "verify/read/disk_info.hpp"

#include "base/error.hpp"
#include "base/json_object.hpp"
#include "base/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace kiln {

namespace {

/// util-linux escapes what it prints after "KEY=" with backslashes.
std::string unescape_backslashes(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 1 < text.size()) {
            ++i;
        }
        out.push_back(text[i]);
    }
    return out;
}

using Fields = std::map<std::string, std::string>;

void add_filesystem(const Fields& fields, DiskInfo& disk) {
    const auto get = [&](const std::string& name) {
        const auto it = fields.find(name);
        return it == fields.end() ? std::string() : it->second;
    };
    const FilesystemInfo filesystem{get("TYPE"), get("LABEL"), get("UUID")};
    if (filesystem.type.empty()) {
        return;
    }
    const auto number = parse_unsigned(get("PART_ENTRY_NUMBER"));
    if (!number) {
        if (disk.partitions.empty()) {
            disk.filesystem = filesystem;
        }
        return;
    }
    const auto it =
        std::find_if(disk.partitions.begin(), disk.partitions.end(), [&](const auto& partition) {
            return static_cast<std::uint64_t>(partition.number) == *number;
        });
    if (it != disk.partitions.end()) {
        it->filesystem = filesystem;
    }
}

/// The number at the end of a node's name: "/dev/disk/guestfs/diska12" -> 12.
int trailing_number(const std::string& node) {
    const std::size_t end = node.find_last_not_of("0123456789");
    const auto number = parse_unsigned(node.substr(end == std::string::npos ? 0 : end + 1));
    if (!number) {
        throw Error(fmt::format("partition without a number: '{}'", node));
    }
    return static_cast<int>(*number);
}

} // namespace

DiskInfo parse_sfdisk_json(std::string_view text) {
    // What a disk calls its partitions need not be UTF-8.
    const nlohmann::ordered_json json = parse_json(valid_utf8(text, "\\\\x"), "output of sfdisk");
    const JsonObject table = JsonObject(json, "output of sfdisk").object("partitiontable");
    const std::uint64_t sector = table.number_or("sectorsize", 512);
    DiskInfo disk;
    disk.table = table.text_or_empty("label");
    disk.guid = table.text_or_empty("id");
    disk.last_usable_bytes = (table.number_or("lastlba", 0)) * sector;
    for (const JsonObject& item : table.objects_or_empty("partitions")) {
        PartitionInfo partition;
        partition.number = trailing_number(item.text("node"));
        partition.start_bytes = item.number("start") * sector;
        partition.size_bytes = item.number("size") * sector;
        partition.type = item.text_or_empty("type");
        partition.guid = item.text_or_empty("uuid");
        partition.name = item.text_or_empty("name");
        disk.partitions.push_back(std::move(partition));
    }
    return disk;
}

bool is_gpt_short(const DiskInfo& disk) {
    // The backup table takes 33 sectors behind the last usable one; 4096 is the largest sector.
    constexpr std::uint64_t kTable = std::uint64_t{34} * 4096;
    return disk.table == "gpt" && disk.last_usable_bytes > 0 &&
           disk.last_usable_bytes + kTable < disk.size_bytes;
}

void add_blkid_export(std::string_view text, DiskInfo& disk) {
    Fields fields;
    for (const std::string& line : split_lines(text)) {
        const std::size_t equals = line.find('=');
        const bool new_device = line.starts_with("DEVNAME=");
        if (new_device) {
            add_filesystem(fields, disk);
            fields.clear();
        }
        if (equals != std::string::npos) {
            fields[line.substr(0, equals)] = unescape_backslashes(line.substr(equals + 1));
        }
    }
    add_filesystem(fields, disk);
}

std::string_view partition_type_name(std::string_view type) {
    // UEFI specification 2.10 section 5.3.3; Discoverable Partitions Specification; Linux' fdisk.
    constexpr std::array<std::pair<std::string_view, std::string_view>, 11> kNames{{
        {"21686148-6449-6E6F-744E-656564454649", "BIOS boot"},
        {"C12A7328-F81F-11D2-BA4B-00A0C93EC93B", "EFI system"},
        {"0FC63DAF-8483-4772-8E79-3D69D8477DE4", "Linux"},
        {"4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709", "Linux root (x86-64)"},
        {"BC13C2FF-59E6-4262-A352-B275FD6F7172", "Linux extended boot"},
        {"0657FD6D-A4AB-43C4-84E5-0933C84B4F4F", "Linux swap"},
        {"E6D6D379-F507-44C2-A23C-238F2A3DF928", "Linux LVM"},
        {"83", "Linux"},
        {"82", "Linux swap"},
        {"8e", "Linux LVM"},
        {"ef", "EFI system"},
    }};
    const auto* const it = std::find_if(
        kNames.begin(), kNames.end(), [&](const auto& name) { return name.first == type; });
    return it == kNames.end() ? std::string_view() : it->second;
}

} // namespace kiln
