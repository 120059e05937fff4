// SPDX-License-Identifier: MIT
#include "build/stage_preparer.hpp"

#include "base/parallel.hpp"
#include "sandbox/namespaces.hpp"

#include <algorithm>

namespace kiln {

namespace {

constexpr const char* kFolderName = "staged";

} // namespace

fs::path Prepared::path() const {
    return staged_data == nullptr ? fs::path() : folder->path() / kFolderName;
}

StagePreparer::StagePreparer(
    std::vector<const PlannedStage*> stages, const Store& store, const StageInputs& inputs)
    : store_(store), inputs_(inputs), waiting_(std::move(stages)) {
    std::reverse(waiting_.begin(), waiting_.end());
    thread_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
}

StagePreparer::~StagePreparer() {
    thread_.request_stop();
    const std::lock_guard lock(mutex_);
    stop_current_.request_stop();
}

void StagePreparer::work(const std::stop_token& stop) {
    lower_priority();
    while (const PlannedStage* stage = next(stop)) {
        Prepared prepared = prepare(*stage);
        const std::lock_guard lock(mutex_);
        done_[stage] = std::move(prepared);
        current_ = nullptr;
        changed_.notify_all();
    }
}

const PlannedStage* StagePreparer::next(const std::stop_token& stop) {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty() || stop.stop_requested()) {
        return nullptr;
    }
    current_ = waiting_.back();
    waiting_.pop_back();
    stop_current_ = {};
    return current_;
}

Prepared StagePreparer::prepare(const PlannedStage& stage) const {
    // A fault is the stage's own to report, when its turn comes.
    try {
        Prepared out{store_.begin_work(), nullptr};
        const fs::path folder = out.folder->path() / kFolderName;
        fs::create_directory(folder);
        const TreeRoot tree(folder, build_tree_ids());
        tree.set_ownership("/", {.mode = 0755});
        out.staged_data = stage.stage->prepare(inputs_, tree, stop_current_.get_token());
        return out;
    } catch (...) {
        return {};
    }
}

Prepared StagePreparer::take(const PlannedStage& stage) {
    std::unique_lock lock(mutex_);
    std::erase(waiting_, &stage);
    if (current_ == &stage) {
        stop_current_.request_stop();
        changed_.wait(lock, [&] { return current_ != &stage; });
    }
    const auto found = done_.find(&stage);
    return found == done_.end() ? Prepared() : std::move(found->second);
}

} // namespace kiln
