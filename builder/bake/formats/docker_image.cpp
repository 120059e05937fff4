// SPDX-License-Identifier: MIT
#include "bake/formats/writers.hpp"
#include "oci/docker_archive.hpp"

namespace kiln {

void write_docker(const WriteInput& input, const fs::path& target) {
    AtomicFile archive(target);
    write_docker_archive(input.base, {input.recipe + ":latest"}, archive);
    archive.commit();
}

} // namespace kiln
