// SPDX-License-Identifier: MIT
//
// A file on its way into a bucket: in one request when it is small, else in parts of a fixed size,
// several at the same time, which are held to the file's MD5s. An upload that was broken off goes
// on with the parts that are missing.
#pragma once

#include "base/console.hpp"
#include "base/io/digest.hpp"
#include "base/io/file.hpp"
#include "publish/s3/s3_client.hpp"

#include <nlohmann/json_fwd.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace kiln {

/// What must be known to go on with an upload in another process, or to remove it.
struct S3UploadState {
    std::string key;
    std::uint64_t size = 0;
    Digest digest; ///< SHA-256 of the file
    /// Bytes of each part but the last; 0: the object is sent in one request.
    std::uint64_t part_size = 0;
    std::string upload;  ///< the id that the service gave; empty: none yet
    bool is_new = false; ///< nothing was sent yet: nothing can be at the service. Not saved

    bool operator==(const S3UploadState&) const = default;
};

[[nodiscard]] nlohmann::ordered_json to_json_value(const S3UploadState& state);
/// Throws Error when it is not such a state.
[[nodiscard]] S3UploadState s3_upload_state_of(const nlohmann::ordered_json& json);

struct S3UploadOptions {
    unsigned jobs = 4; ///< parts at the same time
    std::string content_type = "application/octet-stream";
    bool public_read = false;
    /// Called before the service gets something new that would have to be removed.
    std::function<void(const S3UploadState&)> save = {};
};

struct S3UploadReport {
    std::uint64_t bytes_sent = 0; ///< those of repeated requests included
    std::uint64_t parts_sent = 0; ///< 1 for an object in one request
    std::uint64_t parts_there = 0;
};

/// A file of at least this many bytes is sent in parts.
inline constexpr std::uint64_t kMultipartFrom = std::uint64_t{64} << 20U;

/// 16 to 64 MiB, so that there are about a thousand parts at most; 0 for a file that is sent in one
/// request. Throws Error when the file is larger than an upload with 10,000 parts.
[[nodiscard]] std::uint64_t part_size_for(std::uint64_t size);

/// An upload of a file that nobody has begun.
[[nodiscard]] S3UploadState
new_s3_upload(std::string key, std::uint64_t size, const Digest& digest);

/// Sends the file; afterwards the object of the key has its content. `state` may come from an
/// upload that was broken off at any time, or that was finished, and is kept up to date. Throws
/// Error when the file is not the one that the state is of, or changes meanwhile; else what
/// S3Client throws. What is at the service then stays there: see discard_s3_upload(). `progress`
/// counts bytes; its total is set here.
S3UploadReport upload_to_s3(
    S3Client& client,
    const fs::path& file,
    S3UploadState& state,
    const S3UploadOptions& options,
    Job& progress);

/// Removes the object and whatever there is of its upload. What is gone is fine.
void discard_s3_upload(S3Client& client, const S3UploadState& state);

} // namespace kiln
