// SPDX-License-Identifier: MIT
#include "archive/tar_writer.hpp"
#include "bake/formats/writers.hpp"

namespace kiln {

void write_tar(const WriteInput& input, const fs::path& target) {
    Job job = input.console.start("write tar");
    job.set_total(input.tree.content_bytes(), Job::Unit::bytes);
    AtomicFile file(target);
    TarWriter tar(file);
    for (const auto& [path, entry] : input.tree.entries()) {
        tar.add(path, entry);
        job.add(entry.hardlink_to.empty() ? entry.size : 0);
    }
    tar.finish();
    file.commit();
    job.finish();
}

} // namespace kiln
