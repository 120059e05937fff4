// SPDX-License-Identifier: MIT
//
// Prepares later stages, such as unpacking their packages, on a thread of low priority while
// earlier ones run.
#pragma once

#include "build/plan.hpp"
#include "build/store.hpp"

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace kiln {

/// Data that was prepared for a stage, and the folder that contains it.
struct Prepared {
    std::unique_ptr<WorkFolder> folder;
    std::unique_ptr<StagedData> staged_data; ///< null: there is none
    [[nodiscard]] fs::path path() const;     ///< for Store::begin(); empty when there is none
};

class StagePreparer {
  public:
    /// Begins with the first of `stages`. Plan, store and inputs must outlive this.
    StagePreparer(
        std::vector<const PlannedStage*> stages, const Store& store, const StageInputs& inputs);
    StagePreparer(const StagePreparer&) = delete;
    StagePreparer& operator=(const StagePreparer&) = delete;
    /// Ends the work within moments.
    ~StagePreparer();

    /// What was prepared for a stage that is about to run; nothing more is prepared for it.
    [[nodiscard]] Prepared take(const PlannedStage& stage);

  private:
    void work(const std::stop_token& stop);
    /// The next stage whose turn has not come; null when there is none.
    const PlannedStage* next(const std::stop_token& stop);
    Prepared prepare(const PlannedStage& stage) const;

    const Store& store_;
    const StageInputs& inputs_;
    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::vector<const PlannedStage*> waiting_; ///< the next one last
    const PlannedStage* current_ = nullptr;
    std::stop_source stop_current_;
    std::map<const PlannedStage*, Prepared> done_;
    std::jthread thread_;
};

} // namespace kiln
