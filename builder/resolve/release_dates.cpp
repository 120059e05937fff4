// SPDX-License-Identifier: MIT
#include "resolve/release_dates.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace kiln {

namespace {

constexpr std::int64_t kDay = std::int64_t{24} * 3600;
/// Debian's point releases are some two months apart.
constexpr std::int64_t kLongAgo = 180 * kDay;

std::string describe(const LockedRelease& release) {
    return fmt::format("suite '{}' of archive '{}'", release.suite, release.archive);
}

} // namespace

std::vector<std::string> describe_steps_back(const Lockfile& before, const Lockfile& after) {
    std::vector<std::string> out;
    const auto say = [&](const std::string& what, std::int64_t was, std::int64_t is) {
        out.push_back(fmt::format(
            "{} is dated {}, older than in the current lock ({}): the mirror is out of date, or "
            "serves an old state on purpose (replay attack)",
            what,
            format_rfc3339(is),
            format_rfc3339(was)));
    };
    for (const LockedRelease& now : after.releases) {
        const auto old = std::find_if(
            before.releases.begin(), before.releases.end(), [&](const LockedRelease& each) {
                return each.archive == now.archive && each.suite == now.suite;
            });
        if (old != before.releases.end() && now.date < old->date) {
            say(describe(now), old->date, now.date);
        }
    }
    if (before.releases.empty() && after.distributions.empty() && after.epoch < before.epoch) {
        say("the newest Release file", before.epoch, after.epoch);
    }
    return out;
}

std::vector<std::string>
describe_old_releases(const std::vector<LockedRelease>& releases, std::int64_t now) {
    std::vector<std::string> out;
    for (const LockedRelease& release : releases) {
        if (release.date + kLongAgo <= now) {
            out.push_back(fmt::format(
                "{} was last signed {} days ago, on {}",
                describe(release),
                (now - release.date) / kDay,
                format_rfc3339(release.date)));
        }
    }
    return out;
}

} // namespace kiln
