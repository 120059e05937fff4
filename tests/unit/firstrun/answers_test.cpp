// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "fake_host.hpp"
#include "firstrun/answers/answers_yaml.hpp"
#include "firstrun/host/answer_sources.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln::firstrun {

namespace {

using test::FakeHost;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::vector<std::string> faults_of(const std::string& yaml) {
    Faults faults;
    const std::vector<AnswerSource> sources{
        {"file", parse_answers("a.yaml", yaml, OtherKeys::refused, faults)}};
    static_cast<void>(Answers::choose(sources, Mode::machine, faults));
    return faults.lines();
}

TEST(AnswersYaml, TakesTheMapAndItsLists) {
    Faults faults;
    const auto given = parse_answers(
        "a.yaml",
        "pause:\n  hostname: a.b\n  mail_port: 25\n  authorized_keys: [one, two]\n",
        OtherKeys::refused,
        faults);
    EXPECT_TRUE(faults.empty());
    ASSERT_EQ(given.size(), 3U);
    EXPECT_EQ(given[0].where, "a.yaml:2:13");
    EXPECT_EQ(given[1].value, "25");
    EXPECT_EQ(given[2].value, "one\ntwo");
}

TEST(AnswersYaml, NamesTheLineAndColumnOfEveryFault) {
    EXPECT_THAT(
        faults_of("pause:\n  hostnam: x\n  mail: pigeon\n  admin_user:\n  mail: smtp\nother: 1\n"),
        testing::UnorderedElementsAre(
            "a.yaml:2:3: unknown key 'hostnam' (did you mean 'hostname'?)",
            "a.yaml:3:9: mail 'pigeon' is not one of maildir, smtp, relay",
            "a.yaml:4:3: admin_user has no value",
            "a.yaml:5:3: duplicate key 'mail'",
            "a.yaml:6:1: unknown key 'other' (answers go below 'pause:')"));
}

TEST(AnswersYaml, NeverRepeatsASecret) {
    const auto faults = faults_of("pause:\n  signing_key: hunter2\n  deploy_key: hunter3\n");
    ASSERT_EQ(faults.size(), 2U);
    for (const std::string& fault : faults) {
        EXPECT_THAT(fault, Not(HasSubstr("hunter")));
    }
}

TEST(AnswersYaml, RefusesWhatIsNoMap) {
    EXPECT_THAT(faults_of("- a\n"), ElementsAre(HasSubstr("must be a map")));
    EXPECT_THAT(faults_of("pause: [a]\n"), ElementsAre(HasSubstr("must be a map of answers")));
    EXPECT_THAT(faults_of("pause: {hostname: [a]}\n"), ElementsAre(HasSubstr("must be one value")));
    EXPECT_THAT(faults_of("pause:\n\t- x\n"), ElementsAre(HasSubstr("is not valid YAML")));
    EXPECT_TRUE(faults_of("").empty());
    EXPECT_TRUE(faults_of("pause:\n").empty());
}

TEST(AnswerSources, TheStrongerOneWinsAndIsNamed) {
    FakeHost fake;
    fake.put("/etc/pause/first-run.yaml", "pause: {hostname: image.org, admin_user: IMAGE}\n");
    fake.put("/data/state/answers.yaml", "pause:\n  hostname: volume.org\n  mail_port: 26\n");
    fake.put("/run/secrets/pause_hostname", "secret.org\n");
    fake.put("/run/secrets/other", "x");
    fake.put("/credentials/pause.admin_password", "from systemd\n");
    fake.env = {
        {"PAUSE_HOSTNAME", "env.org"},
        {"PAUSE_MAIL_PORT", ""},
        {"PAUSE_ROOT", "/data"},
        {"PAUSE_SERVICE_HOST", "10.0.0.1"},
        {"PAUSE_PORT_80_TCP_ADDR", "10.0.0.1"},
        {"CREDENTIALS_DIRECTORY", "/credentials"}};
    Host host = fake.host();
    const Answers answers = gather_answers(host, fake.env, Mode::container);
    EXPECT_EQ(answers.text(Key::hostname), "env.org");
    EXPECT_EQ(answers.source(Key::hostname), "environment PAUSE_HOSTNAME");
    EXPECT_EQ(answers.text(Key::admin_password), "from systemd");
    EXPECT_EQ(answers.source(Key::admin_password), "/credentials/pause.admin_password");
    EXPECT_EQ(answers.text(Key::mail_port), "26");
    EXPECT_EQ(answers.text(Key::admin_user), "IMAGE");
    EXPECT_FALSE(answers.is_given(Key::admin_user));
    EXPECT_EQ(answers.source(Key::mail), "default");
}

TEST(AnswerSources, VariablesMayNameFiles) {
    FakeHost fake;
    fake.put("/key", "secret\n");
    fake.env = {
        {"PAUSE_ADMIN_PASSWORD_FILE", "/key"},
        {"PAUSE_CERTIFICATE_FILE", "/cert.pem"},
        {"PAUSE_CERTIFICATE_KEY", "/key.pem"}};
    Host host = fake.host();
    const Answers answers = gather_answers(host, fake.env, Mode::container);
    EXPECT_EQ(answers.text(Key::admin_password), "secret");
    EXPECT_EQ(answers.text(Key::certificate_file), "/cert.pem");
}

TEST(AnswerSources, DefaultsDependOnThePlace) {
    FakeHost fake;
    Host host = fake.host();
    EXPECT_EQ(gather_answers(host, {}, Mode::container).text(Key::hostname), "localhost");
    EXPECT_EQ(gather_answers(host, {}, Mode::machine).text(Key::hostname), "pause.localdomain");
}

std::vector<std::string> faults_together(const Environment& env, Mode mode) {
    FakeHost fake;
    Host host = fake.host();
    try {
        static_cast<void>(gather_answers(host, env, mode));
        return {};
    } catch (const Error& error) {
        EXPECT_EQ(error.exit_code(), ExitCode::invalid_recipe);
        return error.details();
    }
}

TEST(AnswerRules, HoldBetweenAnswers) {
    EXPECT_EQ(faults_together({{"PAUSE_MAIL", "smtp"}}, Mode::machine).size(), 7U);
    EXPECT_THAT(
        faults_together({{"PAUSE_CERTIFICATE", "acme"}}, Mode::machine),
        ElementsAre(HasSubstr("certificate 'acme' needs the answer 'acme_email'")));
    EXPECT_THAT(
        faults_together({{"PAUSE_DEPLOY_KEY", "/x"}}, Mode::machine),
        ElementsAre(HasSubstr("'deploy_key' needs 'git_remote'")));
    EXPECT_THAT(
        faults_together({{"PAUSE_RECAPTCHA_SITE_KEY", "x"}}, Mode::machine),
        ElementsAre(HasSubstr("'recaptcha_site_key' needs 'recaptcha_secret_key'")));
    EXPECT_THAT(
        faults_together({{"PAUSE_VOLUME", "root"}}, Mode::container),
        ElementsAre(HasSubstr("'volume' is for VMs only")));
    EXPECT_TRUE(faults_together({{"PAUSE_VOLUME", "root"}}, Mode::machine).empty());
}

TEST(RememberedAnswers, AreThoseThatLaterImagesNeed) {
    FakeHost fake;
    fake.put("/etc/pause/first-run.yaml", "pause: {admin_user: IMAGE}\n");
    const Environment env{
        {"PAUSE_HOSTNAME", "a.org"},
        {"PAUSE_ADMIN_PASSWORD", "once"},
        {"PAUSE_MAIL_USER", "quote\"back\\slash"},
        {"PAUSE_MAIL_PASSWORD", "kept"}};
    Host host = fake.host();
    const std::string text = render_remembered(gather_answers(host, env, Mode::container));
    EXPECT_THAT(text, HasSubstr("hostname: \"a.org\""));
    EXPECT_THAT(text, HasSubstr("mail_password: \"kept\""));
    EXPECT_THAT(text, Not(HasSubstr("once")));
    EXPECT_THAT(text, Not(HasSubstr("IMAGE")));
    fake.put("/data/state/answers.yaml", text);
    const Answers again = gather_answers(host, {}, Mode::container);
    EXPECT_EQ(again.text(Key::mail_user), "quote\"back\\slash");
    EXPECT_EQ(render_remembered(again), text);
}

} // namespace

} // namespace kiln::firstrun
