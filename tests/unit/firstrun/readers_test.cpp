// SPDX-License-Identifier: MIT
//
// Small readers of other programs' output and of the image's own files.
#include "base/error.hpp"
#include "firstrun/host/accounts.hpp"
#include "firstrun/host/config_drive.hpp"
#include "firstrun/host/gnupg.hpp"
#include "firstrun/host/sql.hpp"
#include "firstrun/steps/certificate.hpp"
#include "firstrun/steps/database_server.hpp"

#include <gtest/gtest.h>

namespace kiln::firstrun {

namespace {

TEST(Accounts, AreReadWithTheirGroups) {
    const Accounts accounts = Accounts::parse(
        "root:x:0:0:root:/root:/bin/bash\npause:x:1100:1101::/home/pause:/bin/bash\nbroken\n",
        "root:x:0:\nadm:x:4:root,pause\ncdrom:x:24:pause\n");
    const Account& pause = accounts.get("pause");
    EXPECT_EQ(pause.uid, 1100U);
    EXPECT_EQ(pause.gid, 1101U);
    EXPECT_EQ(pause.home, "/home/pause");
    EXPECT_EQ(pause.groups, (std::vector<gid_t>{4, 24}));
    EXPECT_EQ(accounts.name_of(1100), "pause");
    EXPECT_EQ(accounts.name_of(4711), "4711");
    EXPECT_THROW(static_cast<void>(accounts.get("mysql")), Error);
}

TEST(GnupgListing, GivesSecretKeysWithoutTheirSubkeys) {
    const auto keys = parse_secret_keys(
        "sec:e:3072:1:0123456789ABCDEF:1700000000:1700086400::u:::scSC:::+:::23::0:\n"
        "fpr:::::::::AAAA0123456789ABCDEF:\n"
        "uid:e::::1700000000::HASH::PAUSE Batch Signing Key <p@x>::::::::::0:\n"
        "ssb:u:3072:1:FEDCBA9876543210:1700000000::::::e:::+:::23:\n"
        "fpr:::::::::BBBB:\n"
        "sec:u:255:22:1111111111111111:1700000000:::u:::scSC:::+::ed25519:::0:\n"
        "fpr:::::::::CCCC:\n");
    ASSERT_EQ(keys.size(), 2U);
    EXPECT_EQ(keys[0].id, "0123456789ABCDEF");
    EXPECT_EQ(keys[0].fingerprint, "AAAA0123456789ABCDEF");
    EXPECT_EQ(keys[0].user, "PAUSE Batch Signing Key <p@x>");
    EXPECT_EQ(keys[0].expires, 1700086400);
    EXPECT_TRUE(keys[0].is_expired(0));
    EXPECT_EQ(keys[1].expires, 0);
    EXPECT_FALSE(keys[1].is_expired(1900000000));
    EXPECT_TRUE(parse_secret_keys("").empty());
}

TEST(DatabaseVersion, IsFoundInEitherForm) {
    EXPECT_EQ(
        parse_version("mariadbd  Ver 10.11.18-MariaDB-0+deb12u1 for x"), (DatabaseVersion{10, 11}));
    EXPECT_EQ(parse_version("11.8.3-MariaDB"), (DatabaseVersion{11, 8}));
    EXPECT_EQ(parse_version("none"), DatabaseVersion());
    EXPECT_GT((DatabaseVersion{11, 4}), (DatabaseVersion{10, 11}));
}

TEST(CertificateEnd, IsRead) {
    EXPECT_EQ(parse_not_after("notAfter=Jan  2 03:04:05 2030 GMT\n"), 1893553445);
    EXPECT_EQ(parse_not_after("subject=x"), 0);
}

TEST(SqlText, IsQuoted) {
    EXPECT_EQ(sql_quote("it's \\"), "'it\\'s \\\\'");
    EXPECT_EQ(sql_name("mod"), "`mod`");
    EXPECT_EQ(sql_name("a`b"), "`a``b`");
}

TEST(UserData, IsReadOnlyWhenItIsAConfiguration) {
    EXPECT_TRUE(is_cloud_config("#cloud-config\nx: 1\n"));
    EXPECT_TRUE(is_cloud_config("#cloud-config \r\nx: 1\n"));
    EXPECT_FALSE(is_cloud_config("#!/bin/sh\n"));
    EXPECT_FALSE(is_cloud_config(""));
}

} // namespace

} // namespace kiln::firstrun
