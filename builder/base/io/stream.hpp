// SPDX-License-Identifier: MIT
//
// Byte streams: sinks that are pushed to and sources that are pulled from, composed by reference.
// finish() is explicit because it can fail; destructors never write.
#pragma once

#include "base/error.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kiln {

using Bytes = std::span<const std::byte>;

/// Views text as bytes.
[[nodiscard]] inline Bytes as_byte_span(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

/// Views bytes as text.
[[nodiscard]] inline std::string_view as_text(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class Sink {
  public:
    Sink() = default;
    Sink(const Sink&) = delete;
    Sink& operator=(const Sink&) = delete;
    virtual ~Sink() = default;

    /// Takes all of `bytes` or throws.
    virtual void write(Bytes bytes) = 0;

    /// Flushes and ends the stream, and those below it that this sink owns the end of.
    virtual void finish() {}

    void write_text(std::string_view text) { write(as_byte_span(text)); }
};

class Source {
  public:
    Source() = default;
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;
    virtual ~Source() = default;

    /// Fills at most `buffer`; returns the number of bytes, 0 at the end.
    virtual std::size_t read(std::span<std::byte> buffer) = 0;
};

class NullSink final : public Sink {
  public:
    void write(Bytes) override {}
};

class MemorySink final : public Sink {
  public:
    void write(Bytes bytes) override { data_.insert(data_.end(), bytes.begin(), bytes.end()); }

    [[nodiscard]] const std::vector<std::byte>& data() const noexcept { return data_; }

    [[nodiscard]] std::string_view text() const noexcept { return as_text(data_); }

  private:
    std::vector<std::byte> data_;
};

/// Text in memory, for what others send and may be larger than anyone needs.
class LimitedSink : public Sink {
  public:
    /// More than `limit` bytes: `too_large` is thrown, and what came before is kept.
    LimitedSink(std::uint64_t limit, Error too_large)
        : limit_(limit), too_large_(std::move(too_large)) {}

    void write(Bytes bytes) override;

    void clear() { text_.clear(); }

    [[nodiscard]] const std::string& text() const noexcept { return text_; }

    [[nodiscard]] std::string take() { return std::move(text_); }

  private:
    std::uint64_t limit_;
    Error too_large_;
    std::string text_;
};

class MemorySource final : public Source {
  public:
    explicit MemorySource(Bytes bytes) : rest_(bytes) {}

    std::size_t read(std::span<std::byte> buffer) override;

  private:
    Bytes rest_;
};

/// Copies what it gets to two sinks; finishes both.
class TeeSink final : public Sink {
  public:
    TeeSink(Sink& first, Sink& second) : first_(first), second_(second) {}

    void write(Bytes bytes) override {
        first_.write(bytes);
        second_.write(bytes);
    }

    void finish() override {
        first_.finish();
        second_.finish();
    }

  private:
    Sink& first_;
    Sink& second_;
};

/// Counts what passes on to the sink below.
class CountingSink final : public Sink {
  public:
    explicit CountingSink(Sink& below) : below_(below) {}

    void write(Bytes bytes) override {
        count_ += bytes.size();
        below_.write(bytes);
    }

    void finish() override { below_.finish(); }

    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }

  private:
    Sink& below_;
    std::uint64_t count_ = 0;
};

/// Copies everything; returns the number of bytes. Throws Interrupted after SIGINT or SIGTERM.
std::uint64_t copy(Source& from, Sink& to);

} // namespace kiln
