// SPDX-License-Identifier: MIT
//
// Work on several cores whose result does not depend on how many there are.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace kiln {

/// Calls `work(i)` for every i in [0, count) on up to `jobs` threads. The first exception stops the
/// hand-out of further items and is rethrown after all threads have ended. Interruption does the
/// same.
void parallel_for(std::size_t count, unsigned jobs, const std::function<void(std::size_t)>& work);

/// Runs `work(i)` in parallel and `in_order(i)` strictly in the order of i, on the calling thread,
/// as results become ready. At most `2 * jobs` items are worked ahead, which bounds memory.
/// REPRO: output is cut by position and joined in order.
void parallel_ordered(
    std::size_t count,
    unsigned jobs,
    const std::function<void(std::size_t)>& work,
    const std::function<void(std::size_t)>& in_order);

/// Calls `work(i)` for every i in [0, needs.size()) on up to `jobs` threads, each after all of
/// needs[i] are done; of those that could be next, the one with the highest priority first. `needs`
/// must have no circles. Ends as parallel_for does.
void parallel_graph(
    const std::vector<std::vector<std::size_t>>& needs,
    const std::vector<double>& priority,
    unsigned jobs,
    const std::function<void(std::size_t)>& work);

/// Lets the calling thread, and threads and programs that it starts from now on, run only where
/// others leave a processor idle. For work off the critical path.
void lower_priority();

/// Number of processors this process may use, at least 1.
[[nodiscard]] unsigned default_jobs();

} // namespace kiln
