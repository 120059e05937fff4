// SPDX-License-Identifier: MIT
#include "publish/s3/s3_upload.hpp"

#include "base/error.hpp"
#include "base/json_object.hpp"
#include "base/parallel.hpp"
#include "base/text.hpp"
#include "publish/s3/file_window.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <utility>

namespace kiln {

namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;
constexpr std::uint64_t kSmallestPart = 16 * kMiB;
constexpr std::uint64_t kLargestPart = 64 * kMiB;
constexpr std::uint64_t kMostParts = 10'000; // of S3; Spaces has the same

std::uint64_t divided_up(std::uint64_t value, std::uint64_t by) {
    return value / by + (value % by == 0 ? 0 : 1);
}

class Upload {
  public:
    Upload(
        S3Client& client,
        const fs::path& file,
        S3UploadState& state,
        const S3UploadOptions& options,
        Job& progress)
        : client_(client), file_(file), state_(state), options_(options), progress_(progress) {
        if (file_.size() != state_.size) {
            throw file_.changed();
        }
    }

    S3UploadReport run() {
        const bool is_new = std::exchange(state_.is_new, false);
        progress_.set_total(state_.size, Job::Unit::bytes);
        if (!is_new && file_.digest() != state_.digest) {
            throw file_.changed();
        }
        if (state_.part_size == 0) {
            send_whole(is_new);
        } else {
            send_parts(is_new);
        }
        file_.require_unchanged();
        report_.bytes_sent = sent_;
        report_.parts_sent = parts_sent_;
        return report_;
    }

  private:
    void save() const {
        if (options_.save) {
            options_.save(state_);
        }
    }

    [[nodiscard]] std::vector<HttpHeader> headers() const {
        std::vector<HttpHeader> out{{"content-type", options_.content_type}};
        if (options_.public_read) {
            out.push_back({"x-amz-acl", "public-read"});
        }
        return out;
    }

    void show(std::int64_t bytes) {
        const std::int64_t done = done_ += bytes;
        progress_.set_done(static_cast<std::uint64_t>(std::max<std::int64_t>(done, 0)));
    }

    /// The content of a window, digested. Its source counts what is sent; what an attempt before it
    /// sent has to be sent again.
    [[nodiscard]] S3Content content_of(std::uint64_t offset, std::uint64_t size) {
        const WindowDigests digests = file_.digests_of(offset, size);
        const auto counted = std::make_shared<std::int64_t>(0);
        return {
            [this, offset, size, counted]() -> std::unique_ptr<Source> {
                show(-std::exchange(*counted, 0));
                return file_.open(offset, size, [this, counted](std::size_t bytes) {
                    *counted += static_cast<std::int64_t>(bytes);
                    sent_ += bytes;
                    show(static_cast<std::int64_t>(bytes));
                });
            },
            size,
            digests.sha256,
            digests.md5};
    }

    /// Runs a request with content of the file. A service that got other bytes than those that were
    /// digested just before refuses them or states another MD5: that is the file's fault.
    template <typename Body> void send_content(Body&& body) {
        try {
            std::forward<Body>(body)();
        } catch (const Error&) {
            file_.require_unchanged();
            throw;
        }
    }

    void send_whole(bool is_new) {
        const S3Content content = content_of(0, state_.size);
        if (!is_new) {
            const auto there = client_.find(state_.key);
            if (there && there->size == state_.size && there->etag == content.md5) {
                ++report_.parts_there;
                show(static_cast<std::int64_t>(state_.size));
                return;
            }
        }
        save();
        send_content([&] { client_.put(state_.key, content, headers()); });
        ++parts_sent_;
    }

    void begin() {
        save(); // without an id: uploads of the key are looked for, then
        state_.upload = client_.create_upload(state_.key, headers());
        save();
    }

    /// The parts that the service has; nothing when the object is complete.
    [[nodiscard]] std::optional<std::vector<S3Part>> find_parts(bool is_new) {
        if (!is_new && state_.upload.empty()) {
            if (const auto ids = client_.uploads_of(state_.key); !ids.empty()) {
                state_.upload = ids.front();
                save();
            }
        }
        if (!state_.upload.empty()) {
            if (auto parts = client_.list_parts(state_.key, state_.upload)) {
                return parts;
            }
        }
        if (!is_new && is_complete()) {
            return std::nullopt;
        }
        begin();
        return std::vector<S3Part>();
    }

    [[nodiscard]] std::size_t part_count() const {
        return divided_up(state_.size, state_.part_size);
    }

    [[nodiscard]] std::uint64_t offset_of(std::size_t i) const { return i * state_.part_size; }

    [[nodiscard]] std::uint64_t size_of(std::size_t i) const {
        return std::min(state_.part_size, state_.size - offset_of(i));
    }

    [[nodiscard]] bool is_complete() {
        const auto object = client_.find(state_.key);
        if (!object || object->size != state_.size) {
            return false;
        }
        std::vector<S3Part> parts(part_count());
        parallel_for(parts.size(), options_.jobs, [&](std::size_t i) {
            parts[i] = {
                static_cast<unsigned>(i + 1),
                size_of(i),
                file_.digests_of(offset_of(i), size_of(i)).md5};
        });
        return object->etag == etag_of_parts(parts);
    }

    void send_parts(bool is_new) {
        const auto found = find_parts(is_new);
        if (!found) {
            report_.parts_there = part_count();
            show(static_cast<std::int64_t>(state_.size));
            return;
        }
        std::map<unsigned, S3Part> there;
        for (const S3Part& part : *found) {
            there.emplace(part.number, part);
        }
        std::vector<S3Part> parts(part_count());
        std::atomic<std::uint64_t> kept{0};
        parallel_for(parts.size(), options_.jobs, [&](std::size_t i) {
            const auto number = static_cast<unsigned>(i + 1);
            const S3Content content = content_of(offset_of(i), size_of(i));
            const auto had = there.find(number);
            if (had != there.end() && had->second.size == content.size &&
                had->second.etag == content.md5) {
                parts[i] = had->second;
                ++kept;
                show(static_cast<std::int64_t>(content.size));
                return;
            }
            send_content([&] {
                parts[i] = client_.upload_part(state_.key, state_.upload, number, content);
            });
            ++parts_sent_;
        });
        report_.parts_there = kept;
        file_.require_unchanged();
        client_.complete_upload(state_.key, state_.upload, parts);
    }

    S3Client& client_;
    WatchedFile file_;
    S3UploadState& state_;
    const S3UploadOptions& options_;
    Job& progress_;
    S3UploadReport report_;
    std::atomic<std::int64_t> done_{0};
    std::atomic<std::uint64_t> sent_{0};
    std::atomic<std::uint64_t> parts_sent_{0};
};

} // namespace

nlohmann::ordered_json to_json_value(const S3UploadState& state) {
    return {
        {"key", state.key},
        {"size", state.size},
        {"sha256", state.digest.hex()},
        {"part_size", state.part_size},
        {"upload", state.upload}};
}

S3UploadState s3_upload_state_of(const nlohmann::ordered_json& json) {
    const JsonObject object(json, "the saved upload");
    S3UploadState out;
    out.key = object.text("key");
    out.size = object.number("size");
    out.part_size = object.number("part_size");
    out.upload = object.text("upload");
    const auto digest = Digest::parse(object.text("sha256"));
    const bool fits = out.part_size == 0 || divided_up(out.size, out.part_size) <= kMostParts;
    if (!digest || out.key.empty() || !fits) {
        throw Error("the saved upload is not valid");
    }
    out.digest = *digest;
    return out;
}

std::uint64_t part_size_for(std::uint64_t size) {
    constexpr std::uint64_t kUsualParts = 1000;
    if (size < kMultipartFrom) {
        return 0;
    }
    const std::uint64_t part = std::clamp(
        divided_up(divided_up(size, kUsualParts), kMiB) * kMiB, kSmallestPart, kLargestPart);
    if (divided_up(size, part) > kMostParts) {
        throw Error(fmt::format(
            "a file of {} is too large for an upload; {} are possible",
            format_size(size),
            format_size(kLargestPart * kMostParts)));
    }
    return part;
}

S3UploadState new_s3_upload(std::string key, std::uint64_t size, const Digest& digest) {
    return {std::move(key), size, digest, part_size_for(size), "", true};
}

S3UploadReport upload_to_s3(
    S3Client& client,
    const fs::path& file,
    S3UploadState& state,
    const S3UploadOptions& options,
    Job& progress) {
    return Upload(client, file, state, options, progress).run();
}

void discard_s3_upload(S3Client& client, const S3UploadState& state) {
    std::vector<std::string> uploads;
    if (state.part_size > 0) {
        uploads = client.uploads_of(state.key);
    }
    if (!state.upload.empty() &&
        std::find(uploads.begin(), uploads.end(), state.upload) == uploads.end()) {
        uploads.push_back(state.upload);
    }
    for (const std::string& upload : uploads) {
        client.abort_upload(state.key, upload);
    }
    client.remove(state.key);
}

} // namespace kiln
