// SPDX-License-Identifier: MIT
//
// One download into the pool: resumed, locked against other kilns, verified, then renamed. A part
// of the pool; others use inputs/pool.hpp.
#pragma once

#include "base/console.hpp"
#include "base/http/http.hpp"
#include "inputs/pool.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

namespace kiln {

/// What all downloads of a fetch share: the progress line, and whether anything gets through.
/// Thread-safe.
class FetchProgress {
  public:
    FetchProgress(
        Console& console,
        const std::vector<PoolInput>& inputs,
        const std::vector<std::size_t>& wanted);

    void add_bytes(std::int64_t bytes);
    void file_done();
    /// Says that another kiln is fetching an input.
    void waiting_for(const std::string& name);

    /// Counts transfers that failed after all retries.
    void transfer_failed() { ++failed_in_a_row_; }

    /// So many transfers failed one after the other that waiting between attempts is in vain.
    [[nodiscard]] bool is_hopeless() const { return failed_in_a_row_ >= kHopeless; }

    void end(bool ok);

  private:
    static constexpr unsigned kHopeless = 8;
    Job job_;
    std::size_t files_;
    std::atomic<std::size_t> files_done_{0};
    std::atomic<std::int64_t> bytes_{0};
    std::atomic<unsigned> failed_in_a_row_{0};
};

/// No server had the input.
class DownloadError : public ErrorOfKind<DownloadError> {
  public:
    using ErrorOfKind::ErrorOfKind;

    /// Of the first whole file of another content; nothing when there was none.
    std::optional<Digest> found = std::nullopt;
};

struct Download {
    std::filesystem::path target;
    const PoolInput& input;
    HttpClient& client;
    const RetryPolicy& retry;
    FetchProgress& progress;
};

/// Returns when the verified file is at `target`, whoever brought it. Throws DownloadError with
/// a line per URL; a part that can be resumed is left behind.
void download_into_pool(const Download& download);

} // namespace kiln
