// SPDX-License-Identifier: MIT
#include "fake_host.hpp"
#include "firstrun/host/answer_sources.hpp"
#include "firstrun/steps/mail.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln::firstrun {

namespace {

using test::FakeHost;
using testing::HasSubstr;
using testing::Not;

Environment settings() {
    Environment env{{"PAUSE_MAIL", "smtp"}, {"PAUSE_MAIL_HOST", "mx.example.org"}};
    for (const char* key : {"ADMIN", "UPLOAD", "TESTERS", "REPLY", "P5P", "CRON"}) {
        env[std::string("PAUSE_MAIL_") + key] = "a@example.org";
    }
    return env;
}

Answers answers(const Environment& env) {
    FakeHost fake;
    Host host = fake.host();
    return gather_answers(host, env, Mode::container);
}

TEST(MailTest, KeepsThePasswordInTheConfigurationFile) {
    Environment env = settings();
    env["PAUSE_MAIL_USER"] = "me";
    env["PAUSE_MAIL_PASSWORD"] = "a\"b\\c";
    env["PAUSE_MAIL_PORT"] = "465";
    const Answers given = answers(env);
    const std::string text = render_mail_test(mail_server(given), given, "/m");
    EXPECT_THAT(text, HasSubstr("url = \"smtps://mx.example.org:465/localhost\"\n"));
    EXPECT_THAT(text, HasSubstr("user = \"me:a\\\"b\\\\c\"\n"));
    EXPECT_THAT(text, HasSubstr("ssl-reqd\n"));
    EXPECT_THAT(text, HasSubstr("mail-rcpt = \"a@example.org\"\n"));
}

TEST(MailTest, NeedsNoTlsForAServerOfThisMachine) {
    Environment env = settings();
    env["PAUSE_MAIL_HOST"] = "localhost";
    const Answers given = answers(env);
    const std::string text = render_mail_test(mail_server(given), given, "/m");
    EXPECT_THAT(text, HasSubstr("smtp://localhost:25/"));
    EXPECT_THAT(text, Not(HasSubstr("ssl-reqd")));
}

TEST(MailStep, TriesTheTransportOncePerSetting) {
    FakeHost fake;
    fake.env = settings();
    fs::create_directories(fake.place("/run/pause"));
    fs::create_directories(fake.place("/data/state"));
    Host host = fake.host();
    const Answers given = gather_answers(host, fake.env, Mode::container);
    const Accounts accounts;
    std::ostringstream err;
    Report report(err);
    Context context{host, given, accounts, Image(), Mode::container, report};
    EXPECT_EQ(mail_needed(context).size(), 1U);
    // What is tried is written as root, whose numbers a test does not have.
    if (::getuid() == 0) {
        apply_mail(context);
        EXPECT_TRUE(mail_needed(context).empty());
        EXPECT_EQ(fake.launcher.commands.back().program, "curl");
    }
}

TEST(Postfix, RelaysWithAPasswordOverTls) {
    const MailServer server{"mx.example.org", "465", "me", "secret"};
    const std::string text = render_postfix(server, "pause.example.org", "robot@example.org");
    EXPECT_THAT(text, HasSubstr("relayhost = [mx.example.org]:465\n"));
    EXPECT_THAT(text, HasSubstr("smtp_tls_wrappermode = yes\n"));
    EXPECT_THAT(text, HasSubstr("smtp_tls_security_level = secure\n"));
    EXPECT_THAT(text, HasSubstr("inet_interfaces = loopback-only\n"));
    EXPECT_THAT(text, HasSubstr("inline:{ upload@pause.perl.org=robot@example.org }\n"));
    EXPECT_THAT(text, Not(HasSubstr("secret")));
    EXPECT_EQ(render_sasl_password(server), "[mx.example.org]:465 me:secret\n");
}

} // namespace

} // namespace kiln::firstrun
