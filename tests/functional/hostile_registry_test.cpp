// SPDX-License-Identifier: MIT
// Addresses that a registry names, logins that it asks for, and answers that never end.
#include "hostile_registry.hpp"

namespace kiln::test {
namespace {

using testing::HasSubstr;
using Connection = ScriptServer::Connection;
using Request = ScriptServer::Request;

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
        "rejected the login: status 401");
    ASSERT_EQ(evil.requests().size(), 1U); // and none for a token
    EXPECT_EQ(evil.requests()[0].header("Authorization"), "");
}

TEST_F(HostileRegistry, NamesOddTokenServers) {
    expect_refused(ask(victim()), "file: URLs are not allowed here");
    expect_refused(ask("http://auth.invalid/token"), "use https:");
    expect_refused(ask("https://a/\x01\x1b"), "this is not a valid URL");
    expect_refused(ask(""), "did not name a token server");
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
    expect_refused(token(503, "busy"), "did not return a token: status 503");
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
    expect_refused(redirect("\x1b]0;x"), "\\x1b]0;x");
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
        "did not return 'tag': status 500");
    expect_refused(
        pull([](const Request&, Connection& connection) {
            connection.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
            connection.repeat(std::string(100'000, ' '));
        }),
        "the registry's response is larger than 4.0 MiB");
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
        "did not return 'tag': status 206");
}

TEST_F(HostileRegistry, IsNotThisMachineByItsName) {
    RegistryClient remote = client("127.evil.invalid:5000");
    const Error error = failure([&] { static_cast<void>(remote.manifest("tag")); });
    EXPECT_THAT(error.message(), HasSubstr("https://127.evil.invalid:5000/"));
    EXPECT_EQ(error.exit_code(), ExitCode::failed);
}

} // namespace
} // namespace kiln::test
