// SPDX-License-Identifier: MIT
#include "disk/qcow2/cluster_cache.hpp"

#include "base/error.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <cstring>

namespace kiln {

namespace {

constexpr std::string_view kMagic = "kiln clusters 1\n";
constexpr std::uint64_t kHeaderSize = kMagic.size() + Digest::kSize;
constexpr std::uint64_t kFlushBytes = 16 << 20;
/// A cluster that grew by deflating is never stored, so larger sizes are damage.
constexpr std::uint32_t kMaxRecord = 1 << 21;

/// What precedes each cluster's bytes.
struct RecordHeader {
    std::array<std::byte, Digest::kSize> raw{};
    std::uint32_t size = 0;
    std::uint32_t checksum = 0;        ///< of the bytes that follow
    std::uint32_t header_checksum = 0; ///< of the fields above
};

static_assert(sizeof(RecordHeader) == 44);

std::uint32_t checksum_of(Bytes bytes) {
    return static_cast<std::uint32_t>(::crc32(
        0,
        reinterpret_cast<const unsigned char*>(bytes.data()),
        static_cast<unsigned>(bytes.size())));
}

std::uint32_t header_checksum(const RecordHeader& header) {
    return checksum_of(
        std::as_bytes(std::span(&header, 1)).first(offsetof(RecordHeader, header_checksum)));
}

void append_record(std::vector<std::byte>& out, const Digest& raw, Bytes deflated) {
    RecordHeader header;
    std::memcpy(header.raw.data(), raw.bytes().data(), header.raw.size());
    header.size = static_cast<std::uint32_t>(deflated.size());
    header.checksum = checksum_of(deflated);
    header.header_checksum = header_checksum(header);
    const Bytes bytes = std::as_bytes(std::span(&header, 1));
    out.insert(out.end(), bytes.begin(), bytes.end());
    out.insert(out.end(), deflated.begin(), deflated.end());
}

/// Reads as much as there is; false when the file ends before.
bool try_read(int fd, std::span<std::byte> buffer, std::uint64_t offset) {
    while (!buffer.empty()) {
        const ssize_t size = ::pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(offset));
        if (size <= 0) {
            return false;
        }
        buffer = buffer.subspan(static_cast<std::size_t>(size));
        offset += static_cast<std::uint64_t>(size);
    }
    return true;
}

std::uint64_t file_size(int fd) {
    struct stat status{};
    return ::fstat(fd, &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

} // namespace

FileClusterCache::FileClusterCache(
    std::filesystem::path directory, std::string_view encoder, std::uint64_t max_bytes)
    : directory_(std::move(directory)), encoder_(sha256(encoder)), max_bytes_(max_bytes) {
    fs::create_directories(directory_);
    const FileLock held = lock();
    open_pack();
}

FileLock FileClusterCache::lock() const {
    return {directory_ / "lock", FileLock::Mode::exclusive};
}

void FileClusterCache::start_pack(int fd) const {
    if (::ftruncate(fd, 0) != 0) {
        throw SystemError(fmt::format("cannot truncate '{}'", pack_path().string()));
    }
    write_all_at(fd, as_byte_span(kMagic), 0, pack_path());
    write_all_at(fd, encoder_.bytes(), kMagic.size(), pack_path());
}

/// Needs the lock.
void FileClusterCache::open_pack() {
    pack_ = open_file(pack_path(), O_RDWR | O_CREAT);
    std::array<std::byte, kHeaderSize> header{};
    const bool is_ours =
        try_read(pack_.get(), header, 0) &&
        as_text(std::span(header).first(kMagic.size())) == kMagic &&
        std::memcmp(header.data() + kMagic.size(), encoder_.bytes().data(), Digest::kSize) == 0;
    index_.clear();
    if (!is_ours) {
        // Replaced, not emptied: another process may be reading it.
        AtomicFile fresh(pack_path());
        start_pack(fresh.fd());
        fresh.commit();
        pack_ = open_file(pack_path(), O_RDWR);
    }
    index_from(kHeaderSize);
}

/// Hops from record to record up to the first that is incomplete or damaged.
void FileClusterCache::index_from(std::uint64_t offset) {
    const std::uint64_t file_end = file_size(pack_.get());
    end_ = offset;
    RecordHeader header;
    while (end_ + sizeof header <= file_end &&
           try_read(pack_.get(), std::as_writable_bytes(std::span(&header, 1)), end_)) {
        const std::uint64_t content = end_ + sizeof header;
        if (header.header_checksum != header_checksum(header) || header.size > kMaxRecord ||
            content + header.size > file_end) {
            return;
        }
        index_[Digest(header.raw)] = {content, header.size, header.checksum};
        end_ = content + header.size;
    }
}

std::optional<ClusterCache::Deflated> FileClusterCache::load(const Place& place) const {
    Deflated out(place.size);
    if (!try_read(pack_.get(), out, place.offset) || checksum_of(out) != place.checksum) {
        return std::nullopt;
    }
    return out;
}

std::optional<ClusterCache::Deflated> FileClusterCache::find(const Digest& raw) {
    Place place;
    {
        const std::lock_guard guard(mutex_);
        if (const auto found = pending_.find(raw); found != pending_.end()) {
            return found->second;
        }
        const auto found = index_.find(raw);
        if (found == index_.end()) {
            return std::nullopt;
        }
        used_.insert(raw);
        place = found->second;
    }
    auto out = load(place);
    if (!out) {
        const std::lock_guard guard(mutex_);
        index_.erase(raw);
    }
    return out;
}

void FileClusterCache::put(const Digest& raw, Bytes deflated) {
    const std::lock_guard guard(mutex_);
    used_.insert(raw);
    pending_.try_emplace(raw, deflated.begin(), deflated.end());
    pending_bytes_ += deflated.size();
    if (pending_bytes_ >= kFlushBytes) {
        append_pending();
    }
}

bool FileClusterCache::is_replaced() const {
    struct stat mine{};
    struct stat named{};
    return ::fstat(pack_.get(), &mine) != 0 || ::stat(pack_path().c_str(), &named) != 0 ||
           mine.st_dev != named.st_dev || mine.st_ino != named.st_ino;
}

void FileClusterCache::append_pending() {
    const FileLock held = lock();
    if (is_replaced()) {
        open_pack();
    } else {
        index_from(end_);
    }
    std::vector<std::byte> records;
    records.reserve(pending_bytes_ + pending_.size() * sizeof(RecordHeader));
    for (const auto& [raw, deflated] : pending_) {
        if (!index_.contains(raw)) {
            append_record(records, raw, deflated);
        }
    }
    if (::ftruncate(pack_.get(), static_cast<off_t>(end_)) != 0) {
        throw SystemError(fmt::format("cannot resize '{}'", pack_path().string()));
    }
    write_all_at(pack_.get(), records, end_, pack_path());
    index_from(end_);
    pending_.clear();
    pending_bytes_ = 0;
}

void FileClusterCache::flush() {
    const std::lock_guard guard(mutex_);
    append_pending();
    if (end_ > max_bytes_) {
        compact();
    }
    set_used_now(pack_path());
}

void FileClusterCache::compact() {
    const FileLock held = lock();
    AtomicFile fresh(pack_path());
    start_pack(fresh.fd());
    std::uint64_t end = kHeaderSize;
    for (const Digest& raw : used_) {
        const auto found = index_.find(raw);
        const auto deflated = found == index_.end() ? std::nullopt : load(found->second);
        if (!deflated || end + sizeof(RecordHeader) + deflated->size() > max_bytes_) {
            continue;
        }
        std::vector<std::byte> record;
        append_record(record, raw, *deflated);
        write_all_at(fresh.fd(), record, end, fresh.temporary());
        end += record.size();
    }
    fresh.commit();
    open_pack();
}

std::size_t FileClusterCache::size() const {
    const std::lock_guard guard(mutex_);
    return index_.size() + pending_.size();
}

} // namespace kiln
