// SPDX-License-Identifier: MIT
#include "oci/oci_files.hpp"

#include "archive/archive_reader.hpp"
#include "base/error.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

namespace kiln {

namespace {

/// Until all is unpacked nothing of it can be verified, so this is stricter than for a layer, which
/// is read as a stream.
ArchiveLimits unpacking_limits(ArchiveLimits limits) {
    limits.members = std::min<std::uint64_t>(limits.members, 100'000);
    limits.ratio = std::min<std::uint64_t>(limits.ratio, 100);
    return limits;
}

Error wrong_blob(const OciDescriptor& stated, std::string found) {
    return Error(fmt::format("checksum mismatch for blob '{}'", stated.digest.to_string()))
        .with_details({fmt::format("expected: {} bytes", stated.size), std::move(found)});
}

} // namespace

std::string blob_name(const Digest& digest) {
    return "blobs/sha256/" + digest.hex();
}

void require_blob(const OciDescriptor& stated, std::uint64_t size, const Digest& digest) {
    if (size != stated.size || digest != stated.digest) {
        throw wrong_blob(stated, fmt::format("got:      {} bytes, {}", size, digest.to_string()));
    }
}

std::string OciFiles::read_text(const std::string& name) const {
    return open(name)->read_text(kMaxJsonBytes);
}

std::unique_ptr<RegularFile> OciFiles::open_blob(const OciDescriptor& descriptor) const {
    auto file = open(blob_name(descriptor.digest));
    if (file->size() != descriptor.size) {
        throw wrong_blob(descriptor, fmt::format("found:  {} bytes", file->size()));
    }
    return file;
}

std::string OciFiles::read_blob(const OciDescriptor& descriptor) const {
    std::string text = read_text(blob_name(descriptor.digest));
    require_blob(descriptor, text.size(), sha256(text));
    return text;
}

std::unique_ptr<RegularFile> LayoutFiles::open(const std::string& name) const {
    return std::make_unique<RegularFile>(top_.get(), name, layout_ / name);
}

bool LayoutFiles::has(const std::string& name) const {
    struct stat status{};
    return ::fstatat(top_.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
}

ArchivedFiles::ArchivedFiles(const fs::path& archive, const ArchiveLimits& limits)
    : archive_(archive), folder_(temporary_root(), "kiln-image") {
    RegularFile file(archive);
    ArchiveBudget budget(unpacking_limits(limits));
    ArchiveReader reader(file, archive.string(), ArchiveFilters::detect, &budget);
    while (const auto member = reader.next()) {
        if (member->entry.type != FileType::regular || !member->entry.hardlink_to.empty()) {
            continue;
        }
        const std::string number = std::to_string(numbers_.size());
        if (!numbers_.emplace(member->path, number).second) {
            throw Error(fmt::format("duplicate member '{}'", printable(member->path)));
        }
        AtomicFile out(folder_.path() / number, 0600);
        copy(reader.content(), out);
        out.commit();
    }
}

std::unique_ptr<RegularFile> ArchivedFiles::open(const std::string& name) const {
    const auto it = numbers_.find(name);
    if (it == numbers_.end()) {
        throw Error(fmt::format(
            "'{}' does not contain the file '{}'", printable(archive_.string()), printable(name)));
    }
    return std::make_unique<RegularFile>(folder_.path() / it->second);
}

bool ArchivedFiles::has(const std::string& name) const {
    return numbers_.contains(name);
}

} // namespace kiln
