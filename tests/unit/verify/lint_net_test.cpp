// SPDX-License-Identifier: MIT
//
// What the net for unknown secrets lets pass: texts that a program put together from what packages
// bring, as Debian's do.
#include "support/sample_systems.hpp"
#include "verify/lint/lint.hpp"
#include "verify/lint/secret_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>

namespace kiln {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::IsEmpty;

#define BLOCK(label) "-----BEGIN " label "-----\nMIGHAoGBAJx9f3Q2\n-----END " label "-----\n"

struct Made {
    const char* path;
    const char* content;
};

void PrintTo(const Made& made, std::ostream* out) {
    *out << made.path;
}

class LintNet : public testing::TestWithParam<Made> {
  protected:
    LintNet() {
        ship("usr/share/toy/toyrc", "# settings\nCheck_PASSWD=Y\nMail=root\n");
        ship("etc/toy/rules.d/toy.rules", "--backlog_wait_time 60000\n-f 1\n");
        put_with_parents(tree_, "var/lib/dpkg/info/toy.list", file(list_));
        put_with_parents(tree_, "var/lib/dpkg/info/toy.md5sums", file(md5sums_));
        put_with_parents(
            tree_,
            "var/lib/dpkg/info/toy.postinst",
            file("cat > /etc/toy.conf << EOF\n# automatically generated\nbase dc=example,dc=net\n"
                 "#bindpw secret\nEOF\n"));
        // A file in /etc that was changed since brings nothing.
        put_with_parents(tree_, "etc/toy/changed", file("correcthorse\n"));
        put_with_parents(tree_, "var/lib/toy/private", file("batterystaple\n"));
    }

    std::vector<std::string> lint_with(const std::string& path, const char* content) {
        Entry entry = file(content);
        entry.mode = 0640;
        entry.stage = 1;
        put_with_parents(tree_, path, entry);
        const FileTree nothing;
        LintOptions options;
        options.stages = {{true, &nothing}, {true, &nothing}};
        std::vector<std::string> found;
        for (const LintFinding& finding : lint_tree(tree_, options)) {
            found.push_back(finding.rule + " " + finding.path);
        }
        return found;
    }

  private:
    void ship(const std::string& path, const std::string& content) {
        put_with_parents(tree_, path, file(content));
        list_ += "/" + path + "\n";
        md5sums_ += md5_hex(content) + "  " + path + "\n";
    }

    FileTree tree_ = sample_system();
    std::string list_ = "/etc/toy/changed\n";
    std::string md5sums_ = "5d41402abc4b2a76b9719d911017c592  etc/toy/changed\n";
};

class LintNetLetsPass : public LintNet {};

TEST_P(LintNetLetsPass, ItIsNoSecret) {
    EXPECT_THAT(lint_with(GetParam().path, GetParam().content), IsEmpty());
}

constexpr Made kNoSecrets[] = {
    {"etc/authbind/byuid/107", "0.0.0.0/0:1,1023\n::/0,1-1023\n"},
    {"etc/toy/toy.rules", "## automatically generated\n--backlog_wait_time 60000\n\n-f 1\n"},
    {"etc/toy/toyrc", "# settings\nCheck_PASSWD=Y\nMail=\"root\"\n"},
    {"etc/toy.conf", "uri ldap://[::1]/\nbase dc=example,dc=net\n#bindpw secret\n"},
    {"etc/toy/dh", BLOCK("DH PARAMETERS")},
    {"etc/toy/pem", "base\n" BLOCK("CERTIFICATE") BLOCK("PUBLIC KEY")},
};

INSTANTIATE_TEST_SUITE_P(Made, LintNetLetsPass, testing::ValuesIn(kNoSecrets));

class LintNetCatches : public LintNet {};

TEST_P(LintNetCatches, ItMayBeASecret) {
    EXPECT_THAT(
        lint_with(GetParam().path, GetParam().content),
        ElementsAre(std::string("secret ") + GetParam().path));
}

constexpr Made kSecrets[] = {
    {"etc/toy.conf", "base dc=example,dc=net\nbindpw xJ9dk2LL\n"},
    {"etc/toy/words", "bindpw generated\n"}, // of known words, and about a password
    {"etc/toy/word", "login correcthorse\n"},
    {"etc/toy/other", "login batterystaple\n"}, // not shipped
    {"etc/toy/secret", "generated\n"},          // says so itself
    {"etc/toy/pin", "314159\n"},
    {"etc/toy/bytes",
     "base\x01"
     "base"},
    {"etc/toy/dh", BLOCK("DH PARAMETERS") "xJ9dk2LL\n"},
    {"etc/toy/open", "-----BEGIN DH PARAMETERS-----\nMIGHAoGBAJx9f3Q2\n"},
    {"etc/toy/enc", BLOCK("ENCRYPTED MESSAGE")},
};

INSTANTIATE_TEST_SUITE_P(Made, LintNetCatches, testing::ValuesIn(kSecrets));

TEST(SecretText, LeavesOutPublicBlocksOnly) {
    EXPECT_EQ(without_public_blocks(""), "");
    EXPECT_EQ(without_public_blocks("a\n" BLOCK("PUBLIC KEY") "b\n"), "a\n\nb\n");
    EXPECT_EQ(
        without_public_blocks(BLOCK("X") BLOCK("CERTIFICATE") BLOCK("CERTIFICATE")),
        BLOCK("X") "\n\n");
    EXPECT_EQ(without_public_blocks("-----BEGIN "), "-----BEGIN ");
}

TEST(SecretText, KnowsLinesAboutPasswords) {
    EXPECT_TRUE(has_telling_word("dbc_dbpass='x'"));
    EXPECT_TRUE(has_telling_word("RootPW: x"));
    EXPECT_FALSE(has_telling_word("uri ldap://localhost/"));
}

} // namespace
} // namespace kiln
