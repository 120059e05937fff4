// SPDX-License-Identifier: MIT
#include "archive/zstd.hpp"
#include "bake/formats/compressed_disk.hpp"
#include "bake/formats/writers.hpp"

namespace kiln {

void write_raw_zst(const WriteInput& input, const fs::path& target) {
    AtomicFile file(target);
    ZstdSink compressed(file, input.jobs);
    copy_disk(input, "write raw.zst", compressed);
    file.commit();
}

} // namespace kiln
