// SPDX-License-Identifier: MIT
//
// What every case of the tier needs: skipping where no appliance can start, and one tree.
#pragma once

#include "base/error.hpp"
#include "check/guestfs.hpp"
#include "support/make_disk.hpp"
#include "support/sample_systems.hpp"

#include <gtest/gtest.h>

#include <iostream>

namespace kiln::test {

class GuestfsTest : public ::testing::Test {
  protected:
    void SetUp() override {
        try {
            check_appliance_host({});
        } catch (const Error& error) {
            GTEST_SKIP() << error.message() << " (" << error.hint() << ")";
        }
    }

    Console console_{std::cerr, {}};
    SystemProcessRunner runner_;
    TempDir dir_{temporary_root(), "kiln-guestfs-test"};
};

inline constexpr std::string_view kMarker = "a marker that the tests look for on the disk";

/// A system with owners, odd modes, hard links and attributes.
inline FileTree disk_tree() {
    FileTree tree = sample_system();
    put_with_parents(tree, "etc/fstab", file("LABEL=root / ext4 defaults 0 1\n"));
    put_with_parents(tree, "srv/marker", file(std::string(kMarker)));
    tree.entries().at("etc/shadow").gid = 42;
    Entry owned = file(std::string(300'000, 'x'), 0640);
    owned.uid = 33;
    owned.gid = 100'000;
    owned.mtime = kEpoch - 5;
    put_with_parents(tree, "var/www/owned", owned);
    put_with_parents(tree, "usr/bin/sudo", file("setuid", 04755));
    tree.put("usr/bin/sudoedit", hardlink(tree, "usr/bin/sudo"));
    Entry ping = file("ping", 0755);
    ping.xattrs["security.capability"] =
        std::string("\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
    put_with_parents(tree, "usr/bin/ping", ping);
    put_with_parents(tree, "tmp", directory(01777));
    put_with_parents(tree, "usr/F\xc5\x91tan\xc3\xba.crt", file("not ASCII"));
    return tree;
}

} // namespace kiln::test
