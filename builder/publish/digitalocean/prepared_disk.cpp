// SPDX-License-Identifier: MIT
#include "publish/digitalocean/prepared_disk.hpp"

#include "archive/gzip.hpp"
#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "disk/foreign_disk.hpp"

#include <fmt/format.h>

#include <utility>
#include <vector>

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

Digest compress(const fs::path& raw, const fs::path& target, unsigned jobs, Job& job) {
    AtomicFile file(target, 0600);
    DigestSink digest;
    TeeSink both(file, digest);
    GzipSink compressed(both, jobs);
    FileSource source(raw);
    std::vector<std::byte> buffer(std::size_t{1} << 20U);
    for (std::size_t got = source.read(buffer); got > 0; got = source.read(buffer)) {
        throw_if_interrupted();
        compressed.write(Bytes(buffer).first(got));
        job.add(got);
    }
    compressed.finish();
    file.commit();
    return digest.digest();
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
    job.set_total(fs::file_size(raw), Job::Unit::bytes);
    UploadFile out{folder / name, name, 0, {}};
    out.digest = compress(raw, out.path, jobs, job);
    out.size = fs::file_size(out.path);
    require_unchanged(disk);
    job.finish();
    return out;
}

} // namespace kiln
