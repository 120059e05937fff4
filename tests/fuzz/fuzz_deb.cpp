// SPDX-License-Identifier: MIT
//
// Any bytes as a Debian package: refused, or control files with plain names and bounded sizes, and
// data members whose names stay in the tree.
#include "base/error.hpp"
#include "base/file.hpp"
#include "formats/archive_reader.hpp"
#include "formats/deb.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace kiln {
namespace {

void check_package(const fs::path& path) {
    const DebControl control = read_deb_control(path);
    for (const auto& [name, text] : control.files) {
        KILN_CHECK(!name.empty() && name.find('/') == std::string::npos && name.front() != '.');
    }
    static_cast<void>(parse_relations(control.field("Depends")));
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
    kiln::write_all(file.get(), std::as_bytes(std::span(data, size)), path);
    try {
        kiln::check_package(path);
    } catch (const kiln::Error& error) {
        if (error.exit_code() == kiln::ExitCode::bug) {
            throw;
        }
    }
    return 0;
}
