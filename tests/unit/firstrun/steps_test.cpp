// SPDX-License-Identifier: MIT
//
// Steps on a machine in a temporary directory: needed, applied, not needed any more.
#include "base/error.hpp"
#include "fake_host.hpp"
#include "firstrun/host/answer_sources.hpp"
#include "firstrun/host/locations.hpp"
#include "firstrun/host/schema.hpp"
#include "firstrun/steps/steps.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln::firstrun {

namespace {

using test::FakeHost;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A context whose parts live as long as it does.
class StepTest : public testing::Test {
  protected:
    Context& context() {
        host_ = std::make_unique<Host>(fake.host());
        answers_ = std::make_unique<Answers>(gather_answers(*host_, fake.env, Mode::container));
        accounts_ = Accounts::parse(host_->read("/etc/passwd").value_or(""), "");
        report_ = std::make_unique<Report>(err_);
        context_ = std::make_unique<Context>(
            Context{*host_, *answers_, accounts_, read_image(*host_), Mode::container, *report_});
        return *context_;
    }

    void SetUp() override {
        if (::getuid() != 0) {
            GTEST_SKIP() << "files of root can be made by root only";
        }
    }

    [[nodiscard]] std::string said() const { return err_.str(); }

    FakeHost fake;

  private:
    std::ostringstream err_;
    std::unique_ptr<Host> host_;
    std::unique_ptr<Answers> answers_;
    Accounts accounts_;
    std::unique_ptr<Report> report_;
    std::unique_ptr<Context> context_;
};

TEST_F(StepTest, DirectoriesAreMadeOnce) {
    fs::create_directories(fake.place("/data"));
    EXPECT_EQ(directories_needed(context()).size(), 36U);
    apply_directories(context());
    EXPECT_THAT(directories_needed(context()), IsEmpty());
    fs::permissions(fake.place("/data/state/private"), fs::perms::all);
    EXPECT_THAT(directories_needed(context()), ElementsAre("/data/state/private has mode 777"));
}

TEST_F(StepTest, PrivateConfigFollowsTheAnswersAndKeepsItsPasswords) {
    fs::create_directories(fake.place("/data/state/private"));
    apply_private_config(context());
    EXPECT_THAT(private_config_needed(context()), IsEmpty());
    const std::string before = read_text_file(fake.place(locations::kPrivateConfig));
    fake.env["PAUSE_MINIMUM_FILES"] = "7";
    EXPECT_THAT(
        private_config_needed(context()), ElementsAre("PrivatePAUSE.pm differs from the answers"));
    apply_private_config(context());
    std::string after = read_text_file(fake.place(locations::kPrivateConfig));
    after.replace(after.find("ML_MIN_FILES => 7"), 17, "ML_MIN_FILES => 0");
    EXPECT_EQ(after, before);
}

TEST_F(StepTest, NewPasswordsMakeTheDatabaseStepRunAgain) {
    fake.put(locations::kComplete, "x");
    fs::create_directories(fake.place("/data/state/private"));
    apply_private_config(context());
    EXPECT_FALSE(fs::exists(fake.place(locations::kComplete)));
}

TEST_F(StepTest, CronGetsItsRecipient) {
    fs::create_directories(fake.place("/data/state"));
    EXPECT_THAT(cron_needed(context()), IsEmpty());
    fake.env["PAUSE_MAIL_CRON"] = "cron@example.org";
    EXPECT_EQ(cron_needed(context()).size(), 1U);
    apply_cron(context());
    EXPECT_THAT(cron_needed(context()), IsEmpty());
    EXPECT_EQ(read_text_file(fake.place(locations::kMailCron)), "cron@example.org\n");
    fake.env.erase("PAUSE_MAIL_CRON");
    apply_cron(context());
    EXPECT_FALSE(fs::exists(fake.place(locations::kMailCron)));
}

TEST_F(StepTest, PauseGetsBackWhatRootMadeAmongItsLocks) {
    fake.put(
        "/etc/passwd",
        "root:x:0:0::/root:/bin/sh\npause:x:1100:1100::/home/pause:/bin/sh\n"
        "mysql:x:110:110::/:/bin/sh\n");
    fake.put("/etc/group", "");
    fs::create_directories(fake.place("/data"));
    apply_directories(context());
    fake.put("/data/home/pid/mldistwatch.pid", "");
    fs::create_symlink("/etc/passwd", fake.place("/data/home/pid/link"));
    EXPECT_THAT(
        directories_needed(context()),
        ElementsAre("/data/home/pid/mldistwatch.pid is owned by root"));
    apply_directories(context());
    EXPECT_THAT(directories_needed(context()), IsEmpty());
    EXPECT_EQ(context().host.look("/data/home/pid/mldistwatch.pid")->owner.uid, 1100U);
}

TEST_F(StepTest, HostsKeepTheirOtherLines) {
    fake.put("/etc/hosts", "127.0.0.1\tlocalhost\n127.0.1.1\told\n::1\tip6-localhost\n");
    fake.env["PAUSE_HOSTNAME"] = "pause.example.org";
    EXPECT_THAT(hostname_needed(context()), testing::Contains(HasSubstr("/etc/hosts")));
}

TEST_F(StepTest, FinishRemembersImageAndAnswers) {
    fake.put(locations::kImage, R"({"name":"pause","id":"abc","schema":"2026-04","standin":true})");
    fake.env["PAUSE_HOSTNAME"] = "a.org";
    fs::create_directories(fake.place("/data/state"));
    EXPECT_EQ(finish_needed(context()).size(), 3U);
    EXPECT_TRUE(context().is_adopting());
    apply_finish(context());
    EXPECT_THAT(finish_needed(context()), IsEmpty());
    EXPECT_FALSE(context().is_adopting());
    // The tables keep their level until somebody changes them.
    fake.put(locations::kImage, R"({"name":"pause","id":"def","schema":"2027-01","standin":true})");
    apply_finish(context());
    EXPECT_EQ(read_volume_image(context().host)->schema, "2026-04");
    EXPECT_EQ(read_volume_image(context().host)->id, "def");
}

/// A container whose web server runs; openssl and nginx say what the test wants.
class CertificateTest : public StepTest {
  protected:
    void SetUp() override {
        StepTest::SetUp();
        fs::create_directories(fake.place("/run"));
        fs::create_directories(fake.place(locations::kTls));
        fs::create_directories(fake.place("/data/state/nginx"));
        fake.put("/usr/bin/sv", "");
        fs::permissions(fake.place("/usr/bin/sv"), fs::perms::owner_all);
        fake.env["PAUSE_HOSTNAME"] = "pause.example.org";
        fake.launcher.answers["sv"] = [this](const Command& command) {
            ProcessResult result;
            result.output = command.args.front() == "status" ? server : "";
            return result;
        };
        fake.launcher.answers["nginx"] = [this](const Command&) {
            ProcessResult result;
            result.exit_status = nginx;
            return result;
        };
        fake.launcher.answers["openssl"] = [](const Command& command) {
            ProcessResult result;
            result.output = "notAfter=Jan  1 00:00:00 2099 GMT\nKEY\n";
            if (command.args.back() == "old.example.org") {
                result.output = "Hostname old.example.org does NOT match certificate\n";
            } else if (command.args.front() == "pkey") {
                result.output = "KEY\n";
            }
            return result;
        };
    }

    void give(const std::string& text) {
        const std::string head = "-----BEGIN CERTIFICATE-----\n";
        fake.env["PAUSE_CERTIFICATE"] = "files";
        fake.env["PAUSE_CERTIFICATE_FILE"] = head + text + "\n-----END CERTIFICATE-----\n";
        fake.env["PAUSE_CERTIFICATE_KEY"] =
            "-----BEGIN PRIVATE KEY-----\n" + text + "\n-----END PRIVATE KEY-----\n";
    }

    std::vector<std::string> started(const std::string& program) {
        std::vector<std::string> out;
        for (const Command& command : fake.launcher.commands) {
            if (command.program == program && command.args.front() != "status") {
                out.push_back(command.args.front());
            }
        }
        fake.launcher.commands.clear();
        return out;
    }

    std::string server = "run: /etc/pause/sv/nginx: (pid 7) 9s\n";
    int nginx = 0;
};

TEST_F(CertificateTest, IsReadByTheRunningWebServer) {
    give("one");
    apply_certificate(context());
    EXPECT_THAT(started("sv"), ElementsAre("hup"));
    EXPECT_THAT(certificate_needed(context()), IsEmpty());
    EXPECT_THAT(read_text_file(fake.place(locations::kCertificate)), HasSubstr("one"));
    fake.env["PAUSE_HOSTNAME"] = "new.example.org";
    apply_certificate(context());
    EXPECT_THAT(started("sv"), ElementsAre("hup"));
}

TEST_F(CertificateTest, WaitsForNoWebServerThatIsDown) {
    give("one");
    server = "down: /etc/pause/sv/nginx: 9s\n";
    apply_certificate(context());
    EXPECT_THAT(started("sv"), IsEmpty());
    EXPECT_THAT(certificate_needed(context()), IsEmpty());
}

TEST_F(CertificateTest, BeforeIsPutBackWhenTheWebServerRefusesTheNewOne) {
    give("one");
    apply_certificate(context());
    const std::string config = read_text_file(fake.place(locations::kServerConfig));
    give("two");
    fake.env["PAUSE_HOSTNAME"] = "new.example.org";
    nginx = 1;
    EXPECT_THROW(apply_certificate(context()), Error);
    EXPECT_THAT(read_text_file(fake.place(locations::kCertificate)), HasSubstr("one"));
    EXPECT_THAT(read_text_file(fake.place(locations::kCertificateKey)), HasSubstr("one"));
    EXPECT_EQ(read_text_file(fake.place(locations::kServerConfig)), config);
    EXPECT_THAT(
        certificate_needed(context()), testing::Contains("the answers set another certificate"));
}

TEST_F(CertificateTest, IsReadAfterARunThatWasKilled) {
    give("one");
    apply_certificate(context());
    started("sv");
    fake.put(locations::kReloadWebServer, "");
    EXPECT_THAT(
        certificate_needed(context()),
        ElementsAre("the web server has not read its certificate again"));
    apply_certificate(context());
    EXPECT_THAT(started("sv"), ElementsAre("hup"));
    EXPECT_THAT(certificate_needed(context()), IsEmpty());
}

TEST_F(CertificateTest, WarnsOfNamesThatItLacks) {
    give("one");
    fake.env["PAUSE_CERTIFICATE_NAMES"] = "old.example.org";
    apply_certificate(context());
    EXPECT_THAT(said(), HasSubstr("warning: the certificate does not cover old.example.org:"));
    EXPECT_THAT(said(), testing::Not(HasSubstr("pause.example.org")));
}

/// Answers questions about tables from a script, and notes the statements.
class SchemaTest : public testing::Test {
  protected:
    void SetUp() override {
        fake.launcher.answers["mariadb"] = [this](const Command& command) {
            ProcessResult result;
            if (command.input.starts_with("SELECT")) {
                result.output = tables;
            } else {
                statements.push_back(command.input);
            }
            return result;
        };
    }

    void load() {
        Host host = fake.host();
        Sql sql(host, "/socket");
        load_schema(sql, "mod", "CREATE TABLE a (b int);\n");
    }

    FakeHost fake;
    std::string tables;
    std::vector<std::string> statements;
};

TEST_F(SchemaTest, GoesThroughADatabaseOfItsOwn) {
    load();
    EXPECT_THAT(
        statements,
        ElementsAre(
            HasSubstr("CREATE DATABASE `first_run_mod`"),
            "CREATE TABLE a (b int);\n",
            "DROP DATABASE `first_run_mod`;\n"));
}

TEST_F(SchemaTest, IsNeverLoadedOverTables) {
    tables = "mod\tusers\n";
    load();
    EXPECT_THAT(statements, IsEmpty());
}

TEST_F(SchemaTest, FinishesAMoveThatWasCutShort) {
    tables = "mod\tusers\nfirst_run_mod\tusers\nfirst_run_mod\turis\n";
    load();
    EXPECT_THAT(
        statements,
        ElementsAre(
            "RENAME TABLE `first_run_mod`.`uris` TO `mod`.`uris`;\n",
            "DROP DATABASE `first_run_mod`;\n"));
}

} // namespace

} // namespace kiln::firstrun
