// SPDX-License-Identifier: MIT
#include "base/http/http.hpp"
#include "base/http/http_trace.hpp"
#include "base/interrupt.hpp"
#include "support/fake_http_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

using test::FakeHttpClient;
using test::impatient;
using testing::ElementsAre;

TEST(WithRetries, TriesTransientStatusesAgainWithGrowingDelay) {
    FakeHttpClient client;
    client.answer("http://host/a", {.body = "content", .busy = 3});
    std::vector<int> waits;
    EXPECT_EQ(http_get_text(client, "http://host/a", 100, impatient(5, &waits)), "content");
    EXPECT_THAT(waits, ElementsAre(500, 1000, 2000));
    EXPECT_EQ(client.seen().size(), 4U);
}

TEST(WithRetries, GivesUpAfterTheLastAttempt) {
    FakeHttpClient client;
    client.answer("http://host/a", {.busy = 9});
    try {
        static_cast<void>(http_get_text(client, "http://host/a", 100, impatient(3)));
        FAIL() << "no exception";
    } catch (const Error& error) {
        EXPECT_EQ(error.message(), "cannot fetch 'http://host/a': status 503");
    }
    EXPECT_EQ(client.seen().size(), 3U);
}

TEST(WithRetries, DoesNotRepeatWhatIsFinal) {
    FakeHttpClient client;
    std::vector<int> waits;
    EXPECT_THROW(
        static_cast<void>(http_get_text(client, "http://host/no", 9, impatient(5, &waits))), Error);
    EXPECT_TRUE(waits.empty());
    EXPECT_THROW(
        with_retries(
            impatient(5, &waits), []() -> HttpResponse { throw TransferError("no", false); }),
        TransferError);
    EXPECT_TRUE(waits.empty());
}

TEST(WithRetries, HonoursRetryAfterWithinItsLimit) {
    int calls = 0;
    std::vector<int> waits;
    with_retries(impatient(3, &waits), [&] {
        HttpResponse response;
        response.status = ++calls < 3 ? 429 : 200;
        response.headers = {{"Retry-After", calls == 1 ? "2" : "9999"}};
        return response;
    });
    EXPECT_THAT(waits, ElementsAre(2000, 120000));
}

TEST(WithRetries, HonoursADateInRetryAfter) {
    int calls = 0;
    std::vector<int> waits;
    with_retries(impatient(4, &waits), [&] {
        static const std::vector<std::string> kDates{
            "Fri, 31 Dec 2100 23:59:59 GMT", "Sun, 06 Nov 1994 08:49:37 GMT", "soon"};
        HttpResponse response;
        response.status = calls < 3 ? 503 : 200;
        if (calls < 3) {
            response.headers = {{"Retry-After", kDates.at(static_cast<std::size_t>(calls))}};
        }
        ++calls;
        return response;
    });
    EXPECT_THAT(
        waits, ElementsAre(120000, 1000, 2000)); // the past and no date: as if there were none
}

TEST(WithRetries, WaitsForADrawnPartOfTheDelay) {
    std::vector<int> waits;
    RetryPolicy policy = impatient(4, &waits);
    std::vector<double> drawn{0.0, 0.5, 0.25};
    policy.random = [&] {
        const double next = drawn.front();
        drawn.erase(drawn.begin());
        return next;
    };
    with_retries(policy, [] {
        HttpResponse response;
        response.status = 504;
        return response;
    });
    EXPECT_THAT(waits, ElementsAre(0, 500, 500));
    const RetryPolicy usual;
    for (int i = 0; i < 100; ++i) {
        const double part = usual.random();
        EXPECT_GE(part, 0.0);
        EXPECT_LE(part, 1.0);
    }
}

TEST(WithRetries, StartsTheBodyAnewAfterACut) {
    FakeHttpClient client;
    client.answer("http://host/a", {.body = "content", .cuts = 1});
    EXPECT_EQ(http_get_text(client, "http://host/a", 100, impatient()), "content");
}

TEST(WithRetries, IsInterruptible) {
    request_interrupt();
    EXPECT_THROW(RetryPolicy().wait(std::chrono::hours(1)), Interrupted);
    clear_interrupt();
}

TEST(TracedHttpClient, ShowsRequestsWithoutSecrets) {
    FakeHttpClient below;
    below.answer("https://u:secret@host/v2/x?digest=sha256%3A1&_state=secret", {.status = 201});
    std::vector<std::string> shown;
    TracedHttpClient client(below, {"digest", "mount"}, [&](const TracedRequest& request) {
        shown.push_back(
            fmt::format("{} {} {} {}", request.method, request.url, request.sent, request.status));
    });
    MemorySource body(as_byte_span(std::string_view("data")));
    HttpRequest request;
    request.method = "PUT";
    request.url = "https://u:secret@host/v2/x?digest=sha256%3A1&_state=secret";
    request.headers = {{"Authorization", "secret"}};
    request.body = &body;
    request.body_size = 4;
    MemorySink sink;
    EXPECT_EQ(client.send(request, sink).status, 201);
    EXPECT_THAT(shown, ElementsAre("PUT https://***@host/v2/x?digest=sha256%3A1 4 201"));
}

TEST(HttpGetText, RefusesMoreThanItsLimit) {
    FakeHttpClient client;
    client.answer("http://host/a", {.body = "too much"});
    try {
        static_cast<void>(http_get_text(client, "http://host/a", 7, impatient()));
        FAIL() << "no exception";
    } catch (const Error& error) {
        EXPECT_EQ(error.message(), "'http://host/a' is larger than 7 B");
    }
}

TEST(HttpResponse, FindsHeadersInAnyLetterCase) {
    HttpResponse response;
    response.headers = {{"ETag", "one"}, {"etag", "two"}};
    EXPECT_EQ(response.header("Etag"), "two");
    EXPECT_FALSE(response.header("date"));
}

TEST(RedactUrl, HidesPasswordsAndQueries) {
    EXPECT_EQ(redact_url("https://me:secret@host/a/b?token=x"), "https://***@host/a/b");
    EXPECT_EQ(redact_url("http://host/a@b"), "http://host/a@b");
    EXPECT_EQ(redact_url("file:///a"), "file:///a");
}

} // namespace
} // namespace kiln
