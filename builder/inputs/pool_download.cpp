// SPDX-License-Identifier: MIT
#include "inputs/pool_download.hpp"

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/io/digest.hpp"
#include "base/io/file.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>
#include <thread>

namespace kiln {

namespace {

/// What a download may hold whose size no lock says: an endless one must not fill the disk.
constexpr std::uint64_t kMostOfUnknown = std::uint64_t{16} << 30U;

/// A locked file that holds the first bytes of an input.
class PartFile {
  public:
    /// Waits while another kiln writes it. Throws Interrupted.
    PartFile(fs::path path, const std::function<void()>& waiting) : path_(std::move(path)) {
        do {
            fd_ = open_own_file(path_, O_RDWR | O_CREAT);
            wait_for_lock(fd_.get(), LOCK_EX, path_, waiting);
            // Who held the lock may have renamed or removed the file; then ours is not it any more.
        } while (!is_current());
        size_ = static_cast<std::uint64_t>(::lseek(fd_.get(), 0, SEEK_END));
    }

    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

    void append(Bytes bytes) {
        write_all_at(fd_.get(), bytes, size_, path_);
        size_ += bytes.size();
    }

    void clear() {
        if (::ftruncate(fd_.get(), 0) != 0) {
            throw SystemError(fmt::format("cannot truncate '{}'", path_.string()));
        }
        size_ = 0;
    }

    [[nodiscard]] Digest digest() const { return sha256_file(path_.string()); }

    void move_to(const fs::path& target) {
        if (::fchmod(fd_.get(), 0444) != 0 || ::rename(path_.c_str(), target.c_str()) != 0) {
            throw SystemError(fmt::format("cannot create '{}'", target.string()));
        }
    }

    /// While the lock is held, so that nobody else's part is hit.
    void remove() { ::unlink(path_.c_str()); }

  private:
    [[nodiscard]] bool is_current() const {
        struct stat ours{};
        struct stat named{};
        return ::fstat(fd_.get(), &ours) == 0 && ::stat(path_.c_str(), &named) == 0 &&
               ours.st_ino == named.st_ino && ours.st_dev == named.st_dev;
    }

    fs::path path_;
    UniqueFd fd_;
    std::uint64_t size_ = 0;
};

/// Fills a part from one URL after the other.
class PartDownload {
  public:
    PartDownload(const Download& download, PartFile& part) : download_(download), part_(part) {}

    /// True when the part holds the whole, verified input.
    bool fill() {
        if (download_.input.size != 0 && part_.size() > download_.input.size) {
            clear();
        }
        download_.progress.add_bytes(static_cast<std::int64_t>(part_.size()));
        return std::any_of(
            download_.input.urls.begin(), download_.input.urls.end(), [&](const std::string& url) {
                return fill_from(url);
            });
    }

    /// Why fill() failed.
    [[nodiscard]] DownloadError error() && {
        DownloadError out = failures_.empty()       ? DownloadError("no download location is known")
                            : failures_.size() == 1 ? DownloadError(failures_.front())
                                                    : DownloadError("not found on any mirror");
        if (failures_.size() > 1) {
            out.set_details(std::move(failures_));
        }
        out.found = found_;
        return out;
    }

  private:
    class PartSink final : public Sink {
      public:
        explicit PartSink(PartDownload& part_download) : part_download_(part_download) {}

        void write(Bytes bytes) override { part_download_.take(bytes); }

      private:
        PartDownload& part_download_;
    };

    bool fill_from(const std::string& url) {
        const bool resumed = part_.size() > 0;
        if (!transfer(url)) {
            return false;
        }
        if (const auto fault = find_fault()) {
            // What was there before may be the wrong half: once more from the beginning.
            clear();
            if (resumed) {
                return fill_from(url);
            }
            failures_.push_back(fmt::format("{} ({})", *fault, redact_url(url)));
            return false;
        }
        return true;
    }

    bool transfer(const std::string& url) {
        RetryPolicy retry = download_.retry;
        if (download_.progress.is_hopeless()) {
            retry.attempts = 1;
        }
        try {
            const HttpResponse response = with_retries(retry, [&] { return attempt(url); });
            if (response.ok()) {
                return true;
            }
            failures_.push_back(
                response.status == 404
                    ? fmt::format("not found (404) at {}", redact_url(url))
                    : fmt::format("status {} from {}", response.status, redact_url(url)));
        } catch (const TransferError& error) {
            download_.progress.transfer_failed();
            failures_.push_back(error.message());
        } catch (const TooLong& error) {
            clear();
            failures_.push_back(fmt::format("{} ({})", error.what, redact_url(url)));
        }
        return false;
    }

    HttpResponse attempt(const std::string& url) {
        if (download_.input.size != 0 && part_.size() == download_.input.size) {
            HttpResponse complete;
            complete.status = 200;
            return complete;
        }
        HttpRequest request;
        request.url = url;
        request.purpose = download_.input.purpose;
        request.offset = part_.size();
        request.expected_size = download_.input.size; // a server may ignore the offset
        request.on_response = [&](const HttpResponse& response) { begin(response); };
        PartSink sink(*this);
        HttpResponse response = download_.client.send(request, sink);
        if (response.status == 416) {
            // The server's file ends before our part does.
            clear();
            throw TransferError(
                fmt::format("'{}' became shorter while it was being read", redact_url(url)), true);
        }
        return response;
    }

    void begin(const HttpResponse& response) {
        if (response.body_offset == part_.size()) {
            return;
        }
        if (response.body_offset != 0) {
            throw TransferError(
                fmt::format(
                    "the server returned the wrong byte range of '{}'", redact_url(response.url)),
                false);
        }
        clear();
    }

    void take(Bytes bytes) {
        const std::uint64_t size = download_.input.size;
        if (size != 0 && part_.size() + bytes.size() > size) {
            throw TooLong{fmt::format("larger than the {} bytes in the lock", size)};
        }
        if (size == 0 && part_.size() + bytes.size() > kMostOfUnknown) {
            throw TooLong{fmt::format("larger than {}", format_size(kMostOfUnknown))};
        }
        part_.append(bytes);
        download_.progress.add_bytes(static_cast<std::int64_t>(bytes.size()));
    }

    void clear() {
        download_.progress.add_bytes(-static_cast<std::int64_t>(part_.size()));
        part_.clear();
    }

    [[nodiscard]] std::optional<std::string> find_fault() {
        const PoolInput& input = download_.input;
        if (input.size != 0 && part_.size() != input.size) {
            return fmt::format("size mismatch: {} bytes, expected {}", part_.size(), input.size);
        }
        if (const Digest found = part_.digest(); found != input.sha256) {
            found_ = found_.value_or(found);
            return fmt::format(
                "checksum mismatch: expected {}, got {}",
                input.sha256.to_string(),
                found.to_string());
        }
        return std::nullopt;
    }

    struct TooLong {
        std::string what;
    };

    const Download& download_;
    PartFile& part_;
    std::vector<std::string> failures_;
    std::optional<Digest> found_;
};

} // namespace

FetchProgress::FetchProgress(
    Console& console, const std::vector<PoolInput>& inputs, const std::vector<std::size_t>& wanted)
    : job_(console.start("fetch")), files_(wanted.size()) {
    std::uint64_t total = 0;
    for (const std::size_t i : wanted) {
        total += inputs[i].size;
    }
    job_.set_total(total, Job::Unit::bytes);
}

void FetchProgress::add_bytes(std::int64_t bytes) {
    const std::int64_t now = bytes_ += bytes;
    job_.set_done(static_cast<std::uint64_t>(std::max<std::int64_t>(now, 0)));
}

void FetchProgress::waiting_for(const std::string& name) {
    job_.note(fmt::format("waiting for another kiln process to download {}", name));
}

void FetchProgress::file_done() {
    failed_in_a_row_ = 0;
    job_.note(fmt::format("{} of {} files", ++files_done_, files_));
}

void FetchProgress::end(bool ok) {
    if (ok) {
        job_.finish(fmt::format("{} files", files_));
    }
}

void download_into_pool(const Download& download) {
    fs::create_directories(download.target.parent_path());
    PartFile part(download.target.string() + ".part", [&] {
        download.progress.waiting_for(download.input.name);
    });
    if (fs::exists(download.target)) {
        // Another kiln brought it (and verified it) while this one waited for the lock.
        part.remove();
        download.progress.add_bytes(static_cast<std::int64_t>(download.input.size));
        download.progress.file_done();
        return;
    }
    PartDownload part_download(download, part);
    if (part_download.fill()) {
        part.move_to(download.target);
        download.progress.file_done();
        return;
    }
    if (part.size() == 0) {
        part.remove();
    }
    throw std::move(part_download).error();
}

} // namespace kiln
