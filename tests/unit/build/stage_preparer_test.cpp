// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "build/stage_preparer.hpp"
#include "support/no_inputs.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <future>
#include <stdexcept>

namespace kiln {
namespace {

using test::NoInputs;

class Noted final : public StagedData {};

/// Writes a file as its staged data, then goes on until it is told to stop or let go.
class SlowStage final : public Stage {
  public:
    std::unique_ptr<StagedData> prepare(
        const StageInputs&, const TreeRoot& folder, const std::stop_token& stop) const override {
        folder.write_file("done", "staged", {});
        started.set_value();
        while (!stop.stop_requested() && !finish) {
            std::this_thread::yield();
        }
        was_stopped = stop.stop_requested();
        return std::make_unique<Noted>();
    }

    void run(StageContext&, const StageInputs&) const override {}

    mutable std::promise<void> started;
    mutable std::atomic<bool> was_stopped = false;
    std::atomic<bool> finish = false;
};

class PlainStage final : public Stage {
  public:
    void run(StageContext&, const StageInputs&) const override {}
};

class FailingStage final : public Stage {
  public:
    std::unique_ptr<StagedData>
    prepare(const StageInputs&, const TreeRoot&, const std::stop_token&) const override {
        throw Error("the input is damaged");
    }

    void run(StageContext&, const StageInputs&) const override {}
};

template <typename Kind> PlannedStage planned() {
    PlannedStage out;
    out.stage = std::make_unique<Kind>();
    return out;
}

class StagePreparerTest : public testing::Test {
  protected:
    void SetUp() override {
        if (::geteuid() != 0) {
            GTEST_SKIP() << "gives staged data to the tree's root, which needs root";
        }
    }

    static const SlowStage& slow(const PlannedStage& stage) {
        return dynamic_cast<const SlowStage&>(*stage.stage);
    }

    static void wait_until_started(const PlannedStage& stage) {
        slow(stage).started.get_future().wait();
    }

    TempDir dir_{temporary_root(), "ahead-test"};
    Store store_{dir_.path()};
    NoInputs inputs_;
};

TEST_F(StagePreparerTest, HandsOverWhatWasDoneWhenTheStagesTurnComes) {
    const PlannedStage stage = planned<SlowStage>();
    StagePreparer preparer({&stage}, store_, inputs_);
    wait_until_started(stage);
    const Prepared prepared = preparer.take(stage);
    EXPECT_TRUE(slow(stage).was_stopped);
    ASSERT_NE(prepared.staged_data, nullptr);
    EXPECT_EQ(read_text_file(prepared.path() / "done"), "staged");
}

TEST_F(StagePreparerTest, GoesOnToTheNextStage) {
    std::array stages{planned<SlowStage>(), planned<SlowStage>()};
    dynamic_cast<SlowStage&>(*stages[0].stage).finish = true;
    StagePreparer preparer({&stages[0], &stages[1]}, store_, inputs_);
    wait_until_started(stages[1]);
    EXPECT_NE(preparer.take(stages[0]).staged_data, nullptr);
    EXPECT_FALSE(slow(stages[0]).was_stopped);
    EXPECT_NE(preparer.take(stages[1]).staged_data, nullptr);
}

TEST_F(StagePreparerTest, DoesNothingForAStageWhoseTurnHasCome) {
    std::array stages{planned<SlowStage>(), planned<SlowStage>()};
    StagePreparer preparer({&stages[0], &stages[1]}, store_, inputs_);
    wait_until_started(stages[0]);
    EXPECT_EQ(preparer.take(stages[1]).staged_data, nullptr);
    EXPECT_TRUE(preparer.take(stages[1]).path().empty());
    static_cast<void>(preparer.take(stages[0]));
    EXPECT_EQ(
        slow(stages[1]).started.get_future().wait_for(std::chrono::milliseconds(50)),
        std::future_status::timeout);
}

TEST_F(StagePreparerTest, LeavesFaultsToTheStageItself) {
    std::array stages{planned<FailingStage>(), planned<PlainStage>(), planned<SlowStage>()};
    StagePreparer preparer({&stages[0], &stages[1], &stages[2]}, store_, inputs_);
    wait_until_started(stages[2]);
    EXPECT_TRUE(preparer.take(stages[0]).path().empty());
    EXPECT_TRUE(preparer.take(stages[1]).path().empty());
}

TEST_F(StagePreparerTest, EndsInTheMiddleAndLeavesNothing) {
    const PlannedStage stage = planned<SlowStage>();
    {
        const StagePreparer preparer({&stage}, store_, inputs_);
        wait_until_started(stage);
    }
    EXPECT_TRUE(slow(stage).was_stopped);
    EXPECT_TRUE(fs::is_empty(dir_.path() / "work"));
}

} // namespace
} // namespace kiln
