// SPDX-License-Identifier: MIT
#include "perl/prerequisites.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

ModuleNeed need(std::string module, std::string_view range = "0") {
    return {NeedPhase::runtime, std::move(module), VersionRange::parse(range).value()};
}

BundleMember member(std::string name, PerlModules modules, std::vector<ModuleNeed> needs) {
    BundleMember out;
    out.name = name;
    out.distribution.name = std::move(name);
    out.distribution.modules = std::move(modules);
    out.distribution.needs = std::move(needs);
    return out;
}

const PerlModules kCore{{"Carp", "1.54"}, {"HTTP::Tiny", "0.088"}};

std::vector<std::string>
order_of(const std::vector<BundleMember>& members, const std::string& perl = "5.40.1") {
    const BuildOrder built = resolve_prerequisites(members, kCore, perl);
    EXPECT_THAT(built.faults, IsEmpty());
    std::vector<std::string> out;
    for (const std::size_t i : built.order) {
        out.push_back(members[i].name);
    }
    return out;
}

std::vector<std::string> faults_of(const std::vector<BundleMember>& members) {
    return resolve_prerequisites(members, kCore, "5.40.1").faults;
}

TEST(ResolvePrerequisites, PutsWhatIsNeededFirstAndTheRestByName) {
    EXPECT_THAT(
        order_of(
            {member("A", {{"A", "1"}}, {need("Z", "1.5"), need("Carp")}),
             member("C", {{"C", "1"}}, {}),
             member("B", {{"B", "1"}}, {}),
             member("Z", {{"Z", "1.5"}}, {need("perl", "5.036")})}),
        ElementsAre("B", "C", "Z", "A"));
}

TEST(ResolvePrerequisites, PrefersTheDistributionThatIsCalledLikeTheModule) {
    const auto built = resolve_prerequisites(
        {member("Bundled", {{"Foo::Bar", "9"}}, {}),
         member("Foo-Bar", {{"Foo::Bar", "2"}}, {}),
         member("User", {}, {need("Foo::Bar", "2")})},
        kCore,
        "5.40.1");
    EXPECT_THAT(built.faults, IsEmpty());
    EXPECT_THAT(built.needs[2], ElementsAre(1));
}

TEST(ResolvePrerequisites, PrefersADistributionToCore) {
    EXPECT_THAT(
        order_of(
            {member("A", {}, {need("HTTP::Tiny", "0.090")}),
             member("HTTP-Tiny", {{"HTTP::Tiny", "0.090"}}, {})}),
        ElementsAre("HTTP-Tiny", "A"));
}

TEST(ResolvePrerequisites, TakesNeedsThatTheBundleStates) {
    BundleMember user = member("A", {}, {});
    user.also_needs = {"B"};
    EXPECT_THAT(order_of({user, member("B", {}, {})}), ElementsAre("B", "A"));
    user.also_needs = {"C"};
    EXPECT_THAT(faults_of({user}), ElementsAre("A requires C, which is not in the bundle"));
}

TEST(ResolvePrerequisites, NamesEveryModuleThatNobodyProvides) {
    EXPECT_THAT(
        faults_of({member("A", {}, {need("X"), need("Y", "2.1")}), member("B", {}, {need("X")})}),
        ElementsAre(
            "A requires X to run, which no distribution in the bundle provides",
            "A requires Y 2.1 to run, which no distribution in the bundle provides",
            "B requires X to run, which no distribution in the bundle provides"));
}

TEST(ResolvePrerequisites, NamesVersionsThatWillNotDo) {
    EXPECT_THAT(
        faults_of(
            {member("A", {}, {need("B", "2"), need("HTTP::Tiny", "1"), need("perl", "5.42")}),
             member("B", {{"B", "1.9"}}, {})}),
        ElementsAre(
            "A requires B 2 to run, but B has 1.9",
            "A requires HTTP::Tiny 1 to run, but perl has 0.088",
            "A requires perl 5.42 to run, but perl has 5.40.1"));
}

TEST(ResolvePrerequisites, LetsVersionsPassThatOnlyPerlCouldTell) {
    EXPECT_THAT(
        order_of({member("A", {}, {need("B", "2")}), member("B", {{"B", ""}}, {})}),
        ElementsAre("B", "A"));
}

TEST(ResolvePrerequisites, NamesTheMembersOfACircle) {
    EXPECT_THAT(
        faults_of(
            {member("User", {}, {need("A")}),
             member("A", {{"A", ""}}, {need("B")}),
             member("B", {{"B", ""}}, {need("C")}),
             member("C", {{"C", ""}}, {need("A")})}),
        ElementsAre("circular dependency between distributions: A -> B -> C -> A"));
}

} // namespace
} // namespace kiln
