// SPDX-License-Identifier: MIT
#include "archive/gzip.hpp"
#include "bake/formats/compressed_disk.hpp"
#include "bake/formats/writers.hpp"

namespace kiln {

void write_raw_gz(const WriteInput& input, const fs::path& target) {
    AtomicFile file(target);
    GzipSink compressed(file, input.jobs);
    copy_disk(input, "write raw.gz", compressed);
    file.commit();
}

} // namespace kiln
