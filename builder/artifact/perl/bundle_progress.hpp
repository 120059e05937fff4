// SPDX-License-Identifier: MIT
//
// How far the building of a bundle is, in words.
#pragma once

#include "artifact/perl/bundle_plan.hpp"

#include <chrono>
#include <mutex>
#include <string>
#include <vector>

namespace kiln {

/// Estimated work of building perl and a distribution, in the same unit (about a second of one
/// core). For estimates of the time left and for what is begun first; nothing depends on it.
[[nodiscard]] double perl_work();
[[nodiscard]] double distribution_work(const PlannedDistribution& distribution);

/// Thread-safe.
class BundleProgress {
  public:
    /// `work` of all that is going to be built.
    BundleProgress(std::size_t count, double work)
        : count_(count), work_(work), start_(Clock::now()) {}

    /// "12 of 193, about 3m left": for what begins now.
    [[nodiscard]] std::string begin();
    void done(double work);

  private:
    using Clock = std::chrono::steady_clock;

    std::mutex mutex_;
    std::size_t count_;
    std::size_t begun_ = 0;
    double work_;
    double done_ = 0;
    Clock::time_point start_;
};

} // namespace kiln
