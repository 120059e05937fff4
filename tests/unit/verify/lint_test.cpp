// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "base/io/digest.hpp"
#include "support/sample_systems.hpp"
#include "verify/lint/lint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <set>

namespace kiln {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> lint(const FileTree& tree, const LintOptions& options = {}) {
    std::vector<std::string> found;
    for (const LintFinding& finding : lint_tree(tree, options)) {
        found.push_back(finding.rule + " " + finding.path);
    }
    return found;
}

TEST(Lint, FindsNothingInACleanSystem) {
    EXPECT_THAT(lint(sample_system()), IsEmpty());
}

struct Plant {
    const char* rule;
    const char* path;
    const char* content;
};

void PrintTo(const Plant& plant, std::ostream* out) {
    *out << plant.rule << " " << plant.path;
}

class LintPlanted : public testing::TestWithParam<Plant> {};

TEST_P(LintPlanted, IsFoundAndNothingElse) {
    FileTree tree = sample_system();
    put_with_parents(tree, GetParam().path, file(GetParam().content));
    EXPECT_THAT(lint(tree), ElementsAre(std::string(GetParam().rule) + " " + GetParam().path));
}

// The parts of keys are put together here so that no tool takes this file for one that holds keys.
#define PEM(label) "text\n-----BEGIN " label "-----\nMIIE\n"

constexpr Plant kPlants[] = {
    {"machine-id", "etc/machine-id", "0123456789abcdef0123456789abcdef\n"},
    {"machine-id", "var/lib/dbus/machine-id", "0123456789abcdef0123456789abcdef\n"},
    {"ssh-host-key", "etc/ssh/ssh_host_ed25519_key", "x"},
    {"ssh-host-key", "etc/ssh/ssh_host_rsa_key.pub", "x"},
    {"ssh-host-key", "etc/dropbear/dropbear_ed25519_host_key", "x"},
    {"service-key", "etc/munge/munge.key", "x"},
    {"service-key", "etc/bind/rndc.key", "x"},
    {"service-key", "etc/xrdp/rsakeys.ini", "x"},
    {"database", "var/lib/ldap/data.mdb", "x"},
    {"password", "etc/ldap/slapd.d/cn=config/olcDatabase={1}mdb.ldif", "olcRootPW:: e1NTSEF9\n"},
    {"password",
     "var/cache/debconf/passwords.dat",
     "Name: slapd/password1\nValue: hello\nOwners: slapd\n"},
    {"private-key", "etc/ssl/private/server.key", "x"},
    {"private-key", "etc/pause/tls.pem", PEM("PRIVATE KEY")},
    {"private-key", "root/backup", PEM("RSA PRIVATE KEY")},
    {"private-key", "home/pause/k", PEM("OPENSSH PRIVATE KEY")},
    {"private-key", "var/lib/pause/k.asc", PEM("PGP PRIVATE KEY BLOCK")},
    {"private-key", "srv/k", "AGE-SECRET-KEY-1QQ"},
    {"private-key", "root/.gnupg/private-keys-v1.d/AB.key", "x"},
    {"snakeoil", "etc/ssl/certs/ssl-cert-snakeoil.pem", "x"},
    {"acme-account", "etc/letsencrypt/accounts/acme", "x"},
    {"database", "data/ibdata1", "x"},
    {"database", "data/mod/perms.ibd", "x"},
    {"database", "data/ib_logfile0", "x"},
    {"database", "var/lib/mysql/mysql/db.MAD", "x"},
    {"history", "root/.bash_history", "ls\n"},
    {"history", "home/pause/.mysql_history", "x"},
    {"random-seed", "var/lib/systemd/random-seed", "x"},
    {"random-seed", "root/.gnupg/random_seed", "x"},
    {"random-seed", "home/pause/.rnd", "x"},
    {"dhcp-lease", "var/lib/dhcp/dhclient.eth0.leases", "lease {}\n"},
    {"password", "etc/shadow", "root:$y$j9T$abc$def:19000:0:99999:7:::\n"},
    {"password", "etc/shadow", "root::19000:0:99999:7:::\n"},
    {"password", "etc/shadow", "root:!$y$j9T$abc:19000:0:99999:7:::\n"},
    {"password", "etc/passwd", "root::0:0:root:/root:/bin/bash\n"},
    {"password", "etc/gshadow", "adm:$6$abc::\n"},
    {"authorized-keys", "root/.ssh/authorized_keys", "ssh-ed25519 AAAA me\n"},
    {"credentials", "root/.netrc", "machine x\n"},
    {"credentials", "root/.docker/config.json", "{}"},
    {"credentials", "etc/mysql/debian.cnf", "[client]\npassword = abc\n"},
    {"host-id", "etc/iscsi/initiatorname.iscsi", "InitiatorName=iqn.1993-08.org.debian:01:ab\n"},
    {"cloud-instance", "var/lib/cloud/instance", "x"},
    {"device-map", "boot/grub/device.map", "(hd0) /dev/vda\n"},
    {"policy-rc.d", "usr/sbin/policy-rc.d", "exit 101\n"},
    {"dpkg-leftover", "etc/nginx/nginx.conf.dpkg-new", "x"},
    {"dpkg-leftover", "etc/nginx/nginx.conf.dpkg-old", "x"},
    {"log", "var/log/dpkg.log", "x"},
    {"log", "var/log/apt/history.log", "x"},
    {"mail", "var/mail/root", "x"},
    {"network-identity", "etc/udev/rules.d/70-persistent-net.rules", "x"},
    {"resolver", "etc/resolv.conf", "nameserver 192.0.2.1\n"},
    {"temporary", "tmp/a/b", "x"},
};

INSTANTIATE_TEST_SUITE_P(Rules, LintPlanted, testing::ValuesIn(kPlants));

TEST(Lint, TestsPlantEveryRuleThatIsListed) {
    std::set<std::string_view> planted{"builder-trace", "secret"};
    for (const Plant& plant : kPlants) {
        planted.insert(plant.rule);
    }
    std::set<std::string_view> listed;
    for (const LintRule& rule : lint_rules()) {
        listed.insert(rule.name);
    }
    EXPECT_EQ(planted, listed);
}

TEST(Lint, AcceptsWhatMeansNotYet) {
    FileTree tree = sample_system();
    for (const char* path :
         {"root/.ssh/authorized_keys", "root/.bash_history", "var/log/dpkg.log", "tmp/empty"}) {
        put_with_parents(tree, path, file(""));
    }
    put_with_parents(tree, "etc/machine-id", file("uninitialized\n"));
    put_with_parents(tree, "usr/share/doc/x/key.pem", file(PEM("PRIVATE KEY")));
    tree.put("etc/resolv.conf", file("nameserver 127.0.0.53\nnameserver ::1\n"));
    put_with_parents(tree, "etc/mysql/debian.cnf", file("[client]\npassword =\n"));
    EXPECT_THAT(lint(tree), IsEmpty());
}

TEST(Lint, LooksForWordsOfTheBuilder) {
    FileTree tree = sample_system();
    put_with_parents(tree, "etc/mailname", file("bakery.example\n"));
    put_with_parents(tree, "etc/words", file("bakeryman bakery2 the-bakery localhost etc\n"));
    put_with_parents(tree, "etc/built", file("in /srv/work/root/etc\n"));
    LintOptions options;
    options.builder_words = {"bakery", "/srv/work", "localhost", "etc"};
    EXPECT_THAT(
        lint(tree, options), ElementsAre("builder-trace etc/built", "builder-trace etc/mailname"));
}

TEST(Lint, KnowsTheRecipesExceptions) {
    FileTree tree = sample_system();
    put_with_parents(tree, "root/.ssh/authorized_keys", file("ssh-ed25519 AAAA\n"));
    LintOptions options;
    options.exceptions = {{"authorized-keys", "root/.ssh/authorized_keys"}};
    EXPECT_THAT(lint(tree, options), IsEmpty());
    options.exceptions = {{"credentials", "root/.ssh/authorized_keys"}};
    EXPECT_EQ(lint(tree, options).size(), 1U);
    options.exceptions = {{"authorized-keys", "root/*/authorized_keys"}};
    EXPECT_THAT(lint(tree, options), IsEmpty());
    options.exceptions = {{"authorized-keys", "root/*"}};
    EXPECT_EQ(lint(tree, options).size(), 1U);
}

TEST(Lint, PassesOverContentThatIsNotAtHand) {
    FileTree tree = sample_system();
    Entry shadow = file("root:$y$abc:1::::::\n");
    shadow.data = nullptr;
    tree.put("etc/shadow", shadow);
    EXPECT_THAT(lint(tree), IsEmpty());
}

TEST(Lint, HasANetForSecretsThatProgramsMade) {
    FileTree tree = sample_system();
    const auto put = [&](const char* path, const char* text, std::uint32_t mode) {
        Entry entry = file(text);
        entry.mode = mode;
        entry.stage = 1;
        put_with_parents(tree, path, entry);
    };
    put("etc/service/login", "sesame", 0600);
    put("var/lib/service/group-only", "sesame", 0640);
    put("etc/service/cookie.txt", "value=3b1fa9e27cc04d5e8f60", 0644);
    put("etc/service/Secret_Key", "aGVsbG8gd29ybGQgMTIzNDU2Nzg5MA==", 0644);
    put("etc/service/keyboard", "XKBMODEL=pc105\nXKBLAYOUT=us-with-a-long-name\n", 0644);
    put("etc/service/keys.service",
        "ExecStart=/usr/bin/key-tool2 --of /etc/ssh/ssh_host_ed25519_key\n",
        0644);
    put("etc/service/plain", "3b1fa9e27cc04d5e8f60", 0644);
    put("usr/share/service/key", "3b1fa9e27cc04d5e8f60", 0600);
    put("etc/service/shipped", "of the package", 0600);
    put("etc/service/empty", "", 0600);
    put("etc/service/counter", "00000", 0600);
    put("etc/service/copy", "a default", 0600);
    put_with_parents(tree, "usr/share/service/default", file("a default"));
    put_with_parents(
        tree,
        "var/lib/dpkg/info/service.list",
        file("/etc/service/shipped\n/usr/share/service/default\n"));
    const FileTree nothing;
    LintOptions options;
    options.stages = {{true, &nothing}, {true, &nothing}};
    EXPECT_THAT(
        lint(tree, options),
        ElementsAre(
            "secret etc/service/Secret_Key",
            "secret etc/service/cookie.txt",
            "secret etc/service/login",
            "secret var/lib/service/group-only"));
    options.stages[1].ran_programs = false; // a files stage
    EXPECT_THAT(lint(tree, options), IsEmpty());
    EXPECT_THAT(lint(tree), IsEmpty()); // not known
}

TEST(Lint, LetsPassWhatAPackageShips) {
    FileTree tree = sample_system();
    tree.put("lib", symlink("usr/lib"));
    put_with_parents(tree, "usr/lib/tex/secring.gpg", file("hello"));
    put_with_parents(tree, "usr/lib/tex/random_seed", file("changed"));
    put_with_parents(tree, "etc/tex/ssl-cert-snakeoil.pem", file("hello"));
    put_with_parents(tree, "root/.ssh/authorized_keys", file("hello"));
    put_with_parents(
        tree,
        "var/lib/dpkg/info/tex.list",
        file("/lib/tex/secring.gpg\n/lib/tex/random_seed\n/etc/tex/ssl-cert-snakeoil.pem\n"
             "/root/.ssh/authorized_keys\n"));
    put_with_parents(
        tree,
        "var/lib/dpkg/info/tex.md5sums",
        file("5d41402abc4b2a76b9719d911017c592  lib/tex/secring.gpg\n"
             "5d41402abc4b2a76b9719d911017c592  lib/tex/random_seed\n"
             "5d41402abc4b2a76b9719d911017c592  root/.ssh/authorized_keys\n"));
    put_with_parents(
        tree,
        "var/lib/dpkg/status",
        file("Package: tex\nConffiles:\n"
             " /etc/tex/ssl-cert-snakeoil.pem 5d41402abc4b2a76b9719d911017c592\n"
             "Description: x\n"));
    EXPECT_THAT(
        lint(tree),
        ElementsAre(
            "authorized-keys root/.ssh/authorized_keys", "random-seed usr/lib/tex/random_seed"));
}

TEST(Lint, LooksAtWhatAPrivatePackageShips) {
    FileTree tree = sample_system();
    put_with_parents(tree, "etc/tex/ssl-cert-snakeoil.pem", file("hello"));
    put_with_parents(tree, "usr/lib/tex/secring.gpg", file("hello"));
    put_with_parents(
        tree,
        "var/lib/dpkg/info/tex:amd64.list",
        file("/etc/tex/ssl-cert-snakeoil.pem\n/usr/lib/tex/secring.gpg\n"));
    put_with_parents(
        tree,
        "var/lib/dpkg/info/tex:amd64.md5sums",
        file("5d41402abc4b2a76b9719d911017c592  usr/lib/tex/secring.gpg\n"));
    put_with_parents(
        tree,
        "var/lib/dpkg/status",
        file("Package: tex\nConffiles:\n"
             " /etc/tex/ssl-cert-snakeoil.pem 5d41402abc4b2a76b9719d911017c592\n"));
    EXPECT_THAT(lint(tree), IsEmpty());
    LintOptions options;
    options.private_packages = {"tex"};
    EXPECT_THAT(lint(tree, options), testing::SizeIs(2));
}

TEST(Lint, SaysWhichStageBroughtTheFile) {
    FileTree tree = sample_system();
    Entry log = file("x");
    log.stage = 1;
    put_with_parents(tree, "var/log/dpkg.log", log);
    const auto findings = lint_tree(tree, {});
    const std::vector<std::string> stages{"debian", "perl"};
    EXPECT_THAT(
        describe_findings(findings, stages),
        ElementsAre("log /var/log/dpkg.log: a log of the build, different on every build "
                    "(stage 'perl')"));
    try {
        require_no_findings(findings, stages);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.message(), "the image contains 1 file that must not be shipped");
        EXPECT_EQ(error.exit_code(), ExitCode::failed);
        EXPECT_EQ(error.details().size(), 1U);
        EXPECT_FALSE(error.hint().empty());
    }
    EXPECT_NO_THROW(require_no_findings({}, stages));
}

TEST(Lint, NamesTheStageThatBroughtTheContent) {
    FileTree first;
    FileTree second;
    FileTree third;
    Entry secret = file("machine login x");
    secret.content = sha256(std::string_view("machine login x"));
    put_with_parents(first, "root/.netrc", file("another"));
    put_with_parents(second, "root/.netrc", secret);
    secret.mode = 0640;
    put_with_parents(third, "root/.netrc", secret);
    FileTree tree = sample_system();
    tree.apply(third, 2);
    LintOptions options;
    options.stages = {{false, &first}, {false, &second}, {true, &third}};
    const auto findings = lint_tree(tree, options);
    ASSERT_EQ(findings.size(), 1U); // of 'credentials', not of 'secret': no program made it
    EXPECT_EQ(findings[0].rule, "credentials");
    EXPECT_EQ(findings[0].stage, 1U);
}

TEST(Lint, ShowsAFewFindingsOfEachRule) {
    FileTree tree = sample_system();
    for (int i = 0; i < 7; ++i) {
        put_with_parents(tree, "var/lib/mysql/t" + std::to_string(i), file("x"));
    }
    put_with_parents(tree, "var/log/dpkg.log", file("x"));
    const auto findings = lint_tree(tree, {});
    try {
        require_no_findings(findings, {});
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.message(), "the image contains 8 files that must not be shipped");
        EXPECT_EQ(error.details().size(), 7U);
        EXPECT_EQ(error.details().back(), "database: and 2 more");
    }
}

} // namespace
} // namespace kiln
