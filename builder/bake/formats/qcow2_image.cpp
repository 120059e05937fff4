// SPDX-License-Identifier: MIT
#include "bake/formats/image_caches.hpp"
#include "bake/formats/writers.hpp"
#include "base/text.hpp"
#include "disk/qcow2/qcow2.hpp"

#include <fcntl.h>
#include <fmt/format.h>

namespace kiln {

void write_qcow2(const WriteInput& input, const fs::path& target) {
    Job job = input.console.start("write qcow2");
    job.set_total(fs::file_size(input.base), Job::Unit::bytes);
    FileClusterCache cache = open_cluster_cache(input.cache);
    const UniqueFd fd = open_file(input.base, O_RDONLY);
    const Qcow2Result result = write_qcow2(
        fd.get(),
        target,
        {.jobs = input.jobs, .compress = input.compress, .cache = &cache},
        [&](std::uint64_t bytes) { job.add(bytes); });
    job.finish(fmt::format(
        "{}, {} of {} clusters cached",
        format_size(result.file_bytes),
        result.clusters_from_cache,
        result.clusters));
}

} // namespace kiln
