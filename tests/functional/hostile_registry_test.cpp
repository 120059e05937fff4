// SPDX-License-Identifier: MIT
// A registry that does what none may: whatever it answers, kiln ends soon, with an error of its own
// and exit code 5 (1 when a transfer broke off), and a file of the host is what it was.
#include "base/error.hpp"
#include "base/file.hpp"
#include "pipeline/artifact_registry.hpp"
#include "support/fake_http_client.hpp"
#include "support/script_server.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <sstream>

namespace kiln {
namespace {

using test::ScriptServer;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using Connection = ScriptServer::Connection;
using Request = ScriptServer::Request;

constexpr std::string_view kSecret = "dTpw"; // "u:p" in base64

const Digest& key() {
    static const Digest kKey = sha256("the key of what went in");
    return kKey;
}

std::string descriptor(std::string_view type, std::string_view content, std::string size = "") {
    return fmt::format(
        R"({{"mediaType": "{}", "digest": "{}", "size": {}}})",
        type,
        sha256(content).to_string(),
        size.empty() ? std::to_string(content.size()) : size);
}

/// A manifest of an artifact with this config and layer, both as JSON.
std::string manifest(const std::string& config, const std::string& layer) {
    return fmt::format(
        R"({{"schemaVersion": 2, "artifactType": "{}", "config": {}, "layers": [{}]}})",
        media_type::kArtifact,
        config,
        layer);
}

std::string config_text(const std::string& name = "core") {
    return fmt::format(
        R"({{"name": "{}", "kind": "program", "key": "{}", "tree": "{}", "libraries": [], "parts": []}})",
        name,
        key().to_string(),
        sha256("a tree").to_string());
}

std::string config_of(const std::string& text) {
    return descriptor(media_type::kArtifactConfig, text);
}

std::string layer_of(const std::string& text, const std::string& size = "") {
    return descriptor(media_type::kLayerZstd, text, size);
}

class HostileRegistry : public testing::Test {
  protected:
    HostileRegistry() { write_file(dir_.path() / "victim", "of the host"); }

    ~HostileRegistry() override {
        EXPECT_EQ(read_text_file(dir_.path() / "victim"), "of the host");
        EXPECT_TRUE(store_.list().empty());
    }

    [[nodiscard]] std::string victim() const {
        return "file://" + (dir_.path() / "victim").string();
    }

    static HttpOptions hasty() {
        HttpOptions options;
        options.stall_timeout = std::chrono::seconds(2);
        options.time_beside_size = std::chrono::seconds(6);
        return options;
    }

    RegistryClient client(const std::string& host) {
        return RegistryClient(
            http_, {host, "x"}, RegistryCredentials{"u", "p"}, test::impatient(1));
    }

    template <typename Action> static Error failure(Action&& action) {
        const auto begin = std::chrono::steady_clock::now();
        try {
            action();
        } catch (const Error& error) {
            EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(9));
            return error;
        } // anything else, such as an exception of a library, ends the test
        ADD_FAILURE() << "no exception";
        return Error("none");
    }

    /// `script` answers all but the first question of every client.
    static ScriptServer::Script registry(ScriptServer::Script script) {
        return [script = std::move(script)](const Request& request, Connection& connection) {
            if (request.target == "/v2/") {
                connection.answer(200, "{}");
            } else {
                script(request, connection);
            }
        };
    }

    Error pull(const ScriptServer::Script& script, const std::string& reference = "tag") {
        const ScriptServer server(registry(script));
        RegistryClient registry = client(server.host());
        return failure([&] {
            static_cast<void>(pull_artifact(reference, key(), registry, store_, console_));
        });
    }

    /// A registry with this manifest and these blobs, by content.
    Error pull_of(const std::string& text, const std::vector<std::string>& blobs = {}) {
        return pull([&](const Request& request, Connection& connection) {
            if (request.target == "/v2/x/manifests/tag") {
                connection.answer(200, text);
                return;
            }
            for (const std::string& blob : blobs) {
                if (request.target == "/v2/x/blobs/" + sha256(blob).to_string()) {
                    connection.answer(200, blob);
                    return;
                }
            }
            connection.answer(404, "");
        });
    }

    /// An upload after which `location` is named.
    Error push(const std::string& location) {
        const ScriptServer server(registry([&](const Request& request, Connection& connection) {
            if (request.method == "POST") {
                connection.answer(202, "", "Location: " + location + "\r\n");
            } else {
                connection.answer(404, "");
            }
        }));
        const Error error = failure([&] { push_to(server.host()); });
        for (const Request& request : server.requests()) {
            EXPECT_NE(request.method, "PUT");
        }
        return error;
    }

    void push_to(const std::string& host) {
        client(host).push_blob({"x", sha256("data"), 4}, [] {
            return std::make_unique<MemorySource>(as_byte_span(std::string_view("data")));
        });
    }

    /// A registry that sends to `realm` for a token.
    Error ask(const std::string& realm) {
        return pull([&](const Request&, Connection& connection) {
            connection.answer(
                401, "", "WWW-Authenticate: Bearer realm=\"" + realm + "\",service=\"s\"\r\n");
        });
    }

    /// A registry whose token server answers so.
    Error token(int status, const std::string& answer) {
        ScriptServer server([&](const Request& request, Connection& connection) {
            if (request.target.starts_with("/token")) {
                connection.answer(status, answer);
            } else {
                EXPECT_EQ(request.header("Authorization"), "");
                connection.answer(
                    request.target == "/v2/" ? 200 : 401,
                    "",
                    "WWW-Authenticate: Bearer realm=\"/token\",service=\"s\"\r\n");
            }
        });
        RegistryClient registry = client(server.host());
        return failure([&] { static_cast<void>(registry.manifest("tag")); });
    }

    TempDir dir_{temporary_root(), "kiln-test"};
    Store store_{dir_.path() / "store"};
    CurlHttpClient http_{hasty()};
    std::ostringstream log_;
    Console console_{log_, {}};
};

void expect_refused(const Error& error, const std::string& words) {
    EXPECT_EQ(error.exit_code(), ExitCode::remote_refused) << error.message();
    EXPECT_THAT(error.message(), HasSubstr(words));
    EXPECT_THAT(error.message(), AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("json.exception"))));
    EXPECT_LT(error.message().size(), 2000U);
}

TEST_F(HostileRegistry, NamesAFileForAnUpload) {
    expect_refused(push(victim() + "?x=1"), "file: URLs are not allowed here");
    expect_refused(push("FILE:///" + victim().substr(7) + "?x=1"), "file: URLs are not allowed");
}

TEST_F(HostileRegistry, NamesAnotherHostForAnUpload) {
    expect_refused(push("http://storage.invalid/x"), "use https:");
    expect_refused(push("http://127.evil.invalid/x"), "use https:");
    expect_refused(push("gopher://127.0.0.1:70/x"), "this protocol is not supported");
    expect_refused(push("https://a b:x/"), "this is not a valid URL");
}

TEST_F(HostileRegistry, GetsNoLoginForAStorageServer) {
    const ScriptServer storage([](const Request& request, Connection& connection) {
        EXPECT_EQ(request.header("Authorization"), "");
        connection.answer(201, "");
    });
    const ScriptServer server(registry([&](const Request& request, Connection& connection) {
        if (request.header("Authorization").empty()) {
            connection.answer(401, "", "WWW-Authenticate: Basic realm=\"x\"\r\n");
        } else if (request.method == "POST") {
            connection.answer(202, "", "Location: " + storage.url() + "/bucket?sig=1\r\n");
        } else {
            connection.answer(404, "");
        }
    }));
    push_to(server.host());
    ASSERT_EQ(storage.requests().size(), 1U);
    EXPECT_EQ(storage.requests()[0].body, "data");
    EXPECT_THAT(storage.requests()[0].target, HasSubstr("/bucket?sig=1&digest=sha256%3A"));
    EXPECT_EQ(server.requests().back().header("Authorization"), fmt::format("Basic {}", kSecret));
}

TEST_F(HostileRegistry, SendsTheLoginToAStorageServerThatAsksForIt) {
    ScriptServer evil([](const Request&, Connection& connection) {
        connection.answer(401, "", "WWW-Authenticate: Bearer realm=\"/token\"\r\n");
    });
    expect_refused(
        pull([&](const Request&, Connection& connection) {
            connection.answer(307, "", "Location: " + evil.url() + "/blob\r\n");
        }),
        "refuses the login: status 401");
    ASSERT_EQ(evil.requests().size(), 1U); // and none for a token
    EXPECT_EQ(evil.requests()[0].header("Authorization"), "");
}

TEST_F(HostileRegistry, NamesOddTokenServers) {
    expect_refused(ask(victim()), "file: URLs are not allowed here");
    expect_refused(ask("http://auth.invalid/token"), "use https:");
    expect_refused(ask("https://a/\x01\x1b"), "this is not a valid URL");
    expect_refused(ask(""), "names no token server");
    expect_refused(
        pull([](const Request&, Connection& connection) {
            connection.answer(401, "", "WWW-Authenticate: Negotiate\r\n");
        }),
        "requires a login");
}

TEST_F(HostileRegistry, GivesOddTokens) {
    expect_refused(token(200, "<html>"), "the token of registry");
    expect_refused(token(200, "{}"), "is not valid: key 'access_token' not found");
    expect_refused(token(200, R"({"token": {"a": 1}})"), "is not valid: type must be string");
    expect_refused(token(200, R"({"token": "x\r\nX-Evil: 1"})"), "sent a malformed token");
    expect_refused(token(200, R"({"token": ""})"), "sent a malformed token");
    expect_refused(
        token(200, R"({"token": ")" + std::string(100'000, 'x') + "\"}"), "sent a malformed token");
    expect_refused(token(503, "busy"), "gives no token: status 503");
}

TEST_F(HostileRegistry, RedirectsOddly) {
    const auto redirect = [&](const std::string& location) {
        return pull([&](const Request&, Connection& connection) {
            connection.answer(302, "", "Location: " + location + "\r\n");
        });
    };
    expect_refused(redirect(victim()), "file: URLs are not allowed here");
    expect_refused(redirect("http://cdn.invalid/"), "use https:");
    expect_refused(redirect("/v2/x/again"), "more than 5 redirects");
    expect_refused(redirect("\x1b]0;x"), "\\x1B]0;x");
}

TEST_F(HostileRegistry, NeverEnds) {
    expect_refused(
        pull([](const Request&, Connection& connection) {
            connection.send("HTTP/1.1 200 OK\r\n");
            connection.repeat("X: y\r\n");
        }),
        "too many headers");
    expect_refused(
        pull([](const Request&, Connection& connection) {
            connection.send("HTTP/1.1 500 Bad\r\nConnection: close\r\n\r\n");
            connection.repeat(std::string(10'000, 'e'));
        }),
        "does not give 'tag': status 500");
    expect_refused(
        pull([](const Request&, Connection& connection) {
            connection.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
            connection.repeat(std::string(100'000, ' '));
        }),
        "the registry's answer is larger than 4.0 MiB");
    const Error slow = pull([](const Request&, Connection& connection) {
        connection.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
        connection.repeat(" ", std::chrono::milliseconds(300));
    });
    EXPECT_EQ(slow.exit_code(), ExitCode::failed);
    EXPECT_THAT(slow.message(), HasSubstr("Operation too slow"));
}

TEST_F(HostileRegistry, BreaksOff) {
    const Error error = pull([](const Request&, Connection& connection) {
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{");
    });
    EXPECT_EQ(error.exit_code(), ExitCode::failed);
    EXPECT_THAT(error.message(), HasSubstr("99 bytes remaining"));
}

TEST_F(HostileRegistry, SendsPartsThatNobodyAskedFor) {
    expect_refused(
        pull([](const Request&, Connection& connection) {
            connection.answer(206, "{}", "Content-Range: bytes 5-6/7\r\n");
        }),
        "does not give 'tag': status 206");
}

TEST_F(HostileRegistry, HasManifestsThatMakeNoSense) {
    const std::string good = config_of("c");
    for (const std::string& text : std::vector<std::string>{
             "",
             "<html>",
             "null",
             "[]",
             "7",
             "\"x\"",
             "{}",
             R"({"artifactType": 7})",
             R"({"artifactType": null, "layers": []})",
             R"({"artifactType": "application/vnd.kiln.artifact.v1"})",
             R"({"artifactType": "application/vnd.kiln.artifact.v1", "layers": 7})",
             R"({"artifactType": "application/vnd.kiln.artifact.v1", "layers": "x"})",
             R"({"artifactType": "application/vnd.kiln.artifact.v1", "layers": {"0": {}}})",
             manifest("{}", "{}"),
             manifest("[]", "[]"),
             manifest("null", "null"),
             manifest("\"x\"", "7"),
             manifest(good, R"({"mediaType": [], "digest": {}, "size": 1})"),
             manifest(good, good),
             std::string(100'000, '['),
             "{\"artifactType\": \"\xff\xfe\"}",
             "{\"\xff\": 1}",
             "\xef\xbb\xbf\x1b[2J"}) {
        expect_refused(pull_of(text), "");
    }
    expect_refused(pull_of(std::string(100'000, '[')), "nested deeper than 32 levels");
    expect_refused(pull_of("{\"a\": \"\x1b[2J\"}"), "manifest 'tag' is not valid");
}

TEST_F(HostileRegistry, SaysSizesThatNobodyHas) {
    const std::string config = config_text();
    for (const std::string size :
         {"4611686018427387904",
          "18446744073709551615",
          "99999999999999999999",
          "-1",
          "1.5",
          "1e300"}) {
        expect_refused(
            pull_of(manifest(config_of(config), layer_of("x", size)), {config}),
            "manifest 'tag' is");
        expect_refused(
            pull_of(
                manifest(descriptor(media_type::kArtifactConfig, config, size), layer_of("x")),
                {config}),
            "manifest 'tag' is");
    }
}

TEST_F(HostileRegistry, SendsOtherContentThanItSaid) {
    const std::string config = config_text();
    const std::string text = manifest(config_of(config), layer_of("layer"));
    const auto blobs = [&](const std::string& sent) {
        return pull([&](const Request& request, Connection& connection) {
            const bool is_config = request.target.ends_with(sha256(config).to_string());
            connection.answer(
                200,
                request.target.ends_with("/tag") ? text
                : is_config                      ? config
                                                 : sent);
        });
    };
    expect_refused(blobs("other"), "the registry sent 5 bytes with digest");
    expect_refused(blobs("lay"), "the registry sent 3 bytes with digest");
    expect_refused(blobs("layer and more"), "is larger than the 5 bytes that its manifest says");
    const Digest wanted = sha256("another manifest");
    expect_refused(
        pull(
            [&](const Request&, Connection& connection) { connection.answer(200, text); },
            wanted.to_string()),
        "for " + wanted.to_string());
    // Endless content ends at the size that the manifest says.
    expect_refused(
        pull([&](const Request& request, Connection& connection) {
            if (request.target.ends_with("/tag")) {
                connection.answer(200, text);
            } else {
                connection.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
                connection.repeat(std::string(100'000, 'x'));
            }
        }),
        "bytes that its manifest says");
}

TEST_F(HostileRegistry, CompressesWhatWasNotAskedFor) {
    expect_refused(
        pull([](const Request&, Connection& connection) {
            connection.answer(200, "\x1f\x8b\x08 of gzip", "Content-Encoding: gzip\r\n");
        }),
        "manifest 'tag' is not valid");
}

TEST_F(HostileRegistry, HasConfigsThatMakeNoSense) {
    for (const std::string& config : std::vector<std::string>{
             "",
             "{}",
             "[]",
             R"({"name": 7, "kind": [], "key": {}, "tree": null})",
             R"({"name": "core", "kind": "x", "key": "sha256:1", "tree": "x"})",
             config_text("../../victim"),
             config_text(""),
             config_text("a\\u001b[2J"),
             config_text("\xff"),
             std::string(5000, '[')}) {
        expect_refused(
            pull_of(manifest(config_of(config), layer_of("x")), {config}),
            "the config of 'tag' is not valid");
    }
    std::string other = config_text();
    other.replace(other.find(key().hex()), 64, std::string(64, '0'));
    expect_refused(
        pull_of(manifest(config_of(other), layer_of("x")), {other}), "is artifact sha256:0000");
}

TEST_F(HostileRegistry, WritesToTheTerminal) {
    const auto error = [&](const std::string& body) {
        return pull([&](const Request&, Connection& connection) { connection.answer(400, body); });
    };
    expect_refused(
        error(R"({"errors": [{"code": "\u001b[31m", "message": "a\r\u009bb"}]})"),
        "status 400, \\x1B[31m a\\x0D\\xC2\\x9Bb");
    // Wrong types have no words, long ones are cut.
    for (const char* body :
         {R"({"errors": [7, null, {"code": 1, "message": []}]})",
          R"({"errors": {"code": "x"}})",
          R"({"errors": "x"})",
          R"([])",
          "\x1b[2J"}) {
        EXPECT_TRUE(error(body).message().ends_with("status 400")) << body;
    }
    expect_refused(
        error(R"({"errors": [{"code": ")" + std::string(50'000, 'x') + "\"}]}"), "xxx...");
}

TEST_F(HostileRegistry, IsNotThisMachineByItsName) {
    RegistryClient remote = client("127.evil.invalid:5000");
    const Error error = failure([&] { static_cast<void>(remote.manifest("tag")); });
    EXPECT_THAT(error.message(), HasSubstr("https://127.evil.invalid:5000/"));
    EXPECT_EQ(error.exit_code(), ExitCode::failed);
}

} // namespace
} // namespace kiln
