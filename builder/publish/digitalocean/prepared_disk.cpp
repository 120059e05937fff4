// SPDX-License-Identifier: MIT
#include "publish/digitalocean/prepared_disk.hpp"

#include "archive/gzip_file.hpp"
#include "base/error.hpp"
#include "disk/foreign_disk.hpp"

#include <fmt/format.h>

namespace kiln {

namespace {

constexpr const char* kRawName = "disk.raw";

std::string stem_of(const SourceDisk& disk) {
    const std::string name = disk.path.filename().string();
    const std::string_view suffix = info_of(disk.format).suffix;
    return name.ends_with(suffix) ? name.substr(0, name.size() - suffix.size()) : name;
}

/// What QEMU reads in a qcow2 image, as a sparse file.
fs::path decode(const SourceDisk& disk, const fs::path& folder, ProcessRunner& processes) {
    require_plain_disk(disk.path, disk.format);
    const ProcessResult result = processes.run(
        {.program = "qemu-img",
         .args =
             {"convert",
              "-f",
              std::string(name_of(disk.format)),
              "-O",
              "raw",
              disk_argument(disk.path),
              kRawName},
         .cwd = folder});
    if (!result.ok()) {
        throw ProcessError(
            fmt::format("decoding '{}' with qemu-img convert", disk.path.string()), result);
    }
    return folder / kRawName;
}

void require_unchanged(const SourceDisk& disk) {
    if (sha256_file(disk.path.string()) != disk.digest) {
        throw Error(fmt::format("'{}' has changed since the publish began", disk.path.string()))
            .with_hint("clean this publish up, and publish the disk again");
    }
}

} // namespace

UploadFile as_it_is(const SourceDisk& disk) {
    return {disk.path, disk.path.filename().string(), fs::file_size(disk.path), disk.digest};
}

UploadFile prepare_disk(
    const SourceDisk& disk,
    const fs::path& folder,
    unsigned jobs,
    Console& console,
    ProcessRunner& processes) {
    const std::string name = stem_of(disk) + ".img.gz";
    if (disk.format == ImageFormat::raw_gz) {
        UploadFile out = as_it_is(disk);
        out.name = name;
        return out;
    }
    const TempDir work(folder, "work");
    Job job = console.start(fmt::format("compress {}", name));
    fs::path raw = disk.path;
    if (disk.format != ImageFormat::raw) {
        job.note("decode");
        raw = decode(disk, work.path(), processes);
    }
    UploadFile out{folder / name, name, 0, {}};
    const fs::path made = work.path() / name;
    const GzipFile file = gzip_file(raw, made, jobs, job);
    out.size = file.size;
    out.digest = file.digest;
    require_unchanged(disk);
    fs::rename(made, out.path);
    job.finish();
    return out;
}

} // namespace kiln
