// SPDX-License-Identifier: MIT
#include "publish/digitalocean/preflight.hpp"

#include "archive/archive_reader.hpp"
#include "base/error.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "disk/foreign_disk.hpp"
#include "publish/digitalocean/images.hpp"
#include "verify/inspect/image_info.hpp"
#include "verify/inspect/image_inspect.hpp"
#include "verify/lint/lint.hpp"
#include "verify/read/image_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace kiln {

namespace {

constexpr std::string_view kBiosBoot = "21686148-6449-6E6F-744E-656564454649";
/// The file with which an image of PAUSE says what it is (firstrun/host/image.hpp).
constexpr const char* kImageFile = "usr/local/share/pause/image.json";

bool is_cloud_config(std::string_view path) {
    return path.starts_with("etc/cloud/") || path == kImageFile;
}

void check_partitions(const DiskInfo& disk, std::vector<std::string>& faults) {
    if (disk.table.empty()) {
        faults.emplace_back("the disk has no partition table");
        return;
    }
    const bool has_bios_boot =
        std::any_of(disk.partitions.begin(), disk.partitions.end(), [](const PartitionInfo& each) {
            return each.type == kBiosBoot;
        });
    if (disk.table == "gpt" && !has_bios_boot) {
        faults.emplace_back("the disk has no BIOS boot partition; Droplets boot by BIOS");
    }
    const bool has_root =
        std::any_of(disk.partitions.begin(), disk.partitions.end(), [](const PartitionInfo& each) {
            return each.filesystem &&
                   (each.filesystem->type == "ext4" || each.filesystem->type == "ext3");
        });
    if (!has_root) {
        faults.emplace_back("the disk has no ext3 or ext4 file system");
    }
}

/// "[ ConfigDrive, 'DigitalOcean', None ]" or the lines "- ConfigDrive" below.
std::vector<std::string> words_of_list(std::string_view text) {
    std::vector<std::string> out;
    std::string word;
    for (const char c : std::string(text) + ' ') {
        if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
            word += c;
        } else if (!word.empty()) {
            out.push_back(std::move(word));
            word.clear();
        }
    }
    return out;
}

void read_datasources(const std::string& text, std::vector<std::string>& sources) {
    constexpr std::string_view kKey = "datasource_list:";
    const std::vector<std::string> lines = split_lines(text);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (!lines.at(i).starts_with(kKey)) {
            continue;
        }
        std::string value = lines.at(i).substr(kKey.size());
        value = value.substr(0, value.find('#'));
        const auto goes_on = [&] {
            const std::string_view next = trim(lines.at(i + 1));
            return next.starts_with("- ") || next.starts_with(']') ||
                   (value.find('[') != std::string::npos && value.find(']') == std::string::npos);
        };
        while (i + 1 < lines.size() && goes_on()) {
            value += " " + lines.at(++i);
        }
        sources = words_of_list(value);
    }
}

void check_cloud_init(const FileTree& tree, std::vector<std::string>& faults) {
    if (!resolve_path(tree, "usr/bin/cloud-init")) {
        faults.emplace_back("cloud-init is not installed; it sets up network and ssh keys");
        return;
    }
    if (resolve_path(tree, "etc/cloud/cloud-init.disabled")) {
        faults.emplace_back("cloud-init is disabled by /etc/cloud/cloud-init.disabled");
    }
    const std::vector<std::string> sources = datasources_of(tree);
    const auto place = [&](const char* name) {
        return std::find(sources.begin(), sources.end(), name);
    };
    if (place("ConfigDrive") == sources.end() || place("NoCloud") < place("ConfigDrive")) {
        faults.push_back(fmt::format(
            "cloud-init asks {} instead of ConfigDrive first; set 'datasource_list: [ ConfigDrive, "
            "DigitalOcean, NoCloud, None ]' in a file of /etc/cloud/cloud.cfg.d",
            sources.empty() ? "its own choice of data sources" : excerpt(sources.front())));
    }
}

void check_system(const SystemInfo& system, std::vector<std::string>& faults) {
    constexpr std::array kServers{"ssh.service", "sshd.service", "ssh.socket"};
    const bool has_server =
        std::any_of(system.units.begin(), system.units.end(), [&](const EnabledUnit& each) {
            return std::find(kServers.begin(), kServers.end(), each.unit) != kServers.end();
        });
    if (!has_server) {
        faults.emplace_back("no ssh server is started at boot");
    }
    if (system.kernels.empty()) {
        faults.emplace_back("there is no kernel in /boot");
    }
}

bool is_standin(const FileTree& tree) {
    TreeFiles files(tree);
    const auto text = files.read(kImageFile);
    const auto json = text ? parse_json_object(*text) : std::nullopt;
    const auto* const flag = json ? json_member(*json, "standin") : nullptr;
    return flag != nullptr && flag->is_boolean() && flag->get<bool>();
}

/// Decompresses a raw disk into a sparse file.
void expand_disk(const fs::path& image, const fs::path& target) {
    constexpr std::size_t kBlock = std::size_t{1} << 16U;
    FileSource file(image);
    DecompressSource source(file, image.string());
    const UniqueFd out = open_file(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    std::vector<std::byte> block(kBlock);
    std::uint64_t size = 0;
    for (;;) {
        const std::size_t got = source.read(block);
        if (got == 0) {
            break;
        }
        const auto part = Bytes(block).first(got);
        if (std::any_of(part.begin(), part.end(), [](std::byte b) { return b != std::byte{0}; })) {
            write_all_at(out.get(), part, size, target);
        }
        size += got;
        if (size >= kMostDiskBytes) {
            throw Error(fmt::format("'{}' has more than 100 GB", image.string()));
        }
    }
    if (::ftruncate(out.get(), static_cast<off_t>(size)) != 0) {
        throw SystemError(fmt::format("cannot write '{}'", target.string()));
    }
}

} // namespace

void require_importable(const fs::path& image, ImageFormat format) {
    if (format == ImageFormat::raw_zst || !is_disk(format)) {
        throw Error(fmt::format(
                        "'{}' is {}, which DigitalOcean cannot import",
                        image.string(),
                        info_of(format).article))
            .with_hint("it takes qcow2 and raw disks, plain or with gzip: --format chooses another "
                       "of the results");
    }
    const std::uint64_t size =
        info_of(format).is_compressed ? 0 : require_plain_disk(image, format);
    if (size >= kMostDiskBytes) {
        throw Error(fmt::format(
                        "the disk in '{}' has {} bytes; DigitalOcean takes less than 100 GB",
                        image.string(),
                        size))
            .with_hint("make it smaller: the root file system grows at first boot");
    }
}

std::vector<std::string> datasources_of(const FileTree& tree) {
    TreeFiles files(tree);
    std::vector<std::string> out;
    read_datasources(files.read("etc/cloud/cloud.cfg").value_or(""), out);
    const std::string folder = "etc/cloud/cloud.cfg.d";
    for (const std::string& name : files.list(folder)) {
        if (name.ends_with(".cfg")) {
            read_datasources(files.read(folder + "/" + name).value_or(""), out);
        }
    }
    return out;
}

Preflight
check_contents(const DiskInfo& disk, const FileTree& tree, const PreflightOptions& options) {
    Preflight out;
    check_partitions(disk, out.faults);
    check_cloud_init(tree, out.faults);
    TreeFiles files(tree);
    const SystemInfo system = read_system_info(files);
    check_system(system, out.faults);
    out.distribution = distribution_of(system.os ? system.os->id : "");
    if (is_standin(tree) && !options.allow_standin) {
        out.faults.emplace_back(
            "it has kiln's stand-in for PAUSE instead of PAUSE; --allow-standin publishes it all "
            "the same");
    }
    for (const std::string& line : describe_findings(lint_tree(tree, {}), {})) {
        out.faults.push_back("lint: " + line);
    }
    return out;
}

std::string require_bootable(
    const fs::path& image, ImageFormat format, const PreflightOptions& options, Console& console) {
    const TempDir folder(temporary_root(), "kiln-publish");
    fs::path disk = image;
    if (info_of(format).is_compressed) {
        disk = folder.path() / "disk.raw";
        expand_disk(image, disk);
        format = ImageFormat::raw;
    }
    const DiskContents contents = read_disk_contents(disk, format, is_cloud_config, console);
    Preflight found = check_contents(contents.disk, contents.tree, options);
    if (!found.faults.empty()) {
        throw Error(fmt::format("'{}' would not work as an image of DigitalOcean", image.string()))
            .with_details(std::move(found.faults))
            .with_hint("--no-check publishes it all the same");
    }
    return found.distribution;
}

} // namespace kiln
