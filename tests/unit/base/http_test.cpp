// SPDX-License-Identifier: MIT
#include "base/http/http.hpp"
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
    EXPECT_THAT(waits, ElementsAre(2000, 20000));
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
