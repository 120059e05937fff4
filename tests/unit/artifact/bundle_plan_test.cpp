// SPDX-License-Identifier: MIT
//
// The plan of a perl bundle: what each distribution is built on, and which keys a change of one
// input changes.
#include "artifact/perl/bundle_plan.hpp"
#include "resolve/upstream_release.hpp"
#include "support/expect_error.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <functional>

namespace kiln {
namespace {

using test::message_of;
using testing::ElementsAre;
using testing::IsEmpty;

/// perl, a, b on a, c on b, and d, which needs none of them.
class BundlePlans : public testing::Test {
  protected:
    BundlePlans() {
        bundle_.name = "core";
        bundle_.prefix = "/opt/perl";
        bundle_.perl.from = DebianSource{"perl", "", ""};
        lock_.recipe = "core";
        lock_.architecture = "amd64";
        lock_.epoch = 1'700'000'000;
        lock_.stages = {{"common", kBuildRootStage, {}}};
        lock_.sources.push_back(source("perl"));
        for (const auto& [name, needs] : std::vector<std::pair<std::string, std::string>>{
                 {"a", ""}, {"b", "a"}, {"c", "b"}, {"d", ""}}) {
            bundle_.distributions.push_back({DebianSource{name, "", ""}, {}, {}, {}});
            lock_.sources.push_back(source(name));
            LockedDistribution locked{name, name, "1", "Makefile.PL", {}};
            if (!needs.empty()) {
                locked.needs = {needs};
            }
            lock_.distributions.push_back(std::move(locked));
        }
    }

    static LockedSource source(const std::string& name) {
        return {
            "debian", name, "1.0", "pool/" + name + ".tar.gz", "debian", "stable", 7, sha256(name)};
    }

    [[nodiscard]] LockedSource& source_of(Lockfile& lock, const std::string& name) const {
        return *std::ranges::find(lock.sources, name, &LockedSource::name);
    }

    [[nodiscard]] BundlePlan plan() const { return {bundle_, lock_, pool_}; }

    /// Names of all keys of a plan that a change of bundle and lock changes.
    std::vector<std::string>
    changed_by(const std::function<void(PerlBundle&, Lockfile&)>& change) const {
        PerlBundle bundle = bundle_;
        Lockfile lock = lock_;
        change(bundle, lock);
        const BundlePlan before = plan();
        const BundlePlan after(bundle, lock, pool_);
        std::vector<std::string> out;
        const auto note = [&](const std::string& name, const Digest& one, const Digest& other) {
            if (one != other) {
                out.push_back(name);
            }
        };
        note("root", before.root().key(), after.root().key());
        note("perl", before.perl_key(), after.perl_key());
        for (std::size_t i = 0; i < before.distributions().size(); ++i) {
            note(
                before.distributions()[i].locked->source,
                before.distributions()[i].key,
                after.distributions()[i].key);
        }
        note("bundle", before.key(), after.key());
        return out;
    }

    /// What a lock that does not fit says, with exit code 3.
    std::string fault(const std::function<void(PerlBundle&, Lockfile&)>& change) const {
        PerlBundle bundle = bundle_;
        Lockfile lock = lock_;
        change(bundle, lock);
        return message_of(
            [&] { const BundlePlan unused(bundle, lock, pool_); }, ExitCode::invalid_recipe);
    }

    PerlBundle bundle_;
    Lockfile lock_;
    Pool pool_{"/nonexistent"};
};

TEST_F(BundlePlans, SayWhatADistributionIsBuiltOn) {
    const BundlePlan made = plan();
    ASSERT_EQ(made.distributions().size(), 4U);
    EXPECT_EQ(made.perl_source().name, "perl");
    EXPECT_EQ(made.perl().prefix, "/opt/perl");
    EXPECT_THAT(made.distributions()[0].all_needs, IsEmpty());
    EXPECT_THAT(made.distributions()[2].needs, ElementsAre(1U));
    EXPECT_THAT(made.distributions()[2].all_needs, ElementsAre(0U, 1U)) << "and what that needs";
    EXPECT_THAT(made.distributions()[3].all_needs, IsEmpty());
}

TEST_F(BundlePlans, ChangeTheKeysOfWhatIsBuiltOnAChangeAndNoOthers) {
    const auto all = ElementsAre("perl", "a", "b", "c", "d", "bundle");
    EXPECT_THAT(changed_by([](PerlBundle&, Lockfile&) {}), IsEmpty());
    EXPECT_THAT(
        changed_by([&](PerlBundle&, Lockfile& lock) { source_of(lock, "a").sha256 = Digest(); }),
        ElementsAre("a", "b", "c", "bundle"));
    EXPECT_THAT(
        changed_by([&](PerlBundle&, Lockfile& lock) { source_of(lock, "d").sha256 = Digest(); }),
        ElementsAre("d", "bundle"));
    EXPECT_THAT(
        changed_by([](PerlBundle&, Lockfile& lock) { lock.distributions[1].tool = "Build.PL"; }),
        ElementsAre("b", "c", "bundle"));
    EXPECT_THAT(
        changed_by([](PerlBundle&, Lockfile& lock) { lock.distributions[3].needs = {"c"}; }),
        ElementsAre("d", "bundle"));
    EXPECT_THAT(
        changed_by([&](PerlBundle&, Lockfile& lock) { source_of(lock, "perl").sha256 = Digest(); }),
        all);
    EXPECT_THAT(changed_by([](PerlBundle& b, Lockfile&) { b.prefix = "/opt/other"; }), all);
    EXPECT_THAT(
        changed_by([](PerlBundle&, Lockfile& lock) { lock.epoch += 1; }),
        ElementsAre("root", "perl", "a", "b", "c", "d", "bundle"));
}

/// Where files come from and what they are called is for people.
TEST_F(BundlePlans, HaveTheSameKeysForTheSameFilesFromElsewhere) {
    EXPECT_THAT(
        changed_by([&](PerlBundle& bundle, Lockfile& lock) {
            bundle.name = "other";
            lock.recipe = "other";
            bundle.summary = "another line";
            for (LockedSource& each : lock.sources) {
                each.location = "elsewhere/" + each.name;
                each.suite = "testing";
            }
            lock.distributions[0].name = "Another-Name";
            lock.distributions[0].version = "2";
        }),
        IsEmpty());
}

TEST_F(BundlePlans, RefuseALockOfAnotherBundle) {
    const std::string start = "the lock of bundle 'core' is out of date: ";
    EXPECT_EQ(
        fault([](PerlBundle& b, Lockfile&) {
            b.distributions.push_back({DebianSource{"e", "", ""}, {}, {}, {}});
        }),
        start + "e differs from " + SourcePos().to_string());
    EXPECT_EQ(
        fault([](PerlBundle& b, Lockfile&) { b.distributions.pop_back(); }),
        start + "d is not in the bundle");
    EXPECT_EQ(
        fault([](PerlBundle& b, Lockfile&) {
            b.distributions[0].from = DebianSource{"a", "testing", ""};
        }),
        start + "a differs from " + SourcePos().to_string());
    EXPECT_EQ(
        fault([](PerlBundle& b, Lockfile&) {
            b.distributions[0].from = DebianSource{"a", "", "2.0"};
        }),
        start + "a differs from " + SourcePos().to_string());
    EXPECT_EQ(
        fault([](PerlBundle&, Lockfile& lock) { lock.distributions.clear(); }),
        start + "it has no build order");
    EXPECT_EQ(
        fault([](PerlBundle&, Lockfile& lock) { lock.distributions[0].tool = "configure"; }),
        "the lock requires an unknown build tool 'configure'");
}

/// What CPAN's releases need may come from CPAN as well, without being named.
TEST_F(BundlePlans, TakeReleasesOfCpanThatTheBundleDoesNotName) {
    LockedSource release = source("Needed-1.0.tar.gz");
    release.kind = kCpanSource;
    lock_.sources.push_back(release);
    lock_.distributions.push_back({release.name, "Needed", "1.0", "Makefile.PL", {}});
    EXPECT_EQ(plan().distributions().size(), 5U);
}

} // namespace
} // namespace kiln
