// SPDX-License-Identifier: MIT
//
// An HttpClient that answers with what a test's function says, and remembers what it was asked.
#pragma once

#include "base/http/http.hpp"
#include "base/io/digest.hpp"
#include "oci/oci_model.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kiln::test {

struct Reply {
    int status = 200;
    std::string body = {};
    std::vector<HttpHeader> headers = {};
    std::string url = {}; ///< where a redirect led; empty: nowhere
};

/// Answers with what a test's function says, and remembers what it was asked.
class ScriptedClient final : public HttpClient {
  public:
    std::function<Reply(const HttpRequest&)> script;
    std::vector<std::string> seen;
    HttpPurpose purpose = HttpPurpose::registry; ///< that every request must have

    HttpResponse send(const HttpRequest& request, Sink& sink) override {
        EXPECT_EQ(request.purpose, purpose);
        EXPECT_GT(request.expected_size, 0U); // or nothing limits its time
        std::string line = request.method + " " + request.url;
        if (request.body != nullptr) {
            MemorySink sent;
            copy(*request.body, sent);
            line += " <- " + std::string(sent.text());
        }
        seen.push_back(std::move(line));
        Reply reply = script(request);
        HttpResponse response;
        response.url = reply.url.empty() ? request.url : reply.url;
        response.status = reply.status;
        response.headers = std::move(reply.headers);
        if (reply.status >= 400) {
            response.error_body = reply.body;
        } else {
            sink.write(as_byte_span(reply.body));
        }
        return response;
    }
};

inline std::string authorization(const HttpRequest& request) {
    for (const HttpHeader& header : request.headers) {
        if (header.name == "Authorization") {
            return header.value;
        }
    }
    return {};
}

inline OciDescriptor descriptor(std::string_view content) {
    return {"application/octet-stream", sha256(content), content.size()};
}

} // namespace kiln::test
