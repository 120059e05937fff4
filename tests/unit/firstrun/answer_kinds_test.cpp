// SPDX-License-Identifier: MIT
#include "firstrun/answers/answer_kinds.hpp"

#include <gtest/gtest.h>

#include <string>

namespace kiln::firstrun {

namespace {

struct Case {
    Key key;
    const char* text;
    const char* value; ///< nullptr: refused
};

class AnswerKinds : public testing::TestWithParam<Case> {};

TEST_P(AnswerKinds, AcceptsWhatItShouldAndNothingElse) {
    const Case& sample = GetParam();
    const CheckedValue checked = check_value(spec_of(sample.key), sample.text);
    if (sample.value == nullptr) {
        EXPECT_NE(checked.fault, "") << sample.text;
    } else {
        EXPECT_EQ(checked.fault, "") << sample.text;
        EXPECT_EQ(checked.value, sample.value);
    }
}

const std::string kTooLong(73, 'x');

INSTANTIATE_TEST_SUITE_P(
    Table,
    AnswerKinds,
    testing::Values(
        Case{Key::hostname, "Pause.Example.org\n", "pause.example.org"},
        Case{Key::hostname, "192.0.2.1", "192.0.2.1"},
        Case{Key::hostname, "a_b", nullptr},
        Case{Key::hostname, "-a", nullptr},
        Case{Key::hostname, "a..b", nullptr},
        Case{Key::hostname, "a; rm", nullptr},
        Case{Key::hostname, "", nullptr},
        Case{Key::certificate_names, "a.org, B.org c.org", "a.org\nb.org\nc.org"},
        Case{Key::certificate_names, "a.org;b", nullptr},
        Case{Key::admin_email, "a.b+c@example.org", "a.b+c@example.org"},
        Case{Key::admin_email, "a'b@example.org", nullptr},
        Case{Key::admin_email, "a b@example.org", nullptr},
        Case{Key::admin_email, "@example.org", nullptr},
        Case{Key::admin_user, "ANDK", "ANDK"},
        Case{Key::admin_user, "AB", nullptr},
        Case{Key::admin_user, "ABCDEFGHIJ", nullptr},
        Case{Key::admin_user, "AND1", nullptr},
        Case{Key::mail_port, "465", "465"},
        Case{Key::mail_port, "0", nullptr},
        Case{Key::mail_port, "65536", nullptr},
        Case{Key::volume, "root", "root"},
        Case{Key::volume, "label=pause-data", "label=pause-data"},
        Case{Key::volume, "digitalocean=vol-1", "digitalocean=vol-1"},
        Case{Key::volume, "/dev/vdb", "/dev/vdb"},
        Case{Key::volume, "/etc/passwd", nullptr},
        Case{Key::volume, "vg=-x", nullptr},
        Case{Key::volume, "label=", nullptr},
        Case{Key::volume, "label=../../x", nullptr},
        Case{Key::volume_size, "50G", "50G"},
        Case{Key::volume_size, "0", nullptr},
        Case{Key::volume_size, "big", nullptr},
        Case{Key::volume_wait, "30", "30"},
        Case{Key::volume_wait, "-1", nullptr},
        Case{Key::admin_password, " with spaces \n", " with spaces "},
        Case{Key::admin_password, kTooLong.c_str(), nullptr},
        Case{Key::admin_password, "a\tb", nullptr},
        Case{Key::certificate, "acme-staging", "acme-staging"},
        Case{Key::certificate, "acme2", nullptr},
        Case{
            Key::signing_key,
            "-----BEGIN PGP PRIVATE KEY BLOCK-----\n",
            "-----BEGIN PGP PRIVATE KEY BLOCK-----"},
        Case{Key::signing_key, "/run/key", "/run/key"},
        Case{Key::signing_key, "key", nullptr},
        Case{Key::git_remote, "git@host:pause.git", "git@host:pause.git"},
        Case{Key::git_remote, "ssh://git@host/x", "ssh://git@host/x"},
        Case{Key::git_remote, "https://me:secret@host/x", nullptr},
        Case{Key::git_remote, "-oProxyCommand=x:y", nullptr},
        Case{Key::git_remote, "ext::sh -c x", nullptr},
        Case{Key::acme_directory, "https://acme.test/dir", "https://acme.test/dir"},
        Case{Key::acme_directory, "ftp://x", nullptr},
        Case{
            Key::authorized_keys,
            "ssh-ed25519 A a\n\n ssh-rsa B b \n",
            "ssh-ed25519 A a\nssh-rsa B b"},
        Case{Key::minimum_files, "20000", "20000"},
        Case{Key::minimum_files, "1e3", nullptr}));

TEST(AnswerTable, HasADefaultThatItsOwnRuleAccepts) {
    for (const KeySpec& spec : answer_table()) {
        if (!spec.default_value.empty()) {
            EXPECT_EQ(check_value(spec, spec.default_value).fault, "") << spec.name;
        }
        EXPECT_FALSE(spec.meaning.empty()) << spec.name;
        EXPECT_EQ(find_spec(spec.name), &spec);
    }
}

TEST(AnswerSizes, KnowUnits) {
    EXPECT_EQ(size_in_bytes("50G"), 50ULL << 30U);
    EXPECT_EQ(size_in_bytes("512M"), 512ULL << 20U);
    EXPECT_EQ(size_in_bytes("64MiB"), 64ULL << 20U);
    EXPECT_EQ(size_in_bytes("x"), 0U);
}

} // namespace

} // namespace kiln::firstrun
