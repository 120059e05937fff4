// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/io/file.hpp"
#include "inputs/pool.hpp"
#include "support/expect_error.hpp"
#include "support/fake_http_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace kiln {
namespace {

using test::FakeHttpClient;
using testing::ElementsAre;
using testing::HasSubstr;

class PoolTest : public testing::Test {
  protected:
    static PoolInput input(const std::string& name, const std::string& content) {
        return {
            name,
            sha256(content),
            content.size(),
            {"http://host/" + name},
            HttpPurpose::apt_mirror};
    }

    PoolInput serve(const std::string& name, const std::string& content) {
        client_.answer("http://host/" + name, {.body = content});
        return input(name, content);
    }

    void fetch(const std::vector<PoolInput>& inputs) {
        pool_.fetch(inputs, client_, options_, console_);
    }

    Error failure(const std::vector<PoolInput>& inputs) {
        try {
            fetch(inputs);
        } catch (const Error& error) {
            return error;
        }
        ADD_FAILURE() << "no exception";
        return Error("none");
    }

    std::string content(const PoolInput& input) const {
        MemorySink sink;
        copy(*pool_.open(input), sink);
        return std::string(sink.text());
    }

    void put_part(const PoolInput& input, const std::string& text) const {
        fs::create_directories(pool_.path_of(input.sha256).parent_path());
        write_file_atomically(pool_.path_of(input.sha256).string() + ".part", text);
    }

    void damage(const PoolInput& input, const std::string& content) const {
        write_file_atomically(pool_.path_of(input.sha256), content);
    }

    TempDir dir_{temporary_root(), "kiln-test"};
    Pool pool_{dir_.path() / "pool"};
    FakeHttpClient client_;
    std::ostringstream log_;
    Console console_{log_, {}};
    FetchOptions options_{
        .connections = 4,
        .offline = false,
        .refresh = "'kiln lock web' or 'kiln bake web --refresh'",
        .retry = test::impatient()};
};

TEST_F(PoolTest, FetchesAndKeepsUnderTheDigest) {
    const PoolInput one = serve("one", "first");
    const PoolInput two = serve("two", "second");
    fetch({one, two, one});
    EXPECT_EQ(content(one), "first");
    EXPECT_EQ(content(two), "second");
    const std::string hex = sha256(std::string_view("first")).hex();
    EXPECT_EQ(pool_.path_of(one.sha256), dir_.path() / "pool/sha256" / hex.substr(0, 2) / hex);
    EXPECT_EQ(client_.seen().size(), 2U);
    fetch({one, two});
    EXPECT_EQ(client_.seen().size(), 2U);
    EXPECT_FALSE(fs::exists(pool_.path_of(one.sha256).string() + ".part"));
}

TEST_F(PoolTest, ResumesAfterACut) {
    const PoolInput one = serve("one", "0123456789");
    client_.answer(one.urls[0], {.body = "0123456789", .cuts = 2});
    fetch({one});
    const auto seen = client_.seen();
    ASSERT_EQ(seen.size(), 3U);
    EXPECT_EQ(seen[1].offset, 5U);
    EXPECT_EQ(seen[2].offset, 7U);
    EXPECT_EQ(content(one), "0123456789");
}

TEST_F(PoolTest, LeavesAPartForTheNextRun) {
    const PoolInput one = serve("one", "0123456789");
    client_.answer(one.urls[0], {.body = "0123456789", .cuts = 1});
    options_.retry.attempts = 1;
    EXPECT_THAT(failure({one}).details(), ElementsAre(HasSubstr("cut off")));
    fetch({one});
    EXPECT_EQ(client_.seen().back().offset, 5U);
    EXPECT_EQ(content(one), "0123456789");
}

TEST_F(PoolTest, StartsAnewWhenTheServerIgnoresRanges) {
    const PoolInput one = serve("one", "0123456789");
    client_.answer(one.urls[0], {.body = "0123456789", .ranges = false, .cuts = 1});
    fetch({one});
    EXPECT_EQ(content(one), "0123456789");
}

TEST_F(PoolTest, StartsAnewWhenAPartIsOfSomethingElse) {
    const PoolInput one = serve("one", "0123456789");
    put_part(one, "abcde");
    fetch({one});
    EXPECT_EQ(content(one), "0123456789");
    const PoolInput two = serve("two", "xyz");
    put_part(two, "longer than the input");
    fetch({two});
    EXPECT_EQ(content(two), "xyz");
}

TEST_F(PoolTest, TakesACompletePartWithoutARequest) {
    const PoolInput one = serve("one", "0123456789");
    put_part(one, "0123456789");
    fetch({one});
    EXPECT_TRUE(client_.seen().empty());
    EXPECT_EQ(content(one), "0123456789");
}

TEST_F(PoolTest, TriesTheNextOrigin) {
    PoolInput one = serve("one", "content");
    one.urls.insert(one.urls.begin(), {"http://gone/one", "http://wrong/one"});
    client_.answer("http://wrong/one", {.body = "CONTENT"});
    fetch({one});
    EXPECT_EQ(content(one), "content");
}

TEST_F(PoolTest, SaysWhatHelpsWhenTheLockIsNewOrTheInputIsNoPackage) {
    const PoolInput package = input("package", "x");
    PoolInput tarball = input("tarball", "y");
    tarball.purpose = HttpPurpose::user_url;
    options_.refresh = "";
    EXPECT_THAT(failure({package, tarball}).hint(), HasSubstr("try again later"));
    EXPECT_THAT(failure({tarball}).hint(), HasSubstr("check their URLs"));
    options_.refresh = "'kiln lock web'";
    EXPECT_THAT(failure({tarball}).hint(), HasSubstr("check their URLs"));
}

TEST_F(PoolTest, ListsAllThatVanishedWithTheWayOut) {
    const PoolInput one = serve("one", "first");
    const PoolInput two = input("two", "second");
    const PoolInput three = input("three", "third");
    const Error error = failure({one, two, three});
    EXPECT_EQ(error.message(), "2 of 3 inputs could not be downloaded");
    EXPECT_THAT(
        error.details(),
        ElementsAre(
            "two: not found (404) at http://host/two",
            "three: not found (404) at http://host/three"));
    EXPECT_THAT(error.hint(), HasSubstr("'kiln lock web' or 'kiln bake web --refresh'"));
    EXPECT_EQ(error.exit_code(), ExitCode::failed);
    EXPECT_EQ(content(one), "first");
    EXPECT_FALSE(fs::exists(pool_.path_of(two.sha256).string() + ".part"));
}

TEST_F(PoolTest, RefusesWrongContent) {
    const PoolInput one = serve("one", "right");
    client_.answer(one.urls[0], {.body = "wrong"});
    EXPECT_THAT(
        failure({one}).details(),
        ElementsAre(
            "one: checksum mismatch: expected " + one.sha256.to_string() + ", got " +
            sha256(std::string_view("wrong")).to_string() + " (http://host/one)"));
    EXPECT_FALSE(pool_.has(one));
}

TEST_F(PoolTest, RefusesTooLongAndTooShort) {
    const PoolInput one = serve("one", "right");
    client_.answer(one.urls[0], {.body = "right and more"});
    EXPECT_THAT(
        failure({one}).details(),
        ElementsAre("one: larger than the 5 bytes in the lock (http://host/one)"));
    client_.answer(one.urls[0], {.body = "rig"});
    EXPECT_THAT(
        failure({one}).details(),
        ElementsAre("one: size mismatch: 3 bytes, expected 5 (http://host/one)"));
}

TEST_F(PoolTest, NeverAsksWhenOffline) {
    const PoolInput one = serve("one", "first");
    const PoolInput two = serve("two", "second");
    fetch({one});
    options_.offline = true;
    fetch({one});
    const Error error = failure({one, two});
    EXPECT_EQ(
        error.message(),
        "1 of 2 inputs are missing or damaged and cannot be downloaded with --offline");
    EXPECT_THAT(error.details(), ElementsAre("two: not in the download cache"));
    EXPECT_EQ(error.hint(), "run once without --offline");
    EXPECT_EQ(client_.seen().size(), 1U);
}

TEST_F(PoolTest, SetsADamagedInputAsideAndFetchesItAgain) {
    const PoolInput one = serve("one", "right");
    for (const std::string wrong : {"wrong", "no", "longer than it was"}) {
        fetch({one});
        damage(one, wrong);
        fetch({one});
        EXPECT_EQ(content(one), "right");
        const std::string aside = pool_.path_of(one.sha256).string() + ".damaged";
        EXPECT_EQ(read_text_file(aside), wrong);
        EXPECT_THAT(
            log_.str(),
            HasSubstr(
                "one: checksum mismatch for '" + pool_.path_of(one.sha256).string() +
                "' in the download cache; moved to '" + one.sha256.hex() +
                ".damaged' and downloaded again"));
    }
    EXPECT_EQ(client_.seen().size(), 4U);
}

TEST_F(PoolTest, LeavesADamagedInputWhenOfflineAndSaysSo) {
    const PoolInput one = serve("one", "right");
    fetch({one});
    damage(one, "wrong");
    options_.offline = true;
    const Error error = failure({one});
    const std::string path = pool_.path_of(one.sha256).string();
    EXPECT_EQ(
        error.message(),
        "1 of 1 inputs are missing or damaged and cannot be downloaded with --offline");
    EXPECT_THAT(
        error.details(),
        ElementsAre(
            "one: checksum mismatch for '" + path + "' in the download cache",
            "    input:    one",
            "    expected: " + one.sha256.to_string() + ", 5 bytes",
            "    found:    " + sha256(std::string_view("wrong")).to_string()));
    EXPECT_EQ(error.hint(), "run once without --offline");
    EXPECT_TRUE(fs::exists(path));
}

TEST_F(PoolTest, DoesNotHandOutADamagedInput) {
    const PoolInput one = serve("one", "right");
    fetch({one});
    damage(one, "wrong");
    EXPECT_THAT(test::message_of([&] { pool_.verify(one); }), HasSubstr("checksum mismatch for '"));
    damage(one, "no");
    EXPECT_FALSE(pool_.has(one));
    EXPECT_THAT(
        test::message_of([&] { static_cast<void>(pool_.open(one)); }),
        HasSubstr("checksum mismatch for '"));
}

TEST_F(PoolTest, AsksForUrlsOnlyWhenItFetches) {
    PoolInput one = serve("one", "right");
    int asked = 0;
    one.find_urls = [&, urls = one.urls] {
        ++asked;
        return urls;
    };
    one.urls.clear();
    fetch({one});
    fetch({one});
    EXPECT_EQ(asked, 1);
    damage(one, "wrong");
    fetch({one});
    EXPECT_EQ(asked, 2);
}

TEST_F(PoolTest, StopsWhenInterrupted) {
    const PoolInput one = serve("one", "first");
    request_interrupt();
    EXPECT_THROW(fetch({one}), Interrupted);
    clear_interrupt();
}

TEST_F(PoolTest, DoesNotWaitForEveryInputOfADeadMirror) {
    std::vector<PoolInput> inputs;
    for (int i = 0; i < 40; ++i) {
        inputs.push_back(input("n" + std::to_string(i), std::to_string(i) + " content"));
        client_.answer(inputs.back().urls[0], {.body = "content", .cuts = 99});
    }
    options_.connections = 1;
    std::vector<int> waits;
    options_.retry = test::impatient(5, &waits);
    EXPECT_EQ(failure(inputs).message(), "40 of 40 inputs could not be downloaded");
    EXPECT_EQ(waits.size(), 8U * 4U);
}

TEST_F(PoolTest, StoresLocalFiles) {
    const fs::path file = dir_.path() / "file";
    write_file_atomically(file, "local");
    const Digest digest = pool_.add(file);
    EXPECT_EQ(digest, sha256(std::string_view("local")));
    EXPECT_EQ(pool_.add(file), digest);
    EXPECT_EQ(content({"file", digest, 5, {}}), "local");
    damage({"file", digest, 5, {}}, "other");
    EXPECT_EQ(pool_.add(file), digest);
    EXPECT_EQ(content({"file", digest, 5, {}}), "local");
}

TEST_F(PoolTest, SaysWhenAnInputIsAbsent) {
    try {
        static_cast<void>(pool_.open(input("one", "first")));
        FAIL() << "no exception";
    } catch (const Error& error) {
        EXPECT_EQ(
            error.message(),
            "'one' is not in the download cache '" + pool_.directory().string() + "'");
    }
}

} // namespace
} // namespace kiln
