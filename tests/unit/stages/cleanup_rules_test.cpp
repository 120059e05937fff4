// SPDX-License-Identifier: MIT
#include "stages/clean/cleanup_rules.hpp"
#include "support/stage_fixture.hpp"
#include "tree/tree_scan.hpp"

#include <gtest/gtest.h>

namespace kiln {
namespace {

constexpr std::int64_t kEpoch = 1'700'000'000;

class CleanupRules : public testing::Test {
  protected:
    void write(const std::string& path, const std::string& text) {
        tree_.write_file(path, text, {});
    }

    /// What is there now is an earlier stage's, as the store keeps it.
    void settle() {
        below_ = scan_tree(fixture_.root, {.mtime = [](const std::string&, FileType, std::int64_t) {
                               return kEpoch;
                           }});
        apply_times(fixture_.root, below_);
        fixture_.context.below = &below_;
    }

    void clean() { clean_tree(fixture_.context); }

    test::StageFixture fixture_{kEpoch};
    const TreeRoot& tree_ = fixture_.tree;
    FileTree below_;
};

TEST_F(CleanupRules, GoWhenAScriptMadeThem) {
    write("etc/machine-id", "0123456789abcdef0123456789abcdef\n");
    write("var/lib/cloud/instances/i-1/user-data", "x");
    write("var/log/apt/term.log", "x");
    write("var/log/btmp", "x");
    write("root/.cache/pip/x", "x");
    write("root/.rnd", "x");
    write("var/lib/sss/db/config.ldb", "x");
    write("run/sshd/x", "x");
    write("etc/mailname", "kiln\n");
    write("var/lib/ucf/hashfile", "x");
    write("var/lib/ucf/hashfile.2", "x");
    write("var/lib/ucf/registry.7", "x");
    write("var/lib/apt/extended_states", "Package: x\n");
    clean();
    EXPECT_EQ(tree_.names("var/lib/ucf"), std::vector<std::string>{"hashfile"});
    EXPECT_TRUE(tree_.exists("var/lib/apt/extended_states"));
    EXPECT_EQ(tree_.read_text("etc/machine-id"), "");
    EXPECT_EQ(tree_.names("var/lib/cloud"), std::vector<std::string>{});
    EXPECT_FALSE(tree_.exists("var/log/apt/term.log"));
    EXPECT_EQ(tree_.read_text("var/log/btmp"), "");
    EXPECT_EQ(tree_.names("root"), std::vector<std::string>{});
    EXPECT_EQ(tree_.names("var/lib/sss/db"), std::vector<std::string>{});
    EXPECT_EQ(tree_.names("run"), std::vector<std::string>{});
    EXPECT_EQ(tree_.read_text("etc/mailname"), "kiln\n"); // postfix's main.cf names it
}

TEST_F(CleanupRules, StayWhenAnEarlierStageBroughtThem) {
    write("etc/machine-id", "uninitialized\n");
    write("etc/iscsi/initiatorname.iscsi", "GenerateName=yes\n");
    write("var/lib/cloud/seed/nocloud/user-data", "#cloud-config\n");
    write("var/lib/cloud/scripts/per-boot/hello", "#!/bin/sh\n");
    write("root/.cache/model", "x");
    write("var/log/app/known.log", "x");
    tree_.make_directory("run/sshd", {});
    tree_.make_link("tmp/link", "/srv", {});
    settle();
    clean();
    EXPECT_EQ(tree_.read_text("etc/machine-id"), "uninitialized\n");
    EXPECT_EQ(tree_.read_text("etc/iscsi/initiatorname.iscsi"), "GenerateName=yes\n");
    for (const char* path :
         {"var/lib/cloud/seed/nocloud/user-data",
          "var/lib/cloud/scripts/per-boot/hello",
          "root/.cache/model",
          "var/log/app/known.log",
          "run/sshd",
          "tmp/link"}) {
        EXPECT_TRUE(tree_.exists(path)) << path;
    }
}

TEST_F(CleanupRules, GoWhenAScriptMadeThemBesideOrInPlaceOfWhatWasThere) {
    write("etc/machine-id", "uninitialized\n");
    write("var/lib/cloud/seed/nocloud/user-data", "#cloud-config\n");
    write("var/lib/ucf/cache/keep", "x");
    settle();
    write("etc/machine-id", "uninitialised\n"); // as long as before
    write("var/lib/cloud/seed/nocloud/meta-data", "instance-id: i-1\n");
    write("var/lib/cloud/instances/i-1/x", "x");
    clean();
    EXPECT_EQ(tree_.read_text("etc/machine-id"), "");
    EXPECT_EQ(tree_.names("var/lib/cloud/seed/nocloud"), std::vector<std::string>{"user-data"});
    EXPECT_FALSE(tree_.exists("var/lib/cloud/instances"));
    EXPECT_TRUE(tree_.exists("var/lib/ucf/cache/keep"));
}

TEST_F(CleanupRules, AHistoryOfEtcGoesUnlessTheRecipePlacedIt) {
    write("etc/.git/objects/0d/efcf", "a host key");
    write("etc/.etckeeper", "maybe chmod 0640 'shadow'\n");
    clean();
    EXPECT_FALSE(tree_.exists("etc/.git"));
    EXPECT_FALSE(tree_.exists("etc/.etckeeper"));
    write("etc/.git/config", "[core]\n");
    settle();
    write("etc/.git/objects/0d/efcf", "a host key");
    clean();
    EXPECT_EQ(tree_.names("etc/.git"), std::vector<std::string>{"config"});
}

TEST_F(CleanupRules, AreFoundBehindLinks) {
    tree_.make_directories("data/var/lib/cloud");
    tree_.make_link("var", "/data/var", {});
    write("var/lib/cloud/mine", "x");
    settle();
    write("var/lib/cloud/theirs", "x");
    clean();
    EXPECT_EQ(tree_.names("data/var/lib/cloud"), std::vector<std::string>{"mine"});
}

TEST_F(CleanupRules, GoFromFoldersThatAPatternNames) {
    write("var/lib/texmf/web2c/updmap.log", "x");
    write("var/lib/texmf/web2c/tex/tex.log", "x");
    write("var/lib/texmf/web2c/tex/tex.fmt", "x");
    write("var/lib/texmf/web2c/pdftex/etex.log", "x");
    settle();
    write("var/lib/texmf/web2c/tex/tex.log", "xy");
    write("var/lib/texmf/web2c/tex/plain.log", "x");
    write("var/lib/texmf/ls-R", "% ls-R\n./b:\n./a:\n");
    clean();
    EXPECT_EQ(tree_.names("var/lib/texmf/web2c/tex"), std::vector<std::string>{"tex.fmt"});
    EXPECT_EQ(tree_.names("var/lib/texmf/web2c/pdftex"), std::vector<std::string>{"etex.log"});
    EXPECT_TRUE(tree_.exists("var/lib/texmf/web2c/updmap.log"));
    EXPECT_EQ(tree_.read_text("var/lib/texmf/ls-R"), "% ls-R\n\n./a:\n\n./b:\n");
}

TEST_F(CleanupRules, CommentsOfSendmailSayTheEpoch) {
    const std::string head = "#####\n##### by: root@kiln\n##### on: ";
    write("etc/mail/sasl/sasl.m4", head + "Sun Nov  9 20:40:51 2026\nFEATURE(x)\n");
    write("etc/mail/submit.cf", "##### built by root@kiln on Sun Nov 29 20:40:54 UTC 2026\n");
    write("etc/mail/notes", "on: Sun Nov 29 20:40:54 2026\n");
    clean();
    EXPECT_EQ(
        tree_.read_text("etc/mail/sasl/sasl.m4"), head + "Tue Nov 14 22:13:20 2023\nFEATURE(x)\n");
    EXPECT_EQ(
        tree_.read_text("etc/mail/submit.cf"),
        "##### built by root@kiln on Tue Nov 14 22:13:20 2023\n");
    EXPECT_EQ(tree_.read_text("etc/mail/notes"), "on: Sun Nov 29 20:40:54 2026\n");
}

TEST_F(CleanupRules, GoWithTheLinksToThem) {
    const std::string certificates = "etc/ssl/certs/";
    tree_.make_directories(certificates);
    tree_.make_link(certificates + "mine", "ssl-cert-snakeoil.pem", {});
    settle();
    write(certificates + "ssl-cert-snakeoil.pem", "x");
    write(certificates + "another.pem", "x");
    tree_.make_link(certificates + "ce275665.0", "ssl-cert-snakeoil.pem", {});
    tree_.make_link(certificates + "12345678.0", "another.pem", {});
    clean();
    EXPECT_EQ(
        tree_.names("etc/ssl/certs"),
        (std::vector<std::string>{"12345678.0", "another.pem", "mine"}));
}

TEST_F(CleanupRules, HostKeysAreMadeByEachMachine) {
    write("etc/ssh/ssh_host_ed25519_key", "x");
    write("etc/ssh/ssh_host_ed25519_key.pub", "x");
    write("lib/systemd/system/ssh.service", "[Unit]\n");
    clean();
    EXPECT_EQ(tree_.names("etc/ssh"), std::vector<std::string>{});
    EXPECT_NE(
        tree_.read_text("etc/systemd/system/ssh.service.wants/ssh-host-keys.service")
            .find("ExecStart=/usr/bin/ssh-keygen -A"),
        std::string::npos);
}

TEST_F(CleanupRules, HostKeysOfTheRecipeStay) {
    write("etc/ssh/ssh_host_ed25519_key", "x");
    write("lib/systemd/system/ssh.service", "[Unit]\n");
    settle();
    clean();
    EXPECT_TRUE(tree_.exists("etc/ssh/ssh_host_ed25519_key"));
    EXPECT_FALSE(tree_.exists("etc/systemd/system/ssh-host-keys.service"));
}

} // namespace
} // namespace kiln
