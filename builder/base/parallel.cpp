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

/// What threads take items from until none is left or one of them has failed.
class WorkQueue {
  public:
    WorkQueue() = default;
    WorkQueue(const WorkQueue&) = delete;
    WorkQueue& operator=(const WorkQueue&) = delete;
    virtual ~WorkQueue() = default;

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

  protected:
    /// Waits for an item; nothing when all are taken or error_ is set.
    virtual std::optional<std::size_t> next() = 0;
    virtual void set_done(std::size_t i) = 0;

    std::mutex mutex_;
    std::condition_variable changed_;
    std::exception_ptr error_;
};

/// Hands out items, at most `ahead` beyond what has been taken in order.
class Queue final : public WorkQueue {
  public:
    Queue(std::size_t count, std::size_t ahead) : done_(count, false), ahead_(ahead) {}

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

  private:
    std::optional<std::size_t> next() override {
        std::unique_lock lock(mutex_);
        changed_.wait(
            lock, [&] { return error_ || next_ == done_.size() || next_ < taken_ + ahead_; });
        if (error_ || next_ == done_.size()) {
            return std::nullopt;
        }
        return next_++;
    }

    void set_done(std::size_t i) override {
        const std::lock_guard lock(mutex_);
        done_[i] = true;
        changed_.notify_all();
    }

    std::vector<bool> done_;
    std::size_t ahead_;
    std::size_t next_ = 0;
    std::size_t taken_ = 0;
};

/// Hands out the nodes of a graph whose needs are done.
class GraphQueue final : public WorkQueue {
  public:
    GraphQueue(
        const std::vector<std::vector<std::size_t>>& needs, const std::vector<double>& priority)
        : priority_(priority), needed_by_(needs.size()), missing_(needs.size()),
          left_(needs.size()) {
        for (std::size_t i = 0; i < needs.size(); ++i) {
            missing_[i] = needs[i].size();
            for (const std::size_t need : needs[i]) {
                needed_by_[need].push_back(i);
            }
            if (missing_[i] == 0) {
                ready_.push_back(i);
            }
        }
    }

  private:
    std::optional<std::size_t> next() override {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return error_ || left_ == 0 || !ready_.empty(); });
        if (error_ || left_ == 0) {
            return std::nullopt;
        }
        const auto best =
            std::max_element(ready_.begin(), ready_.end(), [&](std::size_t a, std::size_t b) {
                return priority_[a] < priority_[b];
            });
        const std::size_t item = *best;
        ready_.erase(best);
        return item;
    }

    void set_done(std::size_t i) override {
        const std::lock_guard lock(mutex_);
        --left_;
        for (const std::size_t user : needed_by_[i]) {
            if (--missing_[user] == 0) {
                ready_.push_back(user);
            }
        }
        changed_.notify_all();
    }

    const std::vector<double>& priority_;
    std::vector<std::vector<std::size_t>> needed_by_;
    std::vector<std::size_t> missing_; ///< needs of each node that are not done
    std::vector<std::size_t> ready_;
    std::size_t left_;
};

std::vector<std::jthread>
start_workers(WorkQueue& queue, std::size_t count, const std::function<void(std::size_t)>& work) {
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

void parallel_graph(
    const std::vector<std::vector<std::size_t>>& needs,
    const std::vector<double>& priority,
    unsigned jobs,
    const std::function<void(std::size_t)>& work) {
    GraphQueue queue(needs, priority);
    {
        const auto threads =
            start_workers(queue, std::min<std::size_t>(std::max(jobs, 1U), needs.size()), work);
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
