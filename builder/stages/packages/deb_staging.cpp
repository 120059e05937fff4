// SPDX-License-Identifier: MIT
#include "stages/packages/deb_staging.hpp"

#include "formats/archive_reader.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

namespace kiln {

namespace {

void write_regular(const fs::path& path, const Entry& entry, Source& content) {
    const UniqueFd fd = open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    FdSink sink(fd.get(), path);
    copy(content, sink);
    const std::array<timespec, 2> times{{{entry.mtime, 0}, {entry.mtime, 0}}};
    // chown drops set-user-id bits, so the mode comes after it.
    if (::fchown(fd.get(), entry.uid, entry.gid) != 0 || ::fchmod(fd.get(), entry.mode) != 0 ||
        ::futimens(fd.get(), times.data()) != 0) {
        throw SystemError(fmt::format("cannot set owner, mode and time of '{}'", path.string()));
    }
}

} // namespace

StagedPackage stage_package(const PackageFile& package, const fs::path& folder) {
    return with_context(fmt::format("unpacking package '{}'", package.name), [&] {
        StagedPackage staged;
        fs::create_directory(folder / package.info_name());
        read_deb_data(package.path, [&](ArchiveReader& reader) {
            while (auto member = reader.next()) {
                StagedMember out{"/" + member->path, std::move(member->entry), {}};
                if (out.entry.type == FileType::regular && out.entry.hardlink_to.empty()) {
                    out.content = fmt::format("{}/{}", package.info_name(), staged.size());
                    write_regular(folder / out.content, out.entry, reader.content());
                }
                staged.push_back(std::move(out));
            }
        });
        return staged;
    });
}

} // namespace kiln
