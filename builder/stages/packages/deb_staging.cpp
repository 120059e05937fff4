// SPDX-License-Identifier: MIT
#include "stages/packages/deb_staging.hpp"

#include "archive/archive_reader.hpp"
#include "base/io/md5.hpp"

#include <fmt/format.h>

namespace kiln {

StagedPackage
stage_package(const PackageFile& package, const TreeRoot& tree, const std::string& folder) {
    return with_context(fmt::format("unpacking package '{}'", package.name), [&] {
        StagedPackage staged;
        const bool wants_md5 = !package.control.files.contains("md5sums");
        const std::string own = fmt::format("{}/{}", folder, package.info_name());
        tree.make_directory(own, {.mode = 0755});
        read_deb_data(package.path, [&](ArchiveReader& reader) {
            while (auto member = reader.next()) {
                StagedMember out{
                    "/" + member->path,
                    std::move(member->entry),
                    std::move(member->user),
                    std::move(member->group),
                    {},
                    {}};
                const Entry& entry = out.entry;
                if (entry.type == FileType::regular && entry.hardlink_to.empty()) {
                    out.content = fmt::format("{}/{}", package.info_name(), staged.size());
                    Md5Source content(reader.content());
                    tree.create_file(
                        fmt::format("{}/{}", folder, out.content),
                        wants_md5 ? static_cast<Source&>(content) : reader.content(),
                        {entry.uid, entry.gid, entry.mode},
                        entry.mtime);
                    out.md5 = wants_md5 ? content.hex() : "";
                }
                staged.push_back(std::move(out));
            }
        });
        return staged;
    });
}

} // namespace kiln
