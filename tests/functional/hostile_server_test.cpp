// SPDX-License-Identifier: MIT
// Web servers that lie, never end and never begin, against libcurl as kiln sets it up; proxies.
#include "base/error.hpp"
#include "base/http/http.hpp"
#include "base/interrupt.hpp"
#include "base/io/file.hpp"
#include "base/process/process.hpp"
#include "debian/apt_proxy.hpp"
#include "inputs/pool.hpp"
#include "support/fake_http_client.hpp"
#include "support/script_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <sstream>
#include <thread>

namespace kiln {
namespace {

using test::ScriptServer;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using Clock = std::chrono::steady_clock;

/// Limits that a test can wait for.
HttpOptions hasty() {
    HttpOptions options;
    options.connect_timeout = std::chrono::seconds(5);
    options.stall_timeout = std::chrono::seconds(2);
    options.time_without_size = std::chrono::seconds(6);
    options.time_beside_size = std::chrono::seconds(6);
    return options;
}

class HostileServer : public testing::Test {
  protected:
    HttpResponse
    get(const ScriptServer& server,
        std::vector<HttpHeader> headers = {},
        HttpPurpose purpose = HttpPurpose::user_url) {
        HttpRequest request;
        request.url = server.url() + "/start";
        request.purpose = purpose;
        request.headers = std::move(headers);
        sink_.emplace();
        return client_.send(request, *sink_);
    }

    Error failure(const ScriptServer& server, HttpPurpose purpose = HttpPurpose::user_url) {
        const auto begin = Clock::now();
        try {
            const HttpResponse response = get(server, {}, purpose);
            ADD_FAILURE() << "status " << response.status;
        } catch (const Error& error) {
            EXPECT_LT(Clock::now() - begin, std::chrono::seconds(9));
            return error;
        }
        return Error("none");
    }

    /// A request from a thread that is interrupted after a moment.
    void expect_interrupt(const std::string& url) {
        std::jthread later([] {
            std::this_thread::sleep_for(std::chrono::milliseconds(300));
            request_interrupt();
        });
        const auto begin = Clock::now();
        HttpRequest request;
        request.url = url;
        MemorySink sink;
        CurlHttpClient client; // with limits of minutes
        EXPECT_THROW(client.send(request, sink), Interrupted);
        EXPECT_LT(Clock::now() - begin, std::chrono::seconds(4));
        later.join();
        clear_interrupt();
    }

    CurlHttpClient client_{hasty()};
    std::optional<MemorySink> sink_;
};

TEST_F(HostileServer, RedirectsToNoFile) {
    const TempDir dir(temporary_root(), "kiln-test");
    write_file(dir.path() / "victim", "secret of the host");
    const std::string target = "file://" + (dir.path() / "victim").string();
    const ScriptServer server([&](const auto&, ScriptServer::Connection& connection) {
        connection.answer(302, "", "Location: " + target + "\r\n");
    });
    for (const HttpPurpose purpose :
         {HttpPurpose::user_url, HttpPurpose::apt_mirror, HttpPurpose::registry}) {
        const Error error = failure(server, purpose);
        EXPECT_EQ(error.exit_code(), ExitCode::remote_refused);
        EXPECT_THAT(error.message(), HasSubstr("file: URLs are not allowed here"));
        EXPECT_EQ(sink_->text(), "");
    }
}

TEST_F(HostileServer, RedirectsWithoutEnd) {
    const ScriptServer server([](const auto& request, ScriptServer::Connection& connection) {
        connection.answer(302, "", "Location: " + request.target + "x\r\n");
    });
    const Error error = failure(server);
    EXPECT_EQ(error.exit_code(), ExitCode::remote_refused);
    EXPECT_EQ(error.message(), "cannot fetch '" + server.url() + "/start': more than 5 redirects");
    EXPECT_EQ(server.requests().size(), 6U);
}

TEST_F(HostileServer, GetsNoLoginOfAnother) {
    const ScriptServer other([](const auto&, ScriptServer::Connection& connection) {
        connection.answer(200, "content");
    });
    const ScriptServer server([&](const auto& request, ScriptServer::Connection& connection) {
        const bool first = request.target == "/start";
        connection.answer(
            302, "", "Location: " + (first ? std::string("/second") : other.url() + "/x") + "\r\n");
    });
    const HttpResponse response =
        get(server, {{"Authorization", "Basic dTpw"}, {"Accept", "text/x"}});
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.url, other.url() + "/x");
    EXPECT_EQ(sink_->text(), "content");
    ASSERT_EQ(server.requests().size(), 2U);
    EXPECT_EQ(server.requests()[1].header("Authorization"), "Basic dTpw"); // the same origin
    ASSERT_EQ(other.requests().size(), 1U);
    EXPECT_EQ(other.requests()[0].header("Authorization"), "");
    EXPECT_EQ(other.requests()[0].header("Accept"), "text/x");
    // The login that is part of a URL does not go on, either.
    HttpRequest request;
    request.url = "http://me:pw@" + server.host() + "/start";
    client_.send(request, *sink_);
    EXPECT_EQ(server.requests()[3].header("Authorization"), "Basic bWU6cHc=");
    EXPECT_EQ(other.requests()[1].header("Authorization"), "");
}

TEST_F(HostileServer, SendsHeadersWithoutEnd) {
    const ScriptServer server([](const auto&, ScriptServer::Connection& connection) {
        connection.send("HTTP/1.1 200 OK\r\n");
        connection.repeat("X-More: yes\r\n");
    });
    const Error error = failure(server);
    EXPECT_EQ(error.exit_code(), ExitCode::remote_refused);
    EXPECT_THAT(error.message(), HasSubstr("the server sent too many headers"));
}

TEST_F(HostileServer, SendsLargeHeadersAndInterimAnswersWithoutEnd) {
    const ScriptServer large([](const auto&, ScriptServer::Connection& connection) {
        connection.send("HTTP/1.1 200 OK\r\n");
        connection.repeat("X-More: " + std::string(60'000, 'x') + "\r\n");
    });
    EXPECT_THAT(failure(large).message(), HasSubstr("the server sent too many headers"));
    const ScriptServer interim([](const auto&, ScriptServer::Connection& connection) {
        connection.repeat("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
    });
    EXPECT_THAT(failure(interim).message(), HasSubstr("the server sent too many headers"));
    const ScriptServer line([](const auto&, ScriptServer::Connection& connection) {
        connection.send("HTTP/1.1 200 OK\r\nX-More: ");
        connection.repeat(std::string(60'000, 'x'));
    });
    EXPECT_EQ(failure(line).exit_code(), ExitCode::failed); // libcurl's own limit of a line
}

TEST_F(HostileServer, SendsAnErrorWithoutEnd) {
    const ScriptServer server([](const auto&, ScriptServer::Connection& connection) {
        connection.send("HTTP/1.1 500 Bad\r\nConnection: close\r\n\r\n");
        connection.repeat(std::string(10'000, 'e'));
    });
    const auto begin = Clock::now();
    const HttpResponse response = get(server);
    EXPECT_EQ(response.status, 500);
    EXPECT_EQ(response.error_body.size(), std::size_t{64} << 10U);
    EXPECT_LT(Clock::now() - begin, std::chrono::seconds(2));
    const ScriptServer redirect([](const auto&, ScriptServer::Connection& connection) {
        connection.send("HTTP/1.1 302 Found\r\nLocation: file:///x\r\nConnection: close\r\n\r\n");
        connection.repeat(std::string(10'000, 'e'));
    });
    EXPECT_THAT(failure(redirect).message(), HasSubstr("file: URLs are not allowed here"));
}

TEST_F(HostileServer, SendsAByteASecond) {
    const ScriptServer body([](const auto&, ScriptServer::Connection& connection) {
        connection.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
        connection.repeat("x", std::chrono::milliseconds(500));
    });
    const Error slow = failure(body);
    EXPECT_EQ(slow.exit_code(), ExitCode::failed);
    EXPECT_THAT(slow.message(), HasSubstr("Operation too slow"));
    const ScriptServer head([](const auto&, ScriptServer::Connection& connection) {
        connection.send("HTTP/1.1 200 OK\r\n");
        connection.repeat("X", std::chrono::milliseconds(500));
    });
    EXPECT_THAT(failure(head).message(), HasSubstr("Operation"));
    const ScriptServer silent([](const auto&, ScriptServer::Connection& connection) {
        connection.repeat("", std::chrono::milliseconds(100));
    });
    EXPECT_THAT(failure(silent).message(), HasSubstr("Operation"));
}

TEST_F(HostileServer, IsFastEnoughButNeverEnds) {
    const ScriptServer server([](const auto&, ScriptServer::Connection& connection) {
        connection.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
        connection.repeat(std::string(5000, 'x'), std::chrono::milliseconds(200));
    });
    const Error error = failure(server);
    EXPECT_EQ(error.exit_code(), ExitCode::failed);
    EXPECT_THAT(error.message(), HasSubstr("Operation timed out"));
}

TEST_F(HostileServer, SaysAnotherLengthThanItSends) {
    const ScriptServer server([](const auto&, ScriptServer::Connection& connection) {
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort");
    });
    const Error error = failure(server);
    EXPECT_EQ(error.exit_code(), ExitCode::failed);
    EXPECT_THAT(error.message(), HasSubstr("95 bytes remaining to read"));
    const ScriptServer nonsense([](const auto&, ScriptServer::Connection& connection) {
        connection.send("\x1b[2Jnonsense\r\n\r\n");
    });
    EXPECT_THAT(failure(nonsense).message(), Not(HasSubstr("\x1b")));
}

TEST_F(HostileServer, GetsNoHeaderThatATextSmuggledIn) {
    const ScriptServer server(
        [](const auto&, ScriptServer::Connection& connection) { connection.answer(200, ""); });
    EXPECT_THROW(get(server, {{"Authorization", "Bearer x\r\nX-Evil: 1"}}), TransferError);
    EXPECT_TRUE(server.requests().empty());
}

TEST_F(HostileServer, DoesNotHoldWhoGivesUp) {
    const ScriptServer silent([](const auto&, ScriptServer::Connection& connection) {
        connection.repeat("", std::chrono::milliseconds(100));
    });
    expect_interrupt(silent.url() + "/");
    const ScriptServer drip([](const auto&, ScriptServer::Connection& connection) {
        connection.send("HTTP/1.1 200 OK\r\n");
        connection.repeat("X-A: b\r\n", std::chrono::milliseconds(300));
    });
    expect_interrupt(drip.url() + "/");
}

TEST_F(HostileServer, DoesNotHoldWhoGivesUpConnecting) {
    // A listener whose queue is full answers no SYN.
    const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    ASSERT_EQ(::bind(listener.get(), generic, size), 0);
    ASSERT_EQ(::listen(listener.get(), 0), 0);
    ASSERT_EQ(::getsockname(listener.get(), generic, &size), 0);
    std::vector<UniqueFd> queue;
    for (int i = 0; i < 4; ++i) {
        queue.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        static_cast<void>(::connect(queue.back().get(), generic, size));
    }
    expect_interrupt("http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/");
}

class HostileMirror : public HostileServer {
  protected:
    std::vector<std::string> faults(const ScriptServer& server, const std::string& content) {
        try {
            pool_.fetch(
                {{"input", sha256(content), content.size(), {server.url() + "/f"}}},
                client_,
                {.retry = test::impatient(2)},
                console_);
        } catch (const Error& error) {
            EXPECT_EQ(error.exit_code(), ExitCode::failed);
            return error.details();
        }
        ADD_FAILURE() << "no exception";
        return {};
    }

    TempDir dir_{temporary_root(), "kiln-test"};
    Pool pool_{dir_.path() / "pool"};
    std::ostringstream log_;
    Console console_{log_, {}};
};

TEST_F(HostileMirror, SendsAnotherPart) {
    int asked = 0;
    const ScriptServer server([&](const auto&, ScriptServer::Connection& connection) {
        if (asked++ == 0) {
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234");
        } else {
            connection.answer(206, "89", "Content-Range: bytes 8-9/10\r\n");
        }
    });
    EXPECT_THAT(
        faults(server, "0123456789"),
        ElementsAre(HasSubstr("the server returned the wrong byte range of '" + server.url())));
}

TEST_F(HostileMirror, SendsMoreThanTheLockSays) {
    const ScriptServer server([](const auto&, ScriptServer::Connection& connection) {
        connection.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
        connection.repeat(std::string(100'000, 'x'));
    });
    EXPECT_THAT(
        faults(server, "0123456789"),
        ElementsAre(HasSubstr("input: larger than the 10 bytes in the lock")));
}

TEST_F(HostileMirror, SendsABombOfGzip) {
    // libcurl is not asked to decompress, so what comes is what is compared.
    const ScriptServer server([](const auto&, ScriptServer::Connection& connection) {
        connection.answer(200, "\x1f\x8b\x08 of gzip", "Content-Encoding: gzip\r\n");
    });
    EXPECT_THAT(faults(server, "0123456789"), ElementsAre(HasSubstr("larger than the 10 bytes")));
}

TEST_F(HostileServer, IsReachedThroughTheProxyOfItsPurpose) {
    const ScriptServer proxy([](const auto& request, ScriptServer::Connection& connection) {
        request.method == "CONNECT" ? connection.answer(403, "no")
                                    : connection.answer(200, request.target);
    });
    const ScriptServer apt([](const auto&, ScriptServer::Connection& connection) {
        connection.answer(200, "from apt's proxy");
    });
    SystemProcessRunner runner;
    const TempDir dir(temporary_root(), "kiln-test");
    write_file(
        dir.path() / "apt.conf",
        "Acquire::http::Proxy \"" + apt.url() + "\";\nAcquire::http::Proxy::own.example \"" +
            proxy.url() + "\";\n");
    const HostProxies proxies(
        {{"http_proxy", proxy.url()},
         {"https_proxy", proxy.url()},
         {"no_proxy", "direct.invalid"},
         {"APT_CONFIG", (dir.path() / "apt.conf").string()}},
        runner);
    HttpOptions options = hasty();
    options.proxy = [&](HttpPurpose purpose, const Url& url) { return proxies.find(purpose, url); };
    options.no_proxy = proxies.environment().no_proxy;
    CurlHttpClient client(options);
    const auto text = [&](HttpPurpose purpose, const std::string& url) {
        MemorySink sink;
        HttpRequest request;
        request.url = url;
        request.purpose = purpose;
        request.headers = {{"Authorization", "Basic dTpw"}};
        static_cast<void>(client.send(request, sink));
        return std::string(sink.text());
    };
    EXPECT_EQ(text(HttpPurpose::user_url, "http://a.invalid/x"), "http://a.invalid/x");
    EXPECT_EQ(text(HttpPurpose::apt_mirror, "http://a.invalid/x"), "from apt's proxy");
    EXPECT_EQ(text(HttpPurpose::apt_mirror, "http://own.example/x"), "http://own.example/x");
    // This machine and no_proxy are reached directly.
    EXPECT_EQ(text(HttpPurpose::registry, apt.url() + "/x"), "from apt's proxy");
    EXPECT_THROW(text(HttpPurpose::user_url, "http://direct.invalid/"), TransferError);
    // TLS goes through a tunnel: the proxy sees the host and nothing of the request.
    EXPECT_THROW(text(HttpPurpose::registry, "https://reg.invalid/v2/"), TransferError);
    const ScriptServer::Request last = proxy.requests().back();
    EXPECT_EQ(last.method, "CONNECT");
    EXPECT_EQ(last.target, "reg.invalid:443");
    EXPECT_EQ(last.header("Authorization"), "");
}

} // namespace
} // namespace kiln
