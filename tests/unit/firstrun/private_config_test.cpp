// SPDX-License-Identifier: MIT
#include "fake_host.hpp"
#include "firstrun/host/answer_sources.hpp"
#include "firstrun/host/passwords.hpp"
#include "firstrun/steps/private_config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace kiln::firstrun {

namespace {

using testing::HasSubstr;
using testing::Not;

const DatabasePasswords kPasswords{"mod0mod0mod0mod0mod0", "aut1aut1aut1aut1aut1"};

std::string render(const Environment& env) {
    test::FakeHost fake;
    Host host = fake.host();
    return render_private_config(
        gather_answers(host, env, Mode::container), kPasswords, "0123456789ABCDEF");
}

TEST(PrivateConfig, GivesItsPasswordsBack) {
    const auto parsed = parse_passwords(render({}));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->mod, kPasswords.mod);
    EXPECT_EQ(parsed->authen, kPasswords.authen);
}

TEST(PrivateConfig, TakesNoPasswordThatCouldBeSql) {
    std::string text = render({});
    text.replace(text.find(kPasswords.mod), kPasswords.mod.size(), "x'; drop database mod; --");
    EXPECT_FALSE(parse_passwords(text));
    EXPECT_FALSE(parse_passwords("  MOD_DATA_SOURCE_PW => 'short',\n"));
    EXPECT_FALSE(parse_passwords(""));
}

TEST(PrivateConfig, MailsNobodyByDefault) {
    const std::string text = render({});
    EXPECT_THAT(text, Not(HasSubstr("perl.org")));
    EXPECT_THAT(text, HasSubstr("$ENV{EMAIL_SENDER_TRANSPORT} = 'Maildir';"));
    EXPECT_THAT(text, HasSubstr("ADMINS => ['root@localhost'],"));
    EXPECT_THAT(text, HasSubstr("$USE_RECENTFILE_HOOKS = 1;"));
    EXPECT_THAT(text, HasSubstr("ML_MIN_FILES => 0,"));
    EXPECT_THAT(text, HasSubstr("CHECKSUMS_SIGNING_KEY => '0123456789ABCDEF',"));
    EXPECT_THAT(text, Not(HasSubstr("RECAPTCHA")));
}

TEST(PrivateConfig, HandsMailToPostfixWithoutItsPrivilegedProgram) {
    Environment env{{"PAUSE_MAIL", "relay"}, {"PAUSE_MAIL_HOST", "mx.example.org"}};
    for (const char* key : {"ADMIN", "UPLOAD", "TESTERS", "REPLY", "P5P", "CRON"}) {
        env[std::string("PAUSE_MAIL_") + key] = "a@example.org";
    }
    const std::string text = render(env);
    EXPECT_THAT(text, HasSubstr("$ENV{EMAIL_SENDER_TRANSPORT} = 'SMTP';"));
    EXPECT_THAT(text, HasSubstr("$ENV{EMAIL_SENDER_TRANSPORT_host} = '127.0.0.1';"));
    EXPECT_THAT(text, Not(HasSubstr("mx.example.org")));
}

TEST(PrivateConfig, GivesAPasswordToNoServerInTheClear) {
    const auto encryption = [](const char* port, const char* user) {
        Environment env{{"PAUSE_MAIL", "smtp"}, {"PAUSE_MAIL_HOST", "mx.example.org"}};
        for (const char* key : {"ADMIN", "UPLOAD", "TESTERS", "REPLY", "P5P", "CRON"}) {
            env[std::string("PAUSE_MAIL_") + key] = "a@example.org";
        }
        env["PAUSE_MAIL_PORT"] = port;
        if (*user != 0) {
            env["PAUSE_MAIL_USER"] = user;
            env["PAUSE_MAIL_PASSWORD"] = "secret";
        }
        const std::string text = render(env);
        const std::string key = "$ENV{EMAIL_SENDER_TRANSPORT_ssl} = '";
        const auto start = text.find(key);
        return start == std::string::npos
                   ? "none"
                   : text.substr(
                         start + key.size(),
                         text.find('\'', start + key.size()) - start - key.size());
    };
    EXPECT_EQ(encryption("25", ""), "none");
    EXPECT_EQ(encryption("25", "me"), "starttls");
    EXPECT_EQ(encryption("2525", "me"), "starttls");
    EXPECT_EQ(encryption("587", ""), "starttls");
    EXPECT_EQ(encryption("465", "me"), "ssl");
}

TEST(PrivateConfig, QuotesForPerl) {
    const std::string text =
        render({{"PAUSE_RECAPTCHA_SITE_KEY", "it's"}, {"PAUSE_RECAPTCHA_SECRET_KEY", "a\\b$c@d"}});
    EXPECT_THAT(text, HasSubstr("RECAPTCHA_SITE_KEY => 'it\\'s',"));
    EXPECT_THAT(text, HasSubstr("RECAPTCHA_SECRET_KEY => 'a\\\\b$c@d',"));
}

TEST(Passwords, AreLongAndNeverTheSame) {
    std::set<std::string> seen;
    for (int i = 0; i < 100; ++i) {
        const std::string password = random_password(32);
        EXPECT_EQ(password.size(), 32U);
        EXPECT_EQ(
            password.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                       "abcdefghijklmnopqrstuvwxyz0123456789"),
            std::string::npos);
        EXPECT_TRUE(seen.insert(password).second);
    }
}

TEST(Passwords, HashToTheFormThatTheWebAppTakes) {
    const std::string hash = bcrypt_hash("open sesame");
    EXPECT_TRUE(hash.starts_with("$2a$12$")) << hash;
    EXPECT_EQ(hash.size(), 60U);
    EXPECT_TRUE(bcrypt_matches("open sesame", hash));
    EXPECT_FALSE(bcrypt_matches("open sesam", hash));
    EXPECT_FALSE(bcrypt_matches("x", "not a hash"));
}

} // namespace

} // namespace kiln::firstrun
