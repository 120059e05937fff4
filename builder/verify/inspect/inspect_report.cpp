// SPDX-License-Identifier: MIT
#include "verify/inspect/inspect_report.hpp"

#include "base/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <iterator>

namespace kiln {

namespace {

using nlohmann::ordered_json;

/// Debian policy 9.2.2: 0-99 and 100-999 are for the system, 65534 is nobody.
bool is_person(const UserInfo& user) {
    constexpr std::uint32_t kFirstPerson = 1000;
    constexpr std::uint32_t kNobody = 65534;
    return user.uid == 0 || (user.uid >= kFirstPerson && user.uid != kNobody);
}

class Text {
  public:
    void section(std::string_view title) { fmt::format_to(out(), "{}\n", printable(title)); }

    void line(std::string_view name, std::string_view value) {
        if (!value.empty()) {
            fmt::format_to(out(), "  {:<14}  {}\n", name, printable(value));
        }
    }

    void item(std::string_view text) { fmt::format_to(out(), "  {}\n", printable(text)); }

    [[nodiscard]] std::string take() { return std::move(text_); }

  private:
    [[nodiscard]] std::back_insert_iterator<std::string> out() { return std::back_inserter(text_); }

    std::string text_;
};

std::string describe(const FilesystemInfo& filesystem) {
    std::string text = filesystem.type;
    if (!filesystem.label.empty()) {
        text += fmt::format(" '{}'", filesystem.label);
    }
    if (!filesystem.uuid.empty()) {
        text += " " + filesystem.uuid;
    }
    return text;
}

void add_disk(const DiskInfo& disk, Text& text) {
    text.section("disk");
    text.line("size", format_size(disk.size_bytes));
    text.line("table", disk.table.empty() ? "none" : disk.table + " " + disk.guid);
    if (disk.filesystem) {
        text.line("file system", describe(*disk.filesystem));
    }
    for (const PartitionInfo& partition : disk.partitions) {
        const std::string_view known = partition_type_name(partition.type);
        text.item(fmt::format(
            "{:>2}  {:>10} at {:>10}  {}{}{}",
            partition.number,
            format_size(partition.size_bytes),
            format_size(partition.start_bytes),
            known.empty() ? std::string_view(partition.type) : known,
            partition.name.empty() ? "" : fmt::format(" '{}'", partition.name),
            partition.filesystem ? ": " + describe(*partition.filesystem) : ""));
    }
}

std::string join_keys(const std::set<std::string>& keys) {
    return join(std::vector<std::string>(keys.begin(), keys.end()), " ");
}

void add_container(const ContainerInfo& container, Text& text) {
    const OciImageConfig& config = container.config;
    text.section("container");
    text.line("names", join(container.names, " "));
    text.line("platform", container.os + "/" + container.architecture);
    text.line("created", container.created);
    text.line("digest", container.manifest.is_none() ? "" : container.manifest.to_string());
    text.line("user", config.user);
    text.line("entrypoint", join(config.entrypoint, " "));
    text.line("command", join(config.cmd, " "));
    text.line("directory", config.working_dir);
    text.line("ports", join_keys(config.exposed_ports));
    text.line("volumes", join_keys(config.volumes));
    text.line("stop signal", config.stop_signal);
    for (const std::string& variable : config.env) {
        text.line("environment", variable);
    }
    for (const auto& [name, value] : config.labels) {
        text.line("label", fmt::format("{}={}", name, value));
    }
    for (const OciReadLayer& layer : container.layers) {
        text.line(
            "layer", fmt::format("{:>10}  {}", format_size(layer.blob.size), layer.created_by));
    }
}

void add_packages_and_users(const SystemInfo& system, bool all, Text& text) {
    text.line("packages", std::to_string(system.packages.size()));
    if (all) {
        for (const InstalledPackage& package : system.packages) {
            text.item(
                fmt::format("  {} {} {}", package.name, package.version, package.architecture));
        }
    }
    for (const UserInfo& user : system.users) {
        if (all || is_person(user)) {
            text.line(
                "user",
                fmt::format(
                    "{} {}:{} {} {}", user.name, user.uid, user.gid, user.home, user.shell));
        }
    }
    if (all) {
        for (const GroupInfo& group : system.groups) {
            text.line(
                "group", fmt::format("{} {} {}", group.name, group.gid, join(group.members, ",")));
        }
    }
}

void add_system(const SystemInfo& system, bool all, Text& text) {
    text.section("system");
    if (system.os) {
        text.line("release", system.os->pretty_name);
        text.line("point release", system.os->point_release);
    }
    text.line("host name", system.hostname);
    text.line("kernels", join(system.kernels, " "));
    text.line("modules", join(system.module_trees, " "));
    add_packages_and_users(system, all, text);
    for (const EnabledUnit& unit : system.units) {
        text.line("unit", fmt::format("{} ({})", unit.unit, unit.wanted_by));
    }
    text.line("runit services", join(system.runit_services, " "));
}

ordered_json to_json_value(const FilesystemInfo& filesystem) {
    return {{"type", filesystem.type}, {"label", filesystem.label}, {"uuid", filesystem.uuid}};
}

ordered_json to_json_value(const DiskInfo& disk) {
    ordered_json partitions = ordered_json::array();
    for (const PartitionInfo& partition : disk.partitions) {
        ordered_json value = {
            {"number", partition.number},
            {"start", partition.start_bytes},
            {"size", partition.size_bytes},
            {"type", partition.type},
            {"guid", partition.guid},
            {"name", partition.name}};
        if (partition.filesystem) {
            value["filesystem"] = to_json_value(*partition.filesystem);
        }
        partitions.push_back(std::move(value));
    }
    ordered_json value = {{"size", disk.size_bytes}, {"table", disk.table}, {"guid", disk.guid}};
    value["partitions"] = std::move(partitions);
    if (disk.filesystem) {
        value["filesystem"] = to_json_value(*disk.filesystem);
    }
    return value;
}

ordered_json to_json_value(const ContainerInfo& container) {
    ordered_json value = {
        {"names", container.names},
        {"created", container.created},
        {"os", container.os},
        {"architecture", container.architecture}};
    if (!container.manifest.is_none()) {
        value["digest"] = container.manifest.to_string();
    }
    value["config"] = kiln::to_json_value(container.config);
    value["layers"] = ordered_json::array();
    for (const OciReadLayer& layer : container.layers) {
        value["layers"].push_back(
            {{"media_type", layer.media_type},
             {"digest", layer.blob.digest.to_string()},
             {"diff_id", layer.blob.diff_id.to_string()},
             {"size", layer.blob.size},
             {"created_by", layer.created_by}});
    }
    return value;
}

ordered_json to_json_value(const OsRelease& os) {
    return {
        {"id", os.id},
        {"version", os.version},
        {"codename", os.codename},
        {"pretty_name", os.pretty_name},
        {"point_release", os.point_release}};
}

ordered_json to_json_value(const SystemInfo& system) {
    ordered_json value;
    if (system.os) {
        value["os"] = to_json_value(*system.os);
    }
    value["hostname"] = system.hostname;
    value["kernels"] = system.kernels;
    value["modules"] = system.module_trees;
    value["packages"] = ordered_json::array();
    for (const InstalledPackage& package : system.packages) {
        value["packages"].push_back(
            {{"name", package.name},
             {"version", package.version},
             {"architecture", package.architecture}});
    }
    value["users"] = ordered_json::array();
    for (const UserInfo& user : system.users) {
        value["users"].push_back(
            {{"name", user.name},
             {"uid", user.uid},
             {"gid", user.gid},
             {"home", user.home},
             {"shell", user.shell}});
    }
    value["groups"] = ordered_json::array();
    for (const GroupInfo& group : system.groups) {
        value["groups"].push_back(
            {{"name", group.name}, {"gid", group.gid}, {"members", group.members}});
    }
    value["units"] = ordered_json::array();
    for (const EnabledUnit& unit : system.units) {
        value["units"].push_back({{"unit", unit.unit}, {"wanted_by", unit.wanted_by}});
    }
    value["runit"] = system.runit_services;
    return value;
}

/// Makes every string of the document valid UTF-8, which what an image holds need not be.
void make_valid(ordered_json& value) {
    if (value.is_string()) {
        value = valid_utf8(value.get_ref<const std::string&>());
    } else if (value.is_array()) {
        for (ordered_json& item : value) {
            make_valid(item);
        }
    } else if (value.is_object()) {
        ordered_json valid = ordered_json::object();
        for (const auto& item : value.items()) {
            make_valid(item.value());
            valid.push_back({valid_utf8(item.key()), std::move(item.value())});
        }
        value = std::move(valid);
    }
}

} // namespace

std::string render_inspection(const ImageInfo& info, bool all) {
    Text text;
    text.section(fmt::format("{} ({})", info.path, name_of(info.format)));
    if (info.disk) {
        add_disk(*info.disk, text);
    }
    if (info.container) {
        add_container(*info.container, text);
    }
    if (info.system) {
        add_system(*info.system, all, text);
    }
    return text.take();
}

ordered_json inspection_to_json(const ImageInfo& info) {
    ordered_json value = {{"path", info.path}, {"format", name_of(info.format)}};
    if (info.disk) {
        value["disk"] = to_json_value(*info.disk);
    }
    if (info.container) {
        value["container"] = to_json_value(*info.container);
    }
    if (info.system) {
        value["system"] = to_json_value(*info.system);
    }
    make_valid(value);
    return value;
}

} // namespace kiln
