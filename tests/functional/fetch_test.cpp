// SPDX-License-Identifier: MIT
// The pool and libcurl against a real server on loopback.
#include "base/error.hpp"
#include "base/http/http.hpp"
#include "base/interrupt.hpp"
#include "base/io/file.hpp"
#include "base/process/process.hpp"
#include "inputs/pool.hpp"
#include "support/fake_http_client.hpp"
#include "support/toy_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <thread>

namespace kiln {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class FetchTest : public testing::Test {
  protected:
    PoolInput put(const std::string& name, const std::string& content) {
        write_file_atomically(dir_.path() / "www" / name, content);
        return {
            name,
            sha256(content),
            content.size(),
            {server_.url() + "/" + name},
            HttpPurpose::apt_mirror};
    }

    void fetch(const std::vector<PoolInput>& inputs) {
        pool_.fetch(inputs, client_, {.retry = test::impatient()}, console_);
    }

    std::vector<std::string> faults(const std::vector<PoolInput>& inputs) {
        try {
            fetch(inputs);
        } catch (const Error& error) {
            EXPECT_THAT(error.hint(), HasSubstr("'kiln bake RECIPE --refresh'"));
            return error.details();
        }
        ADD_FAILURE() << "no exception";
        return {};
    }

    static std::string text(std::size_t size) {
        std::string out;
        while (out.size() < size) {
            out += std::to_string(out.size()) + " ";
        }
        return out;
    }

    TempDir dir_{temporary_root(), "kiln-test"};
    bool made_ = fs::create_directory(dir_.path() / "www");
    test::ToyServer server_{dir_.path() / "www"};
    CurlHttpClient client_;
    Pool pool_{dir_.path() / "pool"};
    std::ostringstream log_;
    Console console_{log_, {}};
};

TEST_F(FetchTest, FetchesManyOverFewConnections) {
    std::vector<PoolInput> inputs;
    for (int i = 0; i < 50; ++i) {
        inputs.push_back(put("f" + std::to_string(i), text(1000) + std::to_string(i)));
    }
    fetch(inputs);
    for (const PoolInput& input : inputs) {
        pool_.verify(input);
    }
    EXPECT_EQ(server_.requests().size(), 50U);
    EXPECT_LE(server_.connections(), 8);
    EXPECT_THAT(log_.str(), HasSubstr("50 files"));
}

TEST_F(FetchTest, ResumesACutConnection) {
    const PoolInput input = put("big", text(300'000));
    server_.cut("/big", 100'000, 2);
    fetch({input});
    pool_.verify(input);
    EXPECT_THAT(
        server_.requests(),
        ElementsAre("GET /big", "GET /big bytes=100000-", "GET /big bytes=200000-"));
}

TEST_F(FetchTest, StartsAnewWithoutRanges) {
    const PoolInput input = put("big", text(300'000));
    server_.ignore_ranges();
    server_.cut("/big", 100'000, 1);
    fetch({input});
    pool_.verify(input);
}

TEST_F(FetchTest, SurvivesABusyServerAndFollowsRedirects) {
    PoolInput input = put("file", "content");
    server_.redirect("/moved", "/file");
    server_.fail("/file", 503, 2);
    input.urls = {server_.url() + "/moved"};
    fetch({input});
    pool_.verify(input);
}

TEST_F(FetchTest, ListsVanishedAndWrongFiles) {
    const PoolInput good = put("good", "content");
    const PoolInput gone{
        "gone", sha256("x"), 1, {server_.url() + "/gone"}, HttpPurpose::apt_mirror};
    const PoolInput wrong = put("wrong", "right content");
    const PoolInput truncated = put("truncated", "whole content");
    put("wrong", "other content");
    put("truncated", "whole");
    EXPECT_THAT(
        faults({good, gone, wrong, truncated}),
        ElementsAre(
            "gone: not found (404) at " + server_.url() + "/gone",
            HasSubstr("wrong: checksum mismatch: expected sha256:"),
            "truncated: size mismatch: 5 bytes, expected 13 (" + server_.url() + "/truncated)"));
    pool_.verify(good);
}

TEST_F(FetchTest, ReportsADeadServer) {
    PoolInput input = put("file", "content");
    input.urls = {"http://127.0.0.1:1/file"};
    EXPECT_THAT(
        faults({input}),
        ElementsAre(HasSubstr("file: cannot fetch 'http://127.0.0.1:1/file': Failed to connect")));
}

TEST_F(FetchTest, ReadsFileUrls) {
    PoolInput input = put("file", "content");
    input.urls = {
        "file://" + (dir_.path() / "www/none").string(),
        "file://" + (dir_.path() / "www/file").string()};
    fs::create_directories(pool_.path_of(input.sha256).parent_path());
    write_file_atomically(pool_.path_of(input.sha256).string() + ".part", "cont");
    fetch({input});
    pool_.verify(input);
    EXPECT_TRUE(server_.requests().empty());
}

TEST_F(FetchTest, OpensNoSocketWhenOffline) {
    const PoolInput input = put("file", "content");
    try {
        pool_.fetch({input}, client_, {.offline = true}, console_);
        FAIL() << "no exception";
    } catch (const Error& error) {
        EXPECT_THAT(error.details(), ElementsAre("file: not in the download cache"));
    }
    EXPECT_EQ(server_.connections(), 0);
}

TEST_F(FetchTest, SharesAPoolWithAnotherProcess) {
    const PoolInput input = put("big", text(3'000'000));
    const std::vector<std::string> args{
        pool_.directory().string(), input.urls[0], input.sha256.hex(), std::to_string(input.size)};
    std::vector<int> exits(4, -1);
    {
        std::vector<std::jthread> threads;
        for (int& exit : exits) {
            threads.emplace_back([&] {
                SystemProcessRunner runner;
                exit = runner.run({KILN_FETCH_HELPER, args, clean_environment()}).exit_status;
            });
        }
    }
    EXPECT_THAT(exits, ElementsAre(0, 0, 0, 0));
    pool_.verify(input);
    // Whoever was first fetched it, the others waited.
    EXPECT_THAT(server_.requests(), ElementsAre("GET /big"));
    EXPECT_FALSE(fs::exists(pool_.path_of(input.sha256).string() + ".part"));
}

TEST_F(FetchTest, SendsMethodsHeadersAndKeepsBodiesOfErrors) {
    put("file", "content");
    server_.fail("/file", 403, 1);
    HttpRequest request;
    request.url = server_.url() + "/file";
    MemorySink sink;
    const HttpResponse refused = client_.send(request, sink);
    EXPECT_EQ(refused.status, 403);
    EXPECT_EQ(refused.error_body, "fault");
    EXPECT_EQ(sink.text(), "");
    const HttpResponse fine = client_.send(request, sink);
    EXPECT_EQ(fine.status, 200);
    EXPECT_EQ(fine.header("content-length"), "7");
    EXPECT_EQ(sink.text(), "content");
}

TEST_F(FetchTest, LetsASinksExceptionThrough) {
    class Refusing final : public Sink {
      public:
        void write(Bytes) override { throw Error("no room"); }
    };

    put("file", "content");
    Refusing sink;
    HttpRequest request;
    request.url = server_.url() + "/file";
    try {
        client_.send(request, sink);
        FAIL() << "no exception";
    } catch (const Error& error) {
        EXPECT_EQ(error.message(), "no room");
    }
}

TEST_F(FetchTest, StopsAtAnInterrupt) {
    const PoolInput input = put("file", "content");
    request_interrupt();
    EXPECT_THROW(fetch({input}), Interrupted);
    clear_interrupt();
    EXPECT_EQ(server_.connections(), 0);
}

} // namespace
} // namespace kiln
