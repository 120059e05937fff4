// SPDX-License-Identifier: MIT
// Answers that are no HTTP, or twist it: each ends soon with words and a code of kiln's own.
#include "base/error.hpp"
#include "base/http/http.hpp"
#include "support/script_server.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace kiln {
namespace {

using test::ScriptServer;
using testing::HasSubstr;
using testing::Not;
using Clock = std::chrono::steady_clock;

struct Shape {
    std::string name;
    std::string head;  ///< sent once
    std::string again; ///< sent until the client has gone
    std::string says;  ///< in the message; or what the whole body is
    int code = 1;      ///< exit code; 0: it is a good answer
};

const std::string kChunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

std::vector<Shape> shapes() {
    return {
        {"chunks of no size", kChunked + "zz\r\nabc\r\n", "", "chunk"},
        {"a chunk of 2^68 bytes", kChunked + "fffffffffffffffff\r\nabc\r\n", "", "chunk"},
        {"a chunk that is cut", kChunked + "10\r\nabc", "", "outstanding read data remaining"},
        {"a chunk's extension without end",
         kChunked + "3;x=",
         std::string(10'000, 'x'),
         "Operation"},
        {"trailers without end",
         kChunked + "3\r\nabc\r\n0\r\n",
         "X-More: yes\r\n",
         "the server sent too many headers",
         5},
        {"HTTP/0.9", "just the content\n", "", "HTTP/0.9"},
        {"a length below zero",
         "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nabc",
         "",
         "Content-Length"},
        {"a length that no number holds", // as good as none
         "HTTP/1.1 200 OK\r\nContent-Length: 1180591620717411303424\r\n\r\nabc",
         "",
         "abc",
         0},
        {"a length that is too small",
         "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdefgh",
         "",
         "abc",
         0},
        {"an early close",
         "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n",
         "",
         "10 bytes remaining"},
        {"an early close in the headers",
         "HTTP/1.1 200 OK\r\nContent-Le",
         "",
         "the server closed the connection before the end of the headers"},
        {"nothing", "", "", "Empty reply"},
        {"an early close after interim headers",
         "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nX: y\r\n",
         "",
         "the server closed the connection before the end of the headers"},
        {"a protocol that was not asked for",
         "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nabc",
         "",
         "the server closed the transfer with status 101",
         5},
        {"a version of its own", "HTTP/7.3 200 OK\r\n\r\nabc", "", ""},
        {"no status", "HTTP/1.1 abc OK\r\n\r\nabc", "", ""},
        {"an encoding that was not asked for",
         "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08",
         "",
         "\x1f\x8b\x08",
         0},
        {"null bytes in a header",
         std::string("HTTP/1.1 200 OK\r\nX-A: a\0b\r\nContent-Length: 3\r\n\r\nabc", 52),
         "",
         ""},
    };
}

TEST(HostileShapes, EndSoonWithWords) {
    HttpOptions options;
    options.connect_timeout = std::chrono::seconds(5);
    options.stall_timeout = std::chrono::seconds(2);
    options.time_without_size = std::chrono::seconds(4);
    options.time_beside_size = std::chrono::seconds(4);
    CurlHttpClient client(options);
    for (const Shape& shape : shapes()) {
        SCOPED_TRACE(shape.name);
        const ScriptServer server([&](const auto&, ScriptServer::Connection& connection) {
            connection.send(shape.head);
            if (!shape.again.empty()) {
                connection.repeat(shape.again);
            }
        });
        HttpRequest request;
        request.url = server.url() + "/";
        MemorySink sink;
        const auto begin = Clock::now();
        try {
            const HttpResponse response = client.send(request, sink);
            EXPECT_EQ(shape.code, 0) << response.status << " " << sink.text();
            EXPECT_EQ(sink.text(), shape.says);
        } catch (const Error& error) {
            EXPECT_EQ(static_cast<int>(error.exit_code()), shape.code) << error.message();
            EXPECT_THAT(error.message(), HasSubstr("cannot fetch '" + server.url() + "/': "));
            EXPECT_THAT(error.message(), HasSubstr(shape.says));
            EXPECT_THAT(error.message(), Not(HasSubstr("\x1b")));
        }
        EXPECT_LT(Clock::now() - begin, std::chrono::seconds(9));
    }
}

} // namespace
} // namespace kiln
