// SPDX-License-Identifier: MIT
#include "archive/block_compressor.hpp"

#include "base/interrupt.hpp"

#include <algorithm>
#include <utility>

namespace kiln {

BlockCompressor::BlockCompressor(
    Sink& below, Options options, const std::function<Compress()>& make)
    : below_(below), options_(options) {
    current_.reserve(options_.block_size);
    if (options_.jobs <= 1) {
        compress_here_ = make();
        return;
    }
    // All that can fail comes before the first thread, which only the destructor ends.
    std::vector<Compress> compressors(options_.jobs);
    std::generate(compressors.begin(), compressors.end(), make);
    for (Compress& compressor : compressors) {
        threads_.emplace_back([this, compress = std::move(compressor)] { work(compress); });
    }
}

BlockCompressor::~BlockCompressor() {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
}

void BlockCompressor::write(Bytes bytes) {
    while (!bytes.empty()) {
        const std::size_t count = std::min(bytes.size(), options_.block_size - current_.size());
        current_.insert(current_.end(), bytes.begin(), bytes.begin() + static_cast<long>(count));
        bytes = bytes.subspan(count);
        if (current_.size() == options_.block_size) {
            submit();
        }
    }
}

void BlockCompressor::finish() {
    if (!current_.empty() || !any_submitted_) {
        submit();
    }
    while (!in_order_.empty()) {
        write_first();
    }
    below_.finish();
}

void BlockCompressor::submit() {
    throw_if_interrupted();
    any_submitted_ = true;
    if (compress_here_) {
        below_.write(compress_here_(current_));
        current_.clear();
        return;
    }
    auto block = std::make_shared<Block>();
    block->data = std::exchange(current_, {});
    current_.reserve(options_.block_size);
    in_order_.push_back(block);
    {
        const std::lock_guard lock(mutex_);
        to_do_.push_back(std::move(block));
    }
    changed_.notify_all();
    // Twice the threads keeps them busy and bounds memory.
    while (in_order_.size() > std::size_t{2} * options_.jobs) {
        write_first();
    }
}

void BlockCompressor::write_first() {
    const std::shared_ptr<Block> block = in_order_.front();
    {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return block->done; });
    }
    in_order_.pop_front();
    if (block->error) {
        std::rethrow_exception(block->error);
    }
    below_.write(block->data);
}

void BlockCompressor::work(const Compress& compress) {
    while (true) {
        std::shared_ptr<Block> block;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [&] { return stopping_ || !to_do_.empty(); });
            if (stopping_) {
                return;
            }
            block = std::move(to_do_.front());
            to_do_.pop_front();
        }
        try {
            block->data = compress(block->data);
        } catch (...) {
            block->error = std::current_exception();
        }
        {
            const std::lock_guard lock(mutex_);
            block->done = true;
        }
        changed_.notify_all();
    }
}

} // namespace kiln
