// SPDX-License-Identifier: MIT
#include "artifact/perl/bundle_progress.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

namespace kiln {

double perl_work() {
    return 200;
}

double distribution_work(const PlannedDistribution& distribution) {
    // A few small programs whatever it holds, and the rest by its size.
    constexpr double kBytesASecond = 100'000;
    return distribution.tool == BuildTool::none
               ? 0.1
               : 1.5 + static_cast<double>(distribution.source->size) / kBytesASecond;
}

std::string BundleProgress::begin() {
    const std::lock_guard lock(mutex_);
    ++begun_;
    std::string out = fmt::format("{} of {}", begun_, count_);
    // The first few say nothing about the speed of this machine.
    constexpr double kEnough = 0.05;
    if (done_ > kEnough * work_) {
        const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
        out += fmt::format(", about {} left", format_duration((work_ - done_) * seconds / done_));
    }
    return out;
}

void BundleProgress::done(double work) {
    const std::lock_guard lock(mutex_);
    done_ += work;
}

} // namespace kiln
