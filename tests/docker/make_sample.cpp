// SPDX-License-Identifier: MIT
//
// make_sample PROBE ARCHIVE: writes the sample image with the probe program as its entrypoint as a
// docker archive, and prints the digest of its config.
#include "base/error.hpp"
#include "oci/docker_archive.hpp"
#include "oci/oci.hpp"
#include "support/sample_images.hpp"

#include <cstdio>

namespace {

void make_sample(const kiln::fs::path& probe, const kiln::fs::path& archive) {
    using namespace kiln;
    FileTree below = test::full_tree();
    // Docker keeps names in JSON, which has no place for these bytes.
    below.erase_tree("usr/latin1-\xe9");
    below.put("probe", test::file(read_text_file(probe), 0755));
    OciImage image = test::sample_image(below);
    image.config.user.clear();
    image.config.healthcheck.reset();
    image.config.entrypoint = {"/probe"};
    image.config.cmd = {"/etc/old"};
    const TempDir dir(temporary_root(), "docker-sample");
    const OciWritten written = write_oci_layout(image, dir.path() / "image.oci", {});
    AtomicFile file(archive);
    write_docker_archive(dir.path() / "image.oci", {}, file);
    file.commit();
    std::printf("%s\n", written.config.digest.to_string().c_str());
}

} // namespace

int main(int count, char** arguments) {
    if (count != 3) {
        std::fputs("usage: make_sample PROBE ARCHIVE\n", stderr);
        return 2;
    }
    try {
        make_sample(arguments[1], arguments[2]);
    } catch (const kiln::Error& error) {
        std::fprintf(stderr, "error: %s\n", error.what());
        return 1;
    }
    return 0;
}
