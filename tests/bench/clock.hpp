// SPDX-License-Identifier: MIT
//
// Time of a piece of work: by the clock, and of all processors (children included), which is the
// fairer number on a busy machine.
#pragma once

#include <sys/resource.h>

#include <chrono>
#include <functional>

namespace kiln::bench {

struct Times {
    double wall = 0; ///< seconds
    double cpu = 0;  ///< seconds
};

inline double cpu_seconds() {
    double total = 0;
    for (const int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
        rusage usage{};
        ::getrusage(who, &usage);
        for (const timeval& time : {usage.ru_utime, usage.ru_stime}) {
            total += static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
        }
    }
    return total;
}

inline Times measure(const std::function<void()>& body) {
    const auto start = std::chrono::steady_clock::now();
    const double cpu = cpu_seconds();
    body();
    return {
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(),
        cpu_seconds() - cpu};
}

} // namespace kiln::bench
