// SPDX-License-Identifier: MIT
#include "resolve/make_lock.hpp"
#include "resolve/release_dates.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace kiln {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t kMay = 1'777'593'600; // 2026-05-01
constexpr std::int64_t kJune = 1'780'272'000;

Lockfile lock_of_dates(std::int64_t debian, std::int64_t security) {
    Lockfile lock;
    lock.recipe = "web";
    lock.architecture = "amd64";
    lock.epoch = std::max(debian, security);
    lock.releases = {{"debian", "bookworm", debian}, {"security", "bookworm-security", security}};
    return lock;
}

TEST(ReleaseDates, AreSaidWhenOneWentBack) {
    EXPECT_THAT(
        describe_steps_back(lock_of_dates(kMay, kMay), lock_of_dates(kMay, kJune)), IsEmpty());
    EXPECT_THAT(
        describe_steps_back(lock_of_dates(kMay, kJune), lock_of_dates(kJune, kMay)),
        ElementsAre(
            "suite 'bookworm-security' of archive 'security' is dated 2026-05-01T00:00:00Z, older "
            "than in the current lock (2026-06-01T00:00:00Z): the mirror is out of date, or "
            "serves an old state on purpose (replay attack)"));
    EXPECT_THAT(describe_steps_back(Lockfile(), lock_of_dates(kMay, kMay)), IsEmpty());
}

TEST(ReleaseDates, GoByTheEpochWhereThereAreNone) {
    Lockfile before = lock_of_dates(kJune, kJune);
    before.releases.clear();
    EXPECT_THAT(
        describe_steps_back(before, lock_of_dates(kMay, kMay)),
        ElementsAre(HasSubstr("the newest Release file is dated 2026-05-01T00:00:00Z, older")));
}

TEST(ReleaseDates, AreSaidWhenAllIsLongAgo) {
    const auto releases = lock_of_dates(kMay, kJune).releases;
    constexpr std::int64_t kDay = 86'400;
    EXPECT_THAT(describe_old_releases(releases, kMay + 179 * kDay), IsEmpty());
    EXPECT_THAT(
        describe_old_releases(releases, kMay + 180 * kDay),
        ElementsAre("suite 'bookworm' of archive 'debian' was last signed 180 days ago, on "
                    "2026-05-01T00:00:00Z"));
}

TEST(ReplaceLock, WarnsOfAnOlderState) {
    const TempDir dir(temporary_root(), "kiln-test");
    const fs::path path = dir.path() / "web.lock";
    std::ostringstream log;
    Console console(log, {});
    static_cast<void>(replace_lock(path, lock_of_dates(kJune, kJune), console));
    EXPECT_EQ(log.str(), "");
    static_cast<void>(replace_lock(path, lock_of_dates(kMay, kJune), console));
    EXPECT_THAT(
        log.str(), HasSubstr("warning: suite 'bookworm' of archive 'debian' is dated 2026-05"));
}

TEST(ReplaceLock, KeepsWhatCameOutOfTheSame) {
    const TempDir dir(temporary_root(), "kiln-test");
    const fs::path path = dir.path() / "web.lock";
    std::ostringstream log;
    Console console(log, {});
    Lockfile built = lock_of_dates(kMay, kMay);
    built.result = LockedResult{sha256("key"), sha256("tree")};
    static_cast<void>(replace_lock(path, built, console));
    static_cast<void>(replace_lock(path, lock_of_dates(kMay, kMay), console));
    EXPECT_EQ(load_lockfile(path.string()).result, built.result);
    static_cast<void>(replace_lock(path, lock_of_dates(kMay, kJune), console));
    EXPECT_EQ(load_lockfile(path.string()).result, std::nullopt);
}

} // namespace
} // namespace kiln
