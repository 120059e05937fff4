// SPDX-License-Identifier: MIT
#include "artifact/perl/cpan_mirror.hpp"
#include "base/io/file.hpp"
#include "support/expect_error.hpp"
#include "support/fake_http_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

namespace kiln {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kPath = "authors/id/J/JD/JDOE/Some-Dist-1.0.tar.gz";

std::string checksums_of(const std::string& folder) {
    return "$cksum = {\n  'Some-Dist-1.0.tar.gz' => {\n" +
           (folder.empty() ? "" : "    'cpan_path' => '" + folder + "',\n") + "    'sha256' => '" +
           sha256("release").hex() + "',\n    'size' => 7\n  },\n};\n";
}

/// Finds every signature good and writes what it is told was signed.
class Gpgv final : public ProcessRunner {
  public:
    ProcessResult run(const Command& command) override {
        EXPECT_EQ(command.program, "gpgv");
        const auto output = std::find(command.args.begin(), command.args.end(), "--output");
        write_file_atomically(*std::next(output), signed_text);
        return {};
    }

    std::string signed_text;
};

class CpanMirrorTest : public testing::Test {
  protected:
    void SetUp() override {
        client_.answer("https://cpan/" + std::string(kPath), {.body = "release"});
        in_.cpan.url = "https://cpan";
    }

    void sign(const std::string& signed_text) {
        in_.cpan.keyring = "/keys.gpg";
        client_.answer("https://cpan/authors/id/J/JD/JDOE/CHECKSUMS", {.body = "as it is served"});
        gpgv_.signed_text = signed_text;
    }

    LockedSource pin() { return mirror_.pin(kPath); }

    TempDir dir_{temporary_root(), "kiln-test"};
    std::ostringstream log_;
    Console console_{log_, {}};
    Gpgv gpgv_;
    test::FakeHttpClient client_;
    Mirrors mirrors_{MirrorSettings()};
    Pool pool_{dir_.path() / "pool"};
    InputContext in_{console_, gpgv_, client_, mirrors_, pool_};
    CpanMirror mirror_{in_};
};

TEST_F(CpanMirrorTest, TakesAReleaseThatItsAuthorsChecksumsState) {
    sign(checksums_of("J/JD/JDOE"));
    EXPECT_EQ(pin().sha256, sha256("release"));
    mirror_.warn_unused_keyring();
    EXPECT_THAT(log_.str(), IsEmpty());
}

TEST_F(CpanMirrorTest, RefusesTheChecksumsOfAnotherFolder) {
    sign(checksums_of("E/EV/EVIL"));
    EXPECT_EQ(
        test::message_of([&] { static_cast<void>(pin()); }),
        "'authors/id/J/JD/JDOE/CHECKSUMS' is for directory 'E/EV/EVIL', not 'J/JD/JDOE': "
        "it belongs to another author");
}

TEST_F(CpanMirrorTest, WarnsOfChecksumsThatNameNoFolder) {
    sign(checksums_of(""));
    EXPECT_EQ(pin().sha256, sha256("release"));
    EXPECT_THAT(log_.str(), HasSubstr("has no 'cpan_path'"));
}

TEST_F(CpanMirrorTest, WarnsOnceWithoutAKeyring) {
    static_cast<void>(pin());
    static_cast<void>(pin());
    const std::string warning =
        "CPAN signatures are not verified for 'https://cpan': no --cpan-keyring";
    ASSERT_THAT(log_.str(), HasSubstr(warning));
    EXPECT_EQ(log_.str().find(warning), log_.str().rfind(warning));
    mirror_.warn_unused_keyring();
    EXPECT_EQ(log_.str().find("signed nothing"), std::string::npos);
}

TEST_F(CpanMirrorTest, SaysThatAKeySignedNothing) {
    in_.cpan.keyring = "/keys.gpg";
    mirror_.warn_unused_keyring();
    EXPECT_THAT(
        log_.str(),
        HasSubstr("the keyring '/keys.gpg' was not used: no release was downloaded from CPAN"));
}

} // namespace
} // namespace kiln
