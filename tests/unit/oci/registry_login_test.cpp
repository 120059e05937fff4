// SPDX-License-Identifier: MIT
// Challenges, scopes, tokens, and where logins are kept.
#include "base/error.hpp"
#include "base/io/file.hpp"
#include "oci/registry/registry.hpp"
#include "oci/registry/registry_challenge.hpp"
#include "oci/registry/registry_login.hpp"
#include "support/fake_http_client.hpp"
#include "support/fake_process_runner.hpp"
#include "support/scripted_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

using test::authorization;
using test::FakeProcessRunner;
using test::impatient;
using test::Reply;
using test::ScriptedClient;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::optional<RegistryCredentials> find_login(const std::string& host, const Environment& env) {
    FakeProcessRunner none;
    return find_registry_credentials({host, "x/y"}, env, none);
}

TEST(AuthChallenge, IsTakenApart) {
    const auto found = parse_challenges(
        R"(Bearer realm="https://a/t?x=1,2",service="a \"b\"" , scope="repository:x:pull,push repository:y:pull", Basic realm=plain)");
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].scheme, "bearer");
    EXPECT_EQ(found[0].parameter("realm"), "https://a/t?x=1,2");
    EXPECT_EQ(found[0].parameter("service"), "a \"b\"");
    EXPECT_EQ(found[0].parameter("scope"), "repository:x:pull,push repository:y:pull");
    EXPECT_EQ(found[0].parameter("error"), "");
    EXPECT_EQ(found[1].scheme, "basic");
    EXPECT_EQ(found[1].parameter("realm"), "plain");
}

TEST(AuthChallenge, EndsWhereTheGrammarDoes) {
    for (const std::string_view text : {"", ",, ,", "\"", "=", "realm=x", "Bearer realm=\"x"}) {
        for (const AuthChallenge& each : parse_challenges(text)) {
            EXPECT_TRUE(each.parameters.empty()) << text;
        }
    }
    const auto found = parse_challenges("Negotiate YWJj==, Basic realm=\"x\"");
    ASSERT_FALSE(found.empty());
    EXPECT_EQ(found.front().scheme, "negotiate");
    EXPECT_EQ(found.back().scheme, "basic");
    EXPECT_EQ(found.back().parameter("realm"), "x");
}

TEST(AuthChallenge, IsFoundInAnyHeader) {
    HttpResponse response;
    response.headers = {
        {"WWW-Authenticate", "Negotiate"}, {"www-authenticate", "BEARER realm=\"r\""}};
    EXPECT_EQ(find_challenge(response, "bearer")->parameter("realm"), "r");
    EXPECT_FALSE(find_challenge(response, "basic"));
}

TEST(RegistryScopes, AreJoinedByResource) {
    RegistryScopes scopes;
    scopes.add("repository:x/y:pull repository:host:5000/z:pull,push");
    scopes.add("repository:x/y:push nonsense repository:: :pull");
    scopes.add("registry:catalog:*");
    EXPECT_THAT(
        scopes.list(),
        ElementsAre(
            "registry:catalog:*",
            "repository::",
            "repository:host:5000/z:pull,push",
            "repository:x/y:pull,push"));
}

/// A registry at https://reg.example/ whose tokens come from https://auth.example/token.
class Login : public testing::Test {
  protected:
    static HttpResponse challenge(const std::string& scope) {
        HttpResponse response;
        response.status = 401;
        response.headers = {
            {"WWW-Authenticate",
             "Bearer realm=\"https://auth.example/token\",service=\"s\",scope=\"" + scope + "\""}};
        return response;
    }

    RegistryLogin
    login(std::optional<RegistryCredentials> credentials = RegistryCredentials{"u", "p"}) {
        return RegistryLogin(http_, "reg.example", std::move(credentials), impatient());
    }

    /// Tokens "T1", "T2", ... that hold for so many seconds.
    void give_tokens(int seconds) {
        http_.script = [this, seconds](const HttpRequest&) -> Reply {
            return {
                200,
                R"({"token": "T)" + std::to_string(http_.seen.size()) + R"(", "expires_in": )" +
                    std::to_string(seconds) + "}"};
        };
    }

    ScriptedClient http_;
    Url base_ = *Url::parse("https://reg.example/");
};

TEST_F(Login, AsksForAllThatWasEverWanted) {
    give_tokens(300);
    RegistryLogin own = login();
    own.want("repository:x:pull,push");
    EXPECT_EQ(own.current(base_), "");
    EXPECT_EQ(own.answer(challenge("repository:x:pull"), "", base_), "Bearer T1");
    EXPECT_EQ(own.current(base_), "Bearer T1");
    EXPECT_EQ(own.answer(challenge("repository:z:pull"), "Bearer T1", base_), "Bearer T2");
    EXPECT_THAT(
        http_.seen,
        ElementsAre(
            "GET https://auth.example/token?service=s&scope=repository%3Ax%3Apull%2Cpush",
            "GET https://auth.example/token?service=s&scope=repository%3Ax%3Apull%2Cpush&scope="
            "repository%3Az%3Apull"));
}

TEST_F(Login, RenewsATokenThatIsAboutToExpire) {
    give_tokens(0);
    RegistryLogin own = login();
    EXPECT_EQ(own.answer(challenge("repository:x:pull"), "", base_), "Bearer T1");
    EXPECT_EQ(own.current(base_), "Bearer T2");
}

TEST_F(Login, TakesTheTokenThatAnotherThreadGot) {
    give_tokens(300);
    RegistryLogin own = login();
    EXPECT_EQ(own.answer(challenge("repository:x:pull"), "", base_), "Bearer T1");
    EXPECT_EQ(own.answer(challenge("repository:x:pull"), "", base_), "Bearer T1");
    EXPECT_EQ(http_.seen.size(), 1U);
}

TEST_F(Login, AsksForLessWhenAllIsRefused) {
    http_.script = [](const HttpRequest& request) -> Reply {
        return request.url.find("other") == std::string::npos
                   ? Reply{200, R"({"access_token": "T"})"}
                   : Reply{403, "<html>"};
    };
    RegistryLogin own = login();
    own.want("repository:other:pull");
    EXPECT_EQ(own.answer(challenge("repository:x:pull"), "", base_), "Bearer T");
    EXPECT_EQ(http_.seen.size(), 2U);
}

TEST_F(Login, TriesABusyTokenServerAgain) {
    http_.script = [this](const HttpRequest&) -> Reply {
        return http_.seen.size() < 3 ? Reply{503, "<html>busy</html>"}
                                     : Reply{200, R"({"token": "T"})"};
    };
    RegistryLogin own = login();
    EXPECT_EQ(own.answer(challenge("repository:x:pull"), "", base_), "Bearer T");
}

TEST_F(Login, ExchangesAnIdentityToken) {
    give_tokens(300);
    RegistryLogin own = login(RegistryCredentials{"", "", "identity&1"});
    EXPECT_EQ(own.answer(challenge("repository:x:pull"), "", base_), "Bearer T1");
    EXPECT_THAT(
        http_.seen,
        ElementsAre(
            "POST https://auth.example/token <- grant_type=refresh_token&client_id=kiln&service=s&"
            "scope=repository%3Ax%3Apull&refresh_token=identity%261"));
}

TEST_F(Login, RepeatsNoPasswordThatWasRefused) {
    HttpResponse basic;
    basic.headers = {{"WWW-Authenticate", "Basic realm=\"x\""}};
    RegistryLogin own = login();
    EXPECT_EQ(own.answer(basic, "", base_), "Basic dTpw");
    EXPECT_EQ(own.answer(basic, "Basic dTpw", base_), "");
    EXPECT_TRUE(http_.seen.empty());
}

TEST(RegistryCredentials, AreFoundWhereLoginsLieAndInTheEnvironment) {
    const TempDir dir(temporary_root(), "kiln-test");
    write_file(
        dir.path() / "config.json",
        R"({"auths": {"reg.example": {"auth": "YmFrZXI6bG9hZiAmIGNydW1i"}}})");
    const Environment env{{"DOCKER_CONFIG", dir.path().string()}};
    const auto found = find_login("reg.example", env);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->user, "baker");
    EXPECT_EQ(found->password, "loaf & crumb");
    EXPECT_FALSE(find_login("other.example", env));
    const auto told = find_login(
        "reg.example",
        {{"KILN_REGISTRY_USER", "me"},
         {"KILN_REGISTRY_PASSWORD", "secret"},
         {"KILN_REGISTRY_HOST", "REG.example:443"}});
    ASSERT_TRUE(told);
    EXPECT_EQ(told->user, "me");
    write_file(dir.path() / "config.json", "{");
    EXPECT_THROW(static_cast<void>(find_login("reg.example", env)), Error);
}

TEST(RegistryCredentials, OfTheEnvironmentAreForOneHost) {
    Environment env{{"KILN_REGISTRY_USER", "me"}, {"KILN_REGISTRY_PASSWORD", "secret"}};
    try {
        static_cast<void>(find_login("reg.example", env));
        FAIL() << "no exception";
    } catch (const UsageError& error) {
        EXPECT_THAT(
            error.message(), HasSubstr("KILN_REGISTRY_USER is set, but KILN_REGISTRY_HOST is not"));
        EXPECT_EQ(error.exit_code(), ExitCode::usage);
        EXPECT_THAT(error.hint(), HasSubstr("KILN_REGISTRY_HOST=reg.example"));
    }
    env["KILN_REGISTRY_HOST"] = "reg.example:5000";
    EXPECT_TRUE(find_login("reg.example:5000", env));
    for (const char* other :
         {"reg.example", "reg.example:5001", "evil.example", "reg.example.evil.example:5000"}) {
        EXPECT_FALSE(find_login(other, env)) << other;
    }
}

ProcessResult exits(int status, std::string output, std::string errors = {}) {
    return {.exit_status = status, .output = std::move(output), .errors = std::move(errors)};
}

class ScriptedRunner final : public ProcessRunner {
  public:
    std::function<ProcessResult(const Command&)> script;

    ProcessResult run(const Command& command) override { return script(command); }
};

class CredentialFiles : public testing::Test {
  protected:
    CredentialFiles() {
        write_file(dir_.path() / "docker-credential-toy", "", 0755);
        env_ = {{"DOCKER_CONFIG", dir_.path().string()}, {"PATH", dir_.path().string()}};
    }

    void config(const std::string& text) { write_file(dir_.path() / "config.json", text); }

    std::optional<RegistryCredentials>
    find(const std::string& host, const std::string& name = "x/y") {
        return find_registry_credentials({host, name}, env_, processes_);
    }

    TempDir dir_{temporary_root(), "kiln-test"};
    Environment env_;
    ScriptedRunner processes_;
};

TEST_F(CredentialFiles, AskTheHelperOfTheHost) {
    config(R"({"credHelpers": {"reg.example": "toy"}, "credsStore": "other"})");
    env_["KILN_REGISTRY_PASSWORD"] = "secret";
    processes_.script = [](const Command& command) -> ProcessResult {
        EXPECT_THAT(command.args, ElementsAre("get"));
        EXPECT_EQ(command.input, "reg.example\n");
        EXPECT_FALSE(command.env.contains("KILN_REGISTRY_PASSWORD"));
        return exits(0, R"({"ServerURL": "x", "Username": "me", "Secret": "s"})");
    };
    const auto found = find("reg.example");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->user + ":" + found->password, "me:s");
}

TEST_F(CredentialFiles, AskTheStoreForDockersOldName) {
    config(R"({"credsStore": "toy"})");
    processes_.script = [](const Command& command) -> ProcessResult {
        EXPECT_EQ(command.input, "https://index.docker.io/v1/\n");
        return exits(0, R"({"Username": "<token>", "Secret": "identity"})");
    };
    const auto found = find("docker.io");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->identity_token, "identity");
}

TEST_F(CredentialFiles, GoOnWhenTheHelperHasNothing) {
    config(R"({"credsStore": "toy", "auths": {"reg.example": {"auth": "bWU6cw=="}}})");
    processes_.script = [](const Command&) -> ProcessResult {
        return exits(1, "credentials not found in native keychain\n");
    };
    EXPECT_EQ(find("reg.example")->user, "me");
}

TEST_F(CredentialFiles, SayNothingOfWhatAHelperPrinted) {
    config(R"({"credsStore": "toy"})");
    for (const ProcessResult& result :
         {exits(1, "secret\n", "secret"), exits(0, "{\"Secret\": \"secret\"}")}) {
        processes_.script = [&](const Command&) { return result; };
        try {
            static_cast<void>(find("reg.example"));
            FAIL() << "no exception";
        } catch (const Error& error) {
            EXPECT_THAT(error.message(), HasSubstr("credential helper 'docker-credential-toy'"));
            EXPECT_THAT(error.message() + error.hint(), Not(HasSubstr("secret")));
        }
    }
    for (const char* name : {"missing", "../toy", "a b", "/toy"}) {
        config(std::string(R"({"credsStore": ")") + name + "\"}");
        EXPECT_THROW(static_cast<void>(find("reg.example")), Error) << name;
    }
}

TEST_F(CredentialFiles, TakeTheLongestName) {
    config(R"({"auths": {"reg.example": {"auth": "bWU6cw=="},
                         "reg.example/x": {"auth": "eW91OnM="},
                         "https://old.example/v1/": {"identitytoken": "t"}}})");
    EXPECT_EQ(find("reg.example", "x/y")->user, "you");
    EXPECT_EQ(find("reg.example", "xx/y")->user, "me");
    EXPECT_EQ(find("old.example")->identity_token, "t");
    EXPECT_FALSE(find("else.example"));
}

TEST_F(CredentialFiles, MayHoldThePasswordAlone) {
    write_file(dir_.path() / "password", "s e\nmore");
    env_ = {
        {"KILN_REGISTRY_HOST", "reg.example"},
        {"KILN_REGISTRY_USER", "me"},
        {"KILN_REGISTRY_PASSWORD_FILE", (dir_.path() / "password").string()}};
    EXPECT_EQ(find("reg.example")->password, "s e");
}

} // namespace
} // namespace kiln
