// SPDX-License-Identifier: MIT
#include "base/parallel.hpp"

#include "base/interrupt.hpp"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace kiln {

namespace {

/// Hands out items, at most `ahead` beyond what has been taken in order.
class Queue {
  public:
    Queue(std::size_t count, std::size_t ahead) : done_(count, false), ahead_(ahead) {}

    void work_through(const std::function<void(std::size_t)>& work) {
        while (const auto item = next()) {
            try {
                throw_if_interrupted();
                work(*item);
                set_done(*item);
            } catch (...) {
                fail(std::current_exception());
                return;
            }
        }
    }

    /// Waits until item `i` is done; false when a worker failed.
    bool wait(std::size_t i) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return done_[i] || error_; });
        if (error_) {
            return false;
        }
        taken_ = i + 1;
        changed_.notify_all();
        return true;
    }

    void fail(std::exception_ptr error) {
        const std::lock_guard lock(mutex_);
        if (!error_) {
            error_ = std::move(error);
        }
        changed_.notify_all();
    }

    void rethrow_failure() {
        const std::lock_guard lock(mutex_);
        if (error_) {
            std::rethrow_exception(error_);
        }
    }

  private:
    std::optional<std::size_t> next() {
        std::unique_lock lock(mutex_);
        changed_.wait(
            lock, [&] { return error_ || next_ == done_.size() || next_ < taken_ + ahead_; });
        if (error_ || next_ == done_.size()) {
            return std::nullopt;
        }
        return next_++;
    }

    void set_done(std::size_t i) {
        const std::lock_guard lock(mutex_);
        done_[i] = true;
        changed_.notify_all();
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<bool> done_;
    std::size_t ahead_;
    std::size_t next_ = 0;
    std::size_t taken_ = 0;
    std::exception_ptr error_;
};

std::vector<std::jthread>
start_workers(Queue& queue, std::size_t count, const std::function<void(std::size_t)>& work) {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < count; ++i) {
        threads.emplace_back([&] { queue.work_through(work); });
    }
    return threads;
}

} // namespace

void parallel_for(std::size_t count, unsigned jobs, const std::function<void(std::size_t)>& work) {
    Queue queue(count, count);
    {
        const auto others =
            start_workers(queue, std::min<std::size_t>(std::max(jobs, 1U), count), work);
    }
    queue.rethrow_failure();
}

void parallel_ordered(
    std::size_t count,
    unsigned jobs,
    const std::function<void(std::size_t)>& work,
    const std::function<void(std::size_t)>& in_order) {
    const std::size_t workers = std::max(jobs, 1U);
    Queue queue(count, 2 * workers);
    {
        const auto threads = start_workers(queue, std::min(workers, count), work);
        try {
            for (std::size_t i = 0; i < count && queue.wait(i); ++i) {
                in_order(i);
            }
        } catch (...) {
            queue.fail(std::current_exception());
        }
    }
    queue.rethrow_failure();
}

void lower_priority() {
    constexpr int kNice = 10;
    // On Linux "process 0" is the calling thread. Being refused costs time only.
    static_cast<void>(::setpriority(PRIO_PROCESS, 0, kNice));
}

unsigned default_jobs() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (::sched_getaffinity(0, sizeof set, &set) == 0) {
        return static_cast<unsigned>(std::max(CPU_COUNT(&set), 1));
    }
    return std::max(std::thread::hardware_concurrency(), 1U);
}

} // namespace kiln
