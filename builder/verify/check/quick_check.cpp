// SPDX-License-Identifier: MIT
#include "verify/check/quick_check.hpp"

#include "base/error.hpp"
#include "base/io/file.hpp"
#include "base/text.hpp"
#include "disk/foreign_disk.hpp"
#include "tree/tree_scan.hpp"
#include "verify/read/disk_info.hpp"
#include "verify/read/disk_reader.hpp"
#include "verify/read/ext4_reader.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace kiln {

namespace {

// Programs are started in the check's own folder and given these names: a '?' or '@@' in a path
// would be read as the beginning of an offset.
constexpr const char* kRawName = "disk.raw";
constexpr const char* kEspName = "esp.img";
constexpr const char* kEspFolder = "esp";

/// One disk while it is checked.
class QuickCheck {
  public:
    QuickCheck(const DiskToCheck& disk, unsigned jobs, ProcessRunner& processes)
        : disk_(disk), jobs_(jobs), processes_(processes), name_(disk.image.path.string()) {}

    /// Makes `kRawName`: a link to the format that is raw already, or what QEMU reads in the image.
    void decode() const {
        for (const DiskImage* image : formats()) {
            if (image->format == ImageFormat::raw) {
                fs::create_symlink(fs::absolute(image->path), raw());
                return;
            }
        }
        require_ok(
            run("qemu-img",
                {"convert",
                 "-f",
                 std::string(name_of(disk_.image.format)),
                 "-O",
                 std::string(name_of(ImageFormat::raw)),
                 "-W", // clusters in any order: they are deflated one by one
                 disk_argument(disk_.image.path),
                 kRawName}),
            fmt::format("'{}' cannot be decoded by qemu-img convert", name_));
    }

    [[nodiscard]] DiskInfo read_partitions() const {
        // A table or a backup with a wrong checksum is a message and no failure of sfdisk's.
        const ProcessResult result = run("sfdisk", {"--json", kRawName});
        if (!result.ok() || !trim(result.errors).empty()) {
            fail(
                fmt::format("the partition table of '{}' is damaged", name_),
                result.errors + result.output);
        }
        DiskInfo info = parse_sfdisk_json(result.output);
        for (PartitionInfo& partition : info.partitions) {
            partition.filesystem = read_filesystem(partition);
        }
        return info;
    }

    void check_root(const DiskInfo& info) const {
        const PartitionInfo& root = find_root_partition(info);
        const std::string device = fmt::format("{}?offset={}", kRawName, root.start_bytes);
        require_ok(run("e2fsck", {"-f", "-n", device}), faults_of(root));
    }

    /// The number of paths.
    [[nodiscard]] std::size_t compare_root(const DiskInfo& info) const {
        const PartitionInfo& root = find_root_partition(info);
        const FileTree tree = read_ext4_tree(raw(), root.start_bytes, jobs_);
        require_equal_trees(*disk_.root, tree, fmt::format("'{}'", name_));
        return tree.entries().size();
    }

    void check_esp(const DiskInfo& info) const {
        const PartitionInfo& esp = find_esp(info, disk_.image.path);
        extract(esp);
        require_ok(run("fsck.fat", {"-n", kEspName}), faults_of(esp));
        fs::create_directory(folder_.path() / kEspFolder);
        require_ok(
            run("mcopy", {"-s", "-n", "-i", kEspName, "::/", kEspFolder}),
            fmt::format("the EFI system partition of '{}' cannot be read by mtools", name_));
        require_equal_trees(
            names_and_contents(*disk_.esp),
            names_and_contents(scan_tree(folder_.path() / kEspFolder, {})),
            fmt::format("the EFI system partition of '{}'", name_));
    }

  private:
    [[nodiscard]] std::vector<const DiskImage*> formats() const {
        std::vector<const DiskImage*> out{&disk_.image};
        for (const DiskImage& copy : disk_.copies) {
            out.push_back(&copy);
        }
        return out;
    }

    [[nodiscard]] fs::path raw() const { return folder_.path() / kRawName; }

    [[nodiscard]] ProcessResult run(std::string program, std::vector<std::string> args) const {
        Environment env = clean_environment();
        env["MTOOLSRC"] = "/dev/null"; // no settings of the user's
        return processes_.run(
            {.program = std::move(program),
             .args = std::move(args),
             .env = std::move(env),
             .cwd = folder_.path(),
             .separate_stderr = true});
    }

    [[noreturn]] static void fail(const std::string& message, std::string_view output) {
        throw Error(message, ExitCode::differs).with_details(last_lines(output));
    }

    static void require_ok(const ProcessResult& result, const std::string& message) {
        if (!result.ok()) {
            fail(message, result.output + result.errors);
        }
    }

    [[nodiscard]] std::string faults_of(const PartitionInfo& partition) const {
        return fmt::format(
            "the file system on partition {} of '{}' has errors", partition.number, name_);
    }

    [[nodiscard]] std::optional<FilesystemInfo>
    read_filesystem(const PartitionInfo& partition) const {
        const ProcessResult result =
            run("blkid",
                {"-p",
                 "-o",
                 "export",
                 "-O",
                 std::to_string(partition.start_bytes),
                 "-S",
                 std::to_string(partition.size_bytes),
                 kRawName});
        constexpr int kNothingKnown = 2;
        if (!result.ok() && result.exit_status != kNothingKnown) {
            require_ok(result, faults_of(partition));
        }
        DiskInfo only; // without partitions what blkid says is of the whole
        add_blkid_export(result.output, only);
        return only.filesystem;
    }

    /// Copies a partition into a separate file, for programs that know no offsets.
    void extract(const PartitionInfo& partition) const {
        const UniqueFd from = open_file(raw(), O_RDONLY | O_CLOEXEC);
        const fs::path target = folder_.path() / kEspName;
        const UniqueFd to = open_file(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC);
        std::vector<std::byte> buffer(std::size_t{1} << 20U);
        for (std::uint64_t done = 0; done < partition.size_bytes;) {
            const auto part = std::span(buffer).first(static_cast<std::size_t>(
                std::min<std::uint64_t>(buffer.size(), partition.size_bytes - done)));
            read_exactly_at(from.get(), part, partition.start_bytes + done, raw());
            write_all_at(to.get(), part, done, target);
            done += part.size();
        }
    }

    const DiskToCheck& disk_;
    unsigned jobs_;
    ProcessRunner& processes_;
    std::string name_;
    TempDir folder_{temporary_root(), "kiln-check"};
};

} // namespace

void quick_check(
    const DiskToCheck& disk, unsigned jobs, Console& console, ProcessRunner& processes) {
    Job job = console.start(fmt::format("check '{}'", disk.image.path.filename().string()));
    const QuickCheck check(disk, jobs, processes);
    job.note("decode");
    check.decode();
    job.note("file systems");
    const DiskInfo info = check.read_partitions();
    check.check_root(info);
    job.note("files");
    if (disk.esp != nullptr) {
        check.check_esp(info);
    }
    const std::size_t paths = check.compare_root(info);
    job.finish(fmt::format("{} paths as recorded", paths));
}

} // namespace kiln
