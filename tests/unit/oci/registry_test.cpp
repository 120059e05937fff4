// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "oci/registry/registry.hpp"
#include "support/scripted_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

using test::authorization;
using test::descriptor;
using test::Reply;
using test::ScriptedClient;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class Registry : public testing::Test {
  protected:
    RegistryClient client(std::optional<RegistryCredentials> credentials = std::nullopt) {
        return RegistryClient(http_, {"reg.example", "perl/bundles"}, std::move(credentials), {});
    }

    template <typename Action> static Error failure(Action&& action) {
        try {
            action();
        } catch (const Error& error) {
            return error;
        }
        ADD_FAILURE() << "nothing was thrown";
        return Error("");
    }

    ScriptedClient http_;
};

TEST(RegistryReference, IsTakenApart) {
    const RegistryReference reference =
        parse_registry_reference("127.0.0.1:5000/a/b-c:tag@sha256:" + std::string(64, 'a'));
    EXPECT_EQ(reference.repository.host, "127.0.0.1:5000");
    EXPECT_EQ(reference.repository.name, "a/b-c");
    EXPECT_EQ(reference.tag, "tag");
    ASSERT_TRUE(reference.digest);
    EXPECT_EQ(reference.digest->hex(), std::string(64, 'a'));
    EXPECT_EQ(parse_registry_reference("reg.example/x").tag, "");
}

TEST(RegistryReference, IsRefusedWhenItIsNone) {
    for (const std::string_view text :
         {"", "name", "reg.example/", "reg.example/UPPER", "https://reg.example/x", "a/b:t:t"}) {
        EXPECT_THROW(static_cast<void>(parse_registry_reference(text)), UsageError) << text;
    }
}

TEST_F(Registry, GetsATokenWhereTheChallengeSays) {
    http_.script = [](const HttpRequest& request) -> Reply {
        if (request.url.starts_with("https://auth.example/token")) {
            EXPECT_EQ(authorization(request), "Basic dTpw");
            return {200, R"({"token": "T1"})"};
        }
        if (authorization(request) != "Bearer T1") {
            return {
                401,
                "",
                {{"WWW-Authenticate",
                  R"(Bearer realm="https://auth.example/token",service="reg",scope="repository:x:pull")"}}};
        }
        return {200, "{}"};
    };
    const auto manifest = client(RegistryCredentials{"u", "p"}).manifest("latest");
    ASSERT_TRUE(manifest);
    EXPECT_EQ(manifest->text, "{}");
    EXPECT_THAT(
        http_.seen,
        ElementsAre(
            "GET https://reg.example/v2/perl/bundles/manifests/latest",
            "GET https://auth.example/token?service=reg&scope=repository%3Ax%3Apull",
            "GET https://reg.example/v2/perl/bundles/manifests/latest"));
}

TEST_F(Registry, SaysHowToLogInAndNeverThePassword) {
    http_.script = [](const HttpRequest&) -> Reply {
        return {401, "", {{"www-authenticate", "Basic realm=\"x\""}}};
    };
    const Error without = failure([&] { static_cast<void>(client().manifest("latest")); });
    EXPECT_EQ(without.exit_code(), ExitCode::remote_refused);
    EXPECT_EQ(without.message(), "registry 'reg.example' requires a login");
    EXPECT_THAT(without.hint(), HasSubstr("KILN_REGISTRY_USER"));
    const Error wrong = failure(
        [&] { static_cast<void>(client(RegistryCredentials{"u", "secret"}).manifest("latest")); });
    EXPECT_EQ(wrong.message(), "registry 'reg.example' rejected the login: status 401");
    EXPECT_THAT(wrong.message(), Not(HasSubstr("secret")));
}

TEST_F(Registry, TakesNoManifestButTheOneThatWasAskedFor) {
    http_.script = [](const HttpRequest&) -> Reply { return {200, "other"}; };
    const std::string wanted = sha256("text").to_string();
    const Error error = failure([&] { static_cast<void>(client().manifest(wanted)); });
    EXPECT_EQ(error.exit_code(), ExitCode::remote_refused);
    EXPECT_THAT(error.message(), HasSubstr("for " + wanted));
}

TEST_F(Registry, HasNothingWhereItAnswers404) {
    http_.script = [](const HttpRequest&) -> Reply { return {404, ""}; };
    EXPECT_FALSE(client().manifest("latest"));
    EXPECT_FALSE(client().has_blob(sha256("x")));
}

TEST_F(Registry, TakesNoBlobOfAnotherDigestOrSize) {
    http_.script = [](const HttpRequest&) -> Reply { return {200, "contenT"}; };
    EXPECT_EQ(client().fetch_text(descriptor("contenT")), "contenT");
    EXPECT_THAT(
        failure([&] { static_cast<void>(client().fetch_text(descriptor("content"))); }).message(),
        HasSubstr("the registry sent 7 bytes"));
    EXPECT_THAT(
        failure([&] { static_cast<void>(client().fetch_text(descriptor("con"))); }).message(),
        HasSubstr("is larger than the 3 bytes"));
    const TempDir dir(temporary_root(), "kiln-test");
    EXPECT_THROW(client().fetch_blob(descriptor("content"), dir.path() / "blob"), Error);
    EXPECT_FALSE(fs::exists(dir.path() / "blob"));
}

TEST_F(Registry, LimitsTheTimeOfAnEmptyBlob) {
    std::uint64_t expected = 0;
    http_.script = [&](const HttpRequest& request) -> Reply {
        expected = request.expected_size;
        return {200, ""};
    };
    EXPECT_EQ(client().fetch_text(descriptor("")), "");
    EXPECT_EQ(expected, 1U); // 0 means that the size is not known, and gives an hour
}

TEST_F(Registry, UploadsABlobThatItDoesNotHave) {
    const OciDescriptor blob = descriptor("data");
    http_.script = [&](const HttpRequest& request) -> Reply {
        if (request.method == "HEAD") {
            return {404};
        }
        if (request.method == "POST") {
            return {202, "", {{"Location", "/v2/perl/bundles/blobs/uploads/7?state=x"}}};
        }
        return {201};
    };
    client().push_blob(blob, [] {
        return std::make_unique<MemorySource>(as_byte_span(std::string_view("data")));
    });
    EXPECT_THAT(
        http_.seen,
        ElementsAre(
            "HEAD https://reg.example/v2/perl/bundles/blobs/" + blob.digest.to_string(),
            "POST https://reg.example/v2/perl/bundles/blobs/uploads/",
            "PUT https://reg.example/v2/perl/bundles/blobs/uploads/7?state=x&digest=sha256%3A" +
                blob.digest.hex() + " <- data"));
}

TEST_F(Registry, UploadsElsewhereWithoutTheLogin) {
    const OciDescriptor blob = descriptor("data");
    std::string location = "https://storage.example/bucket/7?sig=x";
    bool told = false;
    http_.script = [&](const HttpRequest& request) -> Reply {
        const bool ours = request.url.starts_with("https://reg.example/");
        EXPECT_EQ(authorization(request), ours && told ? "Basic dTpw" : "") << request.url;
        if (ours && !told) {
            told = true;
            return {401, "", {{"WWW-Authenticate", "Basic realm=\"x\""}}};
        }
        if (request.method == "HEAD") {
            return {404};
        }
        return request.method == "POST" ? Reply{202, "", {{"Location", location}}} : Reply{201};
    };
    const auto push = [&] {
        told = false;
        client(RegistryCredentials{"u", "p"}).push_blob(blob, [] {
            return std::make_unique<MemorySource>(as_byte_span(std::string_view("data")));
        });
    };
    push();
    EXPECT_THAT(
        http_.seen.back(),
        "PUT https://storage.example/bucket/7?sig=x&digest=sha256%3A" + blob.digest.hex() +
            " <- data");
    for (const char* bad :
         {"file:///victim?x=1",
          "http://storage.example/",
          "http://127.0.0.1:8080/",
          "https://localhost/",
          "gopher://a/",
          "https://a/\n"}) {
        location = bad;
        const std::size_t before = http_.seen.size();
        const Error error = failure(push);
        EXPECT_EQ(error.exit_code(), ExitCode::remote_refused) << bad;
        EXPECT_THAT(error.message(), HasSubstr("redirects to")) << bad;
        EXPECT_EQ(http_.seen.size(), before + 3) << bad; // HEAD twice and POST, no PUT
    }
}

TEST_F(Registry, AnswersNoChallengeOfSomebodyElse) {
    http_.script = [](const HttpRequest&) -> Reply {
        return {
            401,
            "",
            {{"WWW-Authenticate", R"(Bearer realm="https://evil.example/token")"}},
            "https://cdn.example/blob"};
    };
    const Error error =
        failure([&] { static_cast<void>(client(RegistryCredentials{"u", "p"}).manifest("x")); });
    EXPECT_EQ(error.exit_code(), ExitCode::remote_refused);
    EXPECT_EQ(error.message(), "registry 'reg.example' rejected the login: status 401");
    EXPECT_EQ(http_.seen.size(), 1U);
}

TEST_F(Registry, SendsTheLoginToNoTokenServerWithoutTls) {
    std::string realm;
    http_.script = [&](const HttpRequest&) -> Reply {
        return {401, "", {{"WWW-Authenticate", "Bearer realm=\"" + realm + "\",service=\"s\""}}};
    };
    for (const char* bad :
         {"file:///etc/passwd",
          "http://auth.example/token",
          "http://127.0.0.1/token",
          "https://127.0.0.1/token",
          "https://a/\r\nX: y",
          "ldap://a/"}) {
        realm = bad;
        http_.seen.clear();
        const Error error = failure(
            [&] { static_cast<void>(client(RegistryCredentials{"u", "p"}).manifest("x")); });
        EXPECT_EQ(error.exit_code(), ExitCode::remote_refused) << bad;
        EXPECT_THAT(error.message(), HasSubstr("redirects to")) << bad;
        EXPECT_EQ(http_.seen.size(), 1U) << bad;
    }
    realm = "";
    EXPECT_EQ(
        failure([&] { static_cast<void>(client().manifest("x")); }).message(),
        "registry 'reg.example' did not name a token server");
}

TEST_F(Registry, RefusesSizesBeforeItAsks) {
    OciDescriptor blob = descriptor("x");
    for (const std::uint64_t size : {std::uint64_t{1} << 62U, ~std::uint64_t{0}}) {
        blob.size = size;
        const TempDir dir(temporary_root(), "kiln-test");
        const Error large = failure([&] { client().fetch_blob(blob, dir.path() / "blob"); });
        EXPECT_EQ(large.exit_code(), ExitCode::remote_refused);
        EXPECT_THAT(large.message(), HasSubstr("is larger than the 64.0 GiB allowed"));
        EXPECT_TRUE(fs::is_empty(dir.path()));
        const Error text = failure([&] { static_cast<void>(client().fetch_text(blob)); });
        EXPECT_THAT(text.message(), HasSubstr("is larger than the 4.0 MiB allowed"));
    }
    EXPECT_TRUE(http_.seen.empty());
}

TEST_F(Registry, TellsWhatTheRegistrySays) {
    http_.script = [](const HttpRequest& request) -> Reply {
        if (request.method == "HEAD") {
            return {404};
        }
        return {
            400, R"({"errors": [{"code": "NAME_INVALID", "message": "invalid repository name"}]})"};
    };
    const Error error =
        failure([&] { client().push_manifest("latest", "{}", media_type::kManifest); });
    EXPECT_EQ(
        error.message(),
        "registry 'reg.example' rejected manifest 'latest': status 400, NAME_INVALID invalid "
        "repository name");
}

TEST_F(Registry, SpeaksWithoutTlsOnThisMachineOnly) {
    http_.script = [](const HttpRequest& request) -> Reply {
        if (request.url.starts_with("https:")) {
            throw TransferError("no TLS here", false);
        }
        return {request.url.ends_with("/v2/") ? 200 : 404};
    };
    RegistryClient local(http_, {"127.0.0.1:5000", "x"}, std::nullopt, {});
    EXPECT_FALSE(local.manifest("latest"));
    EXPECT_EQ(http_.seen.back(), "GET http://127.0.0.1:5000/v2/x/manifests/latest");
    EXPECT_THROW(static_cast<void>(client().manifest("latest")), TransferError);
    // A registry with TLS whose certificate is not trusted is not asked without.
    http_.script = [](const HttpRequest& request) -> Reply {
        if (request.url.starts_with("https:")) {
            throw TransferError("certificate of unknown authority", false);
        }
        return {400};
    };
    RegistryClient remote(http_, {"127.evil.example", "x"}, std::nullopt, {});
    EXPECT_THROW(static_cast<void>(remote.manifest("latest")), TransferError);
    EXPECT_EQ(http_.seen.back(), "GET https://127.evil.example/v2/x/manifests/latest");
    RegistryClient strict(http_, {"127.0.0.1:5000", "x"}, std::nullopt, {});
    EXPECT_EQ(
        failure([&] { static_cast<void>(strict.manifest("latest")); }).message(),
        "certificate of unknown authority");
}

} // namespace
} // namespace kiln
