// SPDX-License-Identifier: MIT
//
// A tree that looks like a small Debian system, clean by the rules of check/lint.
#pragma once

#include "support/sample_trees.hpp"

namespace kiln::test {

inline void put_with_parents(FileTree& tree, const std::string& path, Entry entry) {
    for (std::string_view parent = parent_path(path); tree.find(parent) == nullptr;
         parent = parent_path(parent)) {
        tree.put(std::string(parent), directory());
    }
    tree.put(path, std::move(entry));
}

inline FileTree sample_system() {
    FileTree tree;
    const auto put = [&](const std::string& path, Entry entry) {
        put_with_parents(tree, path, std::move(entry));
    };
    put("usr/lib/os-release",
        file("PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\n"
             "VERSION_CODENAME=bookworm\nID=debian\n"));
    put("lib", symlink("usr/lib"));
    put("usr/lib/modules/6.1.0-30-cloud-amd64", directory());
    put("boot/vmlinuz-6.1.0-30-cloud-amd64", file("kernel"));
    put("boot/config-6.1.0-30-cloud-amd64", file("CONFIG_X=y\n"));
    put("etc/os-release", symlink("../usr/lib/os-release"));
    put("etc/debian_version", file("12.9\n"));
    put("etc/hostname", file("pause\n"));
    put("etc/machine-id", file(""));
    put("etc/resolv.conf", symlink("../run/systemd/resolve/stub-resolv.conf"));
    put("etc/passwd",
        file("root:x:0:0:root:/root:/bin/bash\n"
             "www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n"
             "pause:x:1000:1000::/home/pause:/bin/sh\n"
             "malformed\n"));
    put("etc/group", file("root:x:0:\nadm:x:4:pause,www-data\n"));
    put("etc/shadow", file("root:*:19000:0:99999:7:::\npause:!:19000::::::\n", 0640));
    put("etc/systemd/system/multi-user.target.wants/nginx.service",
        symlink("/lib/systemd/system/nginx.service"));
    put("etc/systemd/system/getty.target.wants/getty@tty1.service",
        symlink("/lib/systemd/system/getty@.service"));
    put("etc/service/nginx", symlink("/etc/sv/nginx"));
    put("etc/service/paused", symlink("/etc/sv/paused"));
    put("etc/ssl/certs/ca.pem", file("-----BEGIN CERTIFICATE-----\n"));
    put("root/.bashrc", file("# a comment\n"));
    put("var/log/lastlog", file(""));
    put("var/lib/dpkg/status",
        file("Package: nginx\nStatus: install ok installed\nArchitecture: amd64\n"
             "Version: 1.22.1-9\nDescription: server\n more\n\n"
             "Package: base-files\nStatus: install ok installed\nArchitecture: amd64\n"
             "Version: 12.4+deb12u9\n\n"
             "Package: gone\nStatus: deinstall ok config-files\nArchitecture: amd64\n"
             "Version: 1\n"));
    return tree;
}

} // namespace kiln::test
