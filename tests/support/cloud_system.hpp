// SPDX-License-Identifier: MIT
//
// A tree that passes every rule about images of DigitalOcean.
#pragma once

#include "support/sample_systems.hpp"

namespace kiln::test {

inline FileTree cloud_system() {
    FileTree tree = sample_system();
    const auto put = [&](const std::string& path, Entry entry) {
        put_with_parents(tree, path, std::move(entry));
    };
    put("usr/bin/cloud-init", file("#!/usr/bin/python3\n", 0755));
    put("etc/systemd/system/multi-user.target.wants/ssh.service",
        symlink("/lib/systemd/system/ssh.service"));
    put("etc/cloud/cloud.cfg.d/90_dpkg.cfg",
        file("datasource_list: [ NoCloud, ConfigDrive, None ]\n"));
    put("etc/cloud/cloud.cfg.d/95_datasource.cfg",
        file("datasource_list: [ ConfigDrive, DigitalOcean, NoCloud, None ]\n"));
    return tree;
}

} // namespace kiln::test
