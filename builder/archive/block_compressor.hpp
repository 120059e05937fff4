// SPDX-License-Identifier: MIT
//
// Cuts a stream into blocks of a fixed size, compresses them on several threads and joins the
// results in order. Knows nothing of any compression format.
#pragma once

#include "base/io/stream.hpp"

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace kiln {

/// REPRO: blocks are cut by position, so the output does not depend on the number of threads.
class BlockCompressor : public Sink {
  public:
    /// Turns one block into bytes that can follow those of the block before.
    using Compress = std::function<std::vector<std::byte>(Bytes)>;

    struct Options {
        std::size_t block_size;
        unsigned jobs; ///< threads; 1 compresses on the caller's thread
    };

    /// `below` must outlive this. `make` is called once for each thread, on the caller's.
    BlockCompressor(Sink& below, Options options, const std::function<Compress()>& make);
    BlockCompressor(const BlockCompressor&) = delete;
    BlockCompressor& operator=(const BlockCompressor&) = delete;
    ~BlockCompressor() override;

    void write(Bytes bytes) override;
    /// Writes what is left (an empty block if there was nothing at all), and finishes the sink
    /// below.
    void finish() override;

  private:
    struct Block {
        std::vector<std::byte> data; ///< plain, then compressed
        bool done = false;
        std::exception_ptr error;
    };

    void submit();
    void write_first();
    void work(const Compress& compress);

    Sink& below_;
    Options options_;
    std::vector<std::byte> current_;
    bool any_submitted_ = false;
    Compress compress_here_;

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::shared_ptr<Block>> in_order_;
    std::deque<std::shared_ptr<Block>> to_do_;
    bool stopping_ = false;
    std::vector<std::jthread> threads_;
};

} // namespace kiln
