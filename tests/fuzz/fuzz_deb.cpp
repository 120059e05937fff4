// SPDX-License-Identifier: MIT
//
// Any bytes as a Debian package: refused, or control files with plain names and bounded sizes, and
// data members whose names stay in the tree.
#include "archive/archive_reader.hpp"
#include "base/error.hpp"
#include "base/io/file.hpp"
#include "base/text.hpp"
#include "debian/deb.hpp"
#include "fuzz/own_errors.hpp"
#include "support/tar_checksums.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace kiln {
namespace {

/// Of the archives that are not compressed. Layout: ar(5), headers of 60 bytes.
void repair_checksums(std::span<std::byte> package) {
    constexpr std::size_t kMagic = 8;
    constexpr std::size_t kHeader = 60;
    constexpr std::size_t kSizeAt = 48;
    constexpr std::size_t kSizeDigits = 10;
    for (std::size_t at = kMagic; at + kHeader <= package.size();) {
        const std::string_view digits = as_text(package.subspan(at + kSizeAt, kSizeDigits));
        const std::uint64_t size = parse_unsigned(trim(digits)).value_or(0);
        at += kHeader;
        const std::size_t left = package.size() - at;
        test::repair_tar_checksums(package.subspan(at, std::min<std::uint64_t>(size, left)));
        at += std::min<std::uint64_t>(size + size % 2, left);
    }
}

void check_package(const fs::path& path) {
    const DebControl control = read_deb_control(path);
    for (const auto& [name, text] : control.files) {
        KILN_CHECK(!name.empty() && name.find('/') == std::string::npos && name.front() != '.');
    }
    static_cast<void>(parse_relations(control.field("Depends")));
    for (const PackageVersions& relation : parse_versioned_relations(control.field("Replaces"))) {
        static_cast<void>(relation.include(relation.name, control.field("Version")));
    }
    read_deb_data(path, [](ArchiveReader& reader) {
        while (const auto member = reader.next()) {
            KILN_CHECK(
                normalize_member_path(member->path.empty() ? "." : member->path) == member->path);
        }
    });
}

} // namespace
} // namespace kiln

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const kiln::UniqueFd file(::memfd_create("deb", MFD_CLOEXEC));
    const kiln::fs::path path = "/proc/self/fd/" + std::to_string(file.get());
    const kiln::Bytes given = std::as_bytes(std::span(data, size));
    std::vector<std::byte> package(given.begin(), given.end());
    kiln::repair_checksums(package);
    kiln::write_all(file.get(), package, path);
    kiln::test::accept_refusals([&] { kiln::check_package(path); });
    return 0;
}
