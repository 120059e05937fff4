// SPDX-License-Identifier: MIT
#include "base/interrupt.hpp"
#include "base/io/paths.hpp"
#include "build/executor.hpp"
#include "support/direct_mounter.hpp"
#include "support/fake_process_runner.hpp"
#include "support/no_inputs.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <deque>
#include <functional>
#include <future>
#include <sstream>

namespace kiln {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t kEpoch = 1'700'000'000;

using Work = std::function<void(StageContext&)>;

/// Does what a test says.
class ScriptedStage final : public Stage {
  public:
    explicit ScriptedStage(Work work) : work_(std::move(work)) {}

    std::unique_ptr<StagedData>
    prepare(const StageInputs&, const TreeRoot& folder, const std::stop_token&) const override {
        folder.write_file("ready", "staged data", {});
        prepared.set_value();
        return std::make_unique<Nothing>();
    }

    void run(StageContext& context, const StageInputs&) const override { work_(context); }

    mutable std::promise<void> prepared;

  private:
    class Nothing final : public StagedData {};

    Work work_;
};

class ExecutorTest : public testing::Test {
  protected:
    ~ExecutorTest() override { clear_interrupt(); }

    /// Adds a stage that writes a file of its name, and then does `work`.
    PlannedStage& add(const std::string& name, Work work = [](StageContext&) {}) {
        StageSpec& spec = specs_.emplace_back();
        spec.name = name;
        spec.kind = "scripted";
        PlannedStage& planned = plan_.stages.emplace_back();
        planned.spec = &spec;
        planned.key = sha256(name);
        planned.stage = std::make_unique<ScriptedStage>([this, name, work](StageContext& context) {
            ran_.push_back(name);
            put(name, "made by " + name);
            work(context);
        });
        return planned;
    }

    /// The tree that the stage which is running changes. Its files are written without the owners
    /// that TreeRoot gives them, which needs root.
    [[nodiscard]] fs::path tree() const { return mounter_.mounted.back().upper; }

    void put(const std::string& path, const std::string& text) const {
        write_file(tree() / path, text);
    }

    void make_etc() const {
        fs::create_directory(tree() / "etc");
        fs::permissions(tree() / "etc", fs::perms(0755));
    }

    ExecutorOptions options() {
        ExecutorOptions out;
        out.recipe_name = "web";
        out.make_sandbox = [this](SandboxOptions sandbox) {
            sandboxes_.push_back(std::move(sandbox));
            return std::make_unique<test::FakeProcessRunner>();
        };
        return out;
    }

    BakedTree run(const BackgroundWork& beside = {}) { return run(options(), beside); }

    /// As another kiln would: nothing is left of earlier runs but the store.
    BakedTree run(ExecutorOptions options, const BackgroundWork& beside = {}) {
        ran_.clear();
        plan_.settings.epoch = kEpoch;
        const Store store(cache_, mounter_);
        Executor executor(store, inputs_, console_, std::move(options));
        const Finally note([&] { outcomes_ = executor.outcomes(plan_); });
        return executor.run(plan_.chain(Branch::common), plan_.settings, beside);
    }

    std::string failure(const ExecutorOptions& options) {
        try {
            static_cast<void>(run(options));
        } catch (const Error& error) {
            EXPECT_THAT(error.context(), testing::Contains(HasSubstr("running stage")));
            return error.context().back() + ": " + error.message();
        }
        return "no error";
    }

    /// Names of the stages that are in the store.
    std::vector<std::string> kept() const {
        const Store store(cache_, mounter_);
        std::vector<std::string> out;
        for (const PlannedStage& planned : plan_.stages) {
            if (store.contains(planned.key)) {
                out.push_back(planned.spec->name);
            }
        }
        return out;
    }

    /// Before another kiln sweeps it.
    bool has_work_left() const { return !fs::is_empty(cache_ / "work"); }

    TempDir dir_{temporary_root(), "kiln-test"};
    fs::path cache_ = dir_.path() / "cache";
    test::DirectMounter mounter_;
    test::NoInputs inputs_;
    std::ostringstream said_;
    Console console_{said_, {}};
    std::deque<StageSpec> specs_;
    Plan plan_;
    std::vector<std::string> ran_;
    std::vector<SandboxOptions> sandboxes_;
    std::vector<StageOutcome> outcomes_;
};

TEST_F(ExecutorTest, RunsStagesInTheirOrderEachOnTheTreesBefore) {
    add("one");
    add("two");
    add("three");
    const BakedTree baked = run();
    EXPECT_THAT(ran_, ElementsAre("one", "two", "three"));
    ASSERT_EQ(mounter_.mounted.size(), 3U);
    EXPECT_THAT(mounter_.mounted[0].lowers, IsEmpty());
    const Store store(cache_, mounter_);
    EXPECT_THAT(
        mounter_.mounted[2].lowers,
        ElementsAre(store.tree_of(sha256("one")), store.tree_of(sha256("two"))));
    ASSERT_EQ(baked.deltas.size(), 3U);
    EXPECT_EQ(baked.deltas[1].planned, &plan_.stages[1]);
    EXPECT_NE(baked.deltas[1].delta.find("two"), nullptr);
    EXPECT_EQ(baked.deltas[1].delta.find("one"), nullptr);
    for (const char* name : {"one", "two", "three"}) {
        EXPECT_NE(baked.tree.find(name), nullptr) << name;
    }
}

TEST_F(ExecutorTest, ShowsAStageTheTreeBelowAndTheSettings) {
    add("one");
    add("two", [](StageContext& context) {
        EXPECT_NE(context.below->find("one"), nullptr);
        EXPECT_EQ(context.below->find("two"), nullptr);
        EXPECT_EQ(context.settings.epoch, kEpoch);
        EXPECT_EQ(context.staged_data, nullptr);
    });
    ExecutorOptions with_limits = options();
    with_limits.limits.processes = 99;
    run(with_limits);
    ASSERT_EQ(sandboxes_.size(), 2U);
    EXPECT_EQ(sandboxes_[1].root, mounter_.mounted[1].root);
    EXPECT_EQ(sandboxes_[1].epoch, kEpoch);
    EXPECT_EQ(sandboxes_[1].limits.processes, 99U);
}

TEST_F(ExecutorTest, RestoresWhatTheStoreHas) {
    add("one");
    add("two");
    const BakedTree first = run();
    EXPECT_FALSE(outcomes_.at(1).cached);
    const BakedTree second = run();
    EXPECT_THAT(ran_, IsEmpty());
    EXPECT_EQ(second.tree.digest(), first.tree.digest());
    ASSERT_EQ(outcomes_.size(), 2U);
    EXPECT_TRUE(outcomes_[1].cached);
    EXPECT_EQ(outcomes_[1].name, "two");
    EXPECT_EQ(outcomes_[1].delta_digest, first.deltas[1].delta.digest());
}

TEST_F(ExecutorTest, RunsOnlyTheStagesWhoseKeysAreNew) {
    add("one");
    add("two");
    add("three");
    run();
    plan_.stages[1].key = sha256("another two");
    plan_.stages[2].key = sha256("another three");
    run();
    EXPECT_THAT(ran_, ElementsAre("two", "three"));
}

TEST_F(ExecutorTest, KeepsNothingOfAStageThatFailed) {
    add("one");
    add("two", [](StageContext&) { throw Error("no such package"); });
    add("three");
    EXPECT_EQ(failure(options()), "running stage 'two': no such package");
    EXPECT_THAT(ran_, ElementsAre("one", "two"));
    EXPECT_FALSE(has_work_left());
    EXPECT_THAT(kept(), ElementsAre("one"));
    EXPECT_THAT(said_.str(), HasSubstr("stage 'two'"));
    EXPECT_EQ(outcomes_.size(), 1U);
}

TEST_F(ExecutorTest, KeepsAFailedStagesTreeWhenAsked) {
    add("one", [](StageContext&) { throw Error("broken"); });
    ExecutorOptions keeping = options();
    keeping.keep_work = true;
    EXPECT_EQ(failure(keeping), "running stage 'one': broken");
    ASSERT_EQ(mounter_.mounted.size(), 1U);
    EXPECT_FALSE(has_work_left());
    EXPECT_THAT(kept(), IsEmpty());
    const Store later(cache_, mounter_); // which sweeps
    ASSERT_EQ(later.kept_work().size(), 1U);
    const fs::path folder = later.kept_work()[0].folder;
    EXPECT_THAT(
        said_.str(),
        HasSubstr(fmt::format(
            "the incomplete tree was kept in '{}' until 'kiln cache prune --kept'",
            folder.string())));
    EXPECT_EQ(read_text_file(folder / "upper/one"), "made by one");
}

TEST_F(ExecutorTest, KeepsNothingOfAStageThatWasInterrupted) {
    add("one");
    add("two", [](StageContext&) { request_interrupt(); });
    add("three");
    EXPECT_THROW(run(), Interrupted);
    clear_interrupt();
    EXPECT_FALSE(has_work_left());
    EXPECT_THAT(kept(), ElementsAre("one"));
    request_interrupt();
    EXPECT_THROW(run(), Interrupted);
    EXPECT_THAT(ran_, IsEmpty());
}

TEST_F(ExecutorTest, StatesTheEpochUnlessAnInputGaveTheTime) {
    const auto write = [&](StageContext& context, const char* path, std::int64_t time) {
        put(path, path);
        context.tree.set_time(path, time);
    };
    add("one", [&](StageContext& context) {
        write(context, "of an input", 1000);
        context.kept_times["of an input"] = 1000;
        write(context, "changed since", 2000);
        context.kept_times["changed since"] = 1000;
        write(context, "newer", kEpoch + 5);
        context.kept_times["newer"] = kEpoch + 5;
        write(context, "of a script", 3000);
    });
    const FileTree tree = run().tree;
    EXPECT_EQ(tree.find("of an input")->mtime, 1000);
    for (const char* path : {"changed since", "newer", "of a script", "one"}) {
        EXPECT_EQ(tree.find(path)->mtime, kEpoch) << path;
    }
}

TEST_F(ExecutorTest, LeavesOutDirectoriesInWhichSomethingWasPlacedForAMoment) {
    const auto touch = [&](StageContext& context) {
        make_etc();
        context.restored.emplace_back("etc");
    };
    add("one", [&](StageContext&) { make_etc(); });
    add("two", touch);
    add("three", [&](StageContext& context) {
        touch(context);
        put("etc/file", "stays");
    });
    const BakedTree baked = run();
    EXPECT_EQ(baked.deltas[1].delta.find("etc"), nullptr);
    EXPECT_NE(baked.deltas[2].delta.find("etc"), nullptr);
}

TEST_F(ExecutorTest, TellsOfTheTreeBelowBeforeAStageIsMade) {
    add("one");
    add("two");
    std::vector<std::string> told;
    const BackgroundWork beside{
        .before_make = [&](const PlannedStage& planned, const FileTree& below) {
            told.push_back(
                fmt::format("{} on {} paths", planned.spec->name, below.entries().size()));
        }};
    run(beside);
    EXPECT_THAT(told, ElementsAre("one on 0 paths", "two on 2 paths"));
    told.clear();
    run(beside);
    EXPECT_THAT(told, IsEmpty());
}

TEST_F(ExecutorTest, GivesAStageItsStagedData) {
    if (::geteuid() != 0) {
        GTEST_SKIP() << "gives staged data to the tree's root, which needs root";
    }
    PlannedStage& planned = add("one", [](StageContext& context) {
        EXPECT_NE(context.staged_data, nullptr);
        const std::string folder = kStagingFolder;
        EXPECT_EQ(context.tree.read_text(folder + "/ready"), "staged data");
        context.tree.remove(folder);
    });
    const Store store(cache_, mounter_);
    StagePreparer preparer({&planned}, store, inputs_);
    dynamic_cast<const ScriptedStage&>(*planned.stage).prepared.get_future().wait();
    const BakedTree baked = run(BackgroundWork{.preparer = &preparer});
    EXPECT_EQ(baked.tree.find(kStagingFolder), nullptr);
    EXPECT_NE(baked.tree.find("one"), nullptr);
}

TEST_F(ExecutorTest, RebuildsAndComparesButKeepsWhatIsThere) {
    int runs = 0;
    add("same");
    add("different", [&](StageContext&) { put("count", std::to_string(++runs)); });
    const BakedTree first = run();
    ExecutorOptions again = options();
    again.rebuild = true;
    const BakedTree second = run(again);
    EXPECT_THAT(ran_, ElementsAre("same", "different"));
    EXPECT_EQ(second.tree.digest(), first.tree.digest());
    EXPECT_THAT(said_.str(), HasSubstr("stage 'different' is not reproducible"));
    EXPECT_THAT(said_.str(), testing::Not(HasSubstr("stage 'same' is not reproducible")));
    EXPECT_FALSE(outcomes_.at(0).other_delta);
    EXPECT_EQ(outcomes_.at(1).other_delta, first.deltas[1].delta.digest());
}

TEST_F(ExecutorTest, RemembersWhatAStageMadeThatWasRemoved) {
    int runs = 0;
    add("different", [&](StageContext&) { put("count", std::to_string(++runs)); });
    const Digest before = run().deltas[0].delta.digest();
    {
        const Store store(cache_, mounter_);
        EXPECT_TRUE(store.remove(store.list().at(0)));
    }
    run();
    EXPECT_EQ(outcomes_.at(0).other_delta, before);
    EXPECT_THAT(said_.str(), HasSubstr("1 of 3 paths differ"));
}

TEST_F(ExecutorTest, RunsADamagedStageAgain) {
    add("one");
    add("two");
    run();
    {
        const Store store(cache_, mounter_);
        write_file_atomically(
            store.tree_of(sha256("one")).parent_path() / "manifest", "not a manifest\n");
    }
    run();
    EXPECT_THAT(ran_, ElementsAre("one"));
    EXPECT_THAT(kept(), ElementsAre("one", "two"));
}

} // namespace
} // namespace kiln
