// SPDX-License-Identifier: MIT
//
// Does the groundwork of later stages on a thread of low priority while earlier ones run.
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

/// Groundwork that is done, and where.
struct Prepared {
    std::unique_ptr<WorkFolder> folder;
    std::unique_ptr<Groundwork> groundwork; ///< null: there is none
    [[nodiscard]] fs::path path() const;    ///< for Store::begin(); empty when there is none
};

class Ahead {
  public:
    /// Begins with the first of `stages`. Plan, store and inputs must outlive this.
    Ahead(std::vector<const PlannedStage*> stages, const Store& store, const StageInputs& inputs);
    Ahead(const Ahead&) = delete;
    Ahead& operator=(const Ahead&) = delete;
    /// Ends the work within moments.
    ~Ahead();

    /// What is done of a stage, whose turn has come; nothing more will be done for it.
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
