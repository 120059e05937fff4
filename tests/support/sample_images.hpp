// SPDX-License-Identifier: MIT
//
// A container image of two layers over the sample trees.
#pragma once

#include "oci/oci.hpp"
#include "support/sample_trees.hpp"

namespace kiln::test {

/// `below` is the first layer and must outlive the image.
inline OciImage sample_image(const FileTree& below) {
    OciImage image;
    image.layers.push_back({"stage debian", "", below, nullptr});
    image.layers.push_back({"stage change", "second", change(), &below});
    image.config.user = "www-data";
    image.config.exposed_ports = {"80/tcp", "443/tcp"};
    image.config.env = {"PATH=/usr/bin"};
    image.config.entrypoint = {"/usr/bin/tini", "--"};
    image.config.cmd = {"/start"};
    image.config.working_dir = "/";
    image.config.labels = {{"org.opencontainers.image.title", "Sample"}};
    image.config.stop_signal = "SIGTERM";
    image.config.healthcheck = OciHealthcheck{{"CMD", "/check"}, 30'000'000'000, 0, 0, 3};
    image.ref_name = "1";
    image.image_name = "docker.io/library/kiln-sample:1";
    image.epoch = kEpoch;
    image.annotations = {{"org.opencontainers.image.title", "Sample"}};
    return image;
}

} // namespace kiln::test
