// SPDX-License-Identifier: MIT
#include "disk/qcow2/qcow2.hpp"

#include "base/byte_order.hpp"
#include "base/error.hpp"
#include "base/io/file.hpp"
#include "base/parallel.hpp"
#include "disk/qcow2/qcow2_deflate.hpp"
#include "disk/qcow2/qcow2_header.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <span>
#include <vector>

namespace kiln {

namespace {

constexpr std::uint64_t kCluster = 65536;
constexpr unsigned kClusterBits = 16;
constexpr std::uint64_t kSector = 512;
constexpr std::uint64_t kL2Entries = kCluster / 8;
constexpr std::uint64_t kRefcountsPerBlock = kCluster / 2;
constexpr std::uint64_t kCopied = std::uint64_t{1} << 63;
constexpr std::uint64_t kCompressed = std::uint64_t{1} << 62;
/// In an L2 entry of a compressed cluster the count of sectors begins at bit 62 - (bits - 8).
constexpr unsigned kSectorsShift = 62 - (kClusterBits - 8);
constexpr std::size_t kBatch = 16; ///< clusters a work item
constexpr std::size_t kWriteBuffer = 4 << 20;

using Buffer = std::vector<std::byte>;

bool is_zero(Bytes bytes) {
    return bytes[0] == std::byte{0} &&
           std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

Buffer big_endian(std::span<const std::uint64_t> values) {
    Buffer out(values.size() * 8);
    for (std::size_t i = 0; i < values.size(); ++i) {
        put_be(out, i * 8, values[i], 8);
    }
    return out;
}

std::uint64_t clusters_for(std::uint64_t bytes) {
    return (bytes + kCluster - 1) / kCluster;
}

/// The raw disk, cut into batches; those that lie in holes are left out.
class RawDisk {
  public:
    explicit RawDisk(int fd) : fd_(fd) {
        struct stat status{};
        if (::fstat(fd, &status) != 0) {
            throw SystemError("cannot read the raw disk");
        }
        size_ = static_cast<std::uint64_t>(status.st_size);
        if (size_ == 0 || size_ % kSector != 0) {
            throw Error(fmt::format("disk size {} is not a multiple of the sector size", size_));
        }
        find_batches();
    }

    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

    /// First clusters of the batches with data.
    [[nodiscard]] const std::vector<std::uint64_t>& batches() const noexcept { return batches_; }

    [[nodiscard]] Buffer read_batch(std::size_t index) const {
        const std::uint64_t offset = batches_[index] * kCluster;
        const std::uint64_t size = std::min(kBatch * kCluster, size_ - offset);
        Buffer out(clusters_for(size) * kCluster);
        read_exactly_at(fd_, std::span(out).first(size), offset, "raw disk");
        return out;
    }

  private:
    void find_batches() {
        constexpr std::uint64_t kBatchBytes = kBatch * kCluster;
        std::uint64_t at = 0;
        while (at < size_) {
            const off_t data = ::lseek(fd_, static_cast<off_t>(at), SEEK_DATA);
            if (data < 0 && errno == ENXIO) {
                return;
            }
            if (data > 0) {
                at = static_cast<std::uint64_t>(data) / kBatchBytes * kBatchBytes;
            }
            batches_.push_back(at / kCluster);
            at += kBatchBytes;
        }
    }

    int fd_;
    std::uint64_t size_ = 0;
    std::vector<std::uint64_t> batches_;
};

/// Lays clusters behind each other and counts references.
class ImageFile {
  public:
    ImageFile(int fd, const fs::path& name, std::uint64_t first_cluster)
        : fd_(fd), name_(name), next_cluster_(first_cluster), refcounts_(first_cluster, 1) {}

    /// Returns the L2 entry.
    std::uint64_t add_plain(Bytes cluster) {
        const std::uint64_t offset = add_clusters(1);
        write(offset, cluster);
        return offset | kCopied;
    }

    std::uint64_t add_compressed(Bytes deflated) {
        const std::uint64_t offset = place(deflated.size());
        write(offset, deflated);
        packed_end_ = offset + deflated.size();
        const std::uint64_t sectors = (packed_end_ + kSector - 1) / kSector - offset / kSector;
        const std::uint64_t last = (offset / kSector + sectors) * kSector - 1;
        for (std::uint64_t i = offset / kCluster; i <= last / kCluster; ++i) {
            KILN_CHECK(refcounts_[i] < 0xffff);
            ++refcounts_[i];
        }
        return kCompressed | (sectors - 1) << kSectorsShift | offset;
    }

    /// New clusters of metadata or plain data, referenced once; returns their offset.
    std::uint64_t add_clusters(std::uint64_t count) {
        const std::uint64_t offset = next_cluster_ * kCluster;
        next_cluster_ += count;
        refcounts_.resize(next_cluster_, 1);
        return offset;
    }

    void write(std::uint64_t offset, Bytes bytes) {
        if (offset != buffer_at_ + buffer_.size() || buffer_.size() >= kWriteBuffer) {
            flush();
            buffer_at_ = offset;
        }
        buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
    }

    void flush() {
        write_all_at(fd_, buffer_, buffer_at_, name_);
        buffer_.clear();
    }

    [[nodiscard]] std::uint64_t clusters() const noexcept { return next_cluster_; }

    [[nodiscard]] std::uint64_t refcount(std::uint64_t cluster) const {
        return refcounts_.at(cluster);
    }

  private:
    /// Behind the last compressed cluster, as long as the room there is contiguous.
    std::uint64_t place(std::uint64_t size) {
        const std::uint64_t room_end = (packed_end_ + kCluster - 1) / kCluster * kCluster;
        const bool crosses = packed_end_ + size > room_end;
        if (crosses && room_end != next_cluster_ * kCluster) {
            packed_end_ = next_cluster_ * kCluster;
        }
        if (crosses) {
            ++next_cluster_;
            refcounts_.resize(next_cluster_, 0);
        }
        return packed_end_;
    }

    int fd_;
    const fs::path& name_;
    std::uint64_t next_cluster_;
    std::uint64_t packed_end_ = 0;
    std::vector<std::uint16_t> refcounts_;
    Buffer buffer_;
    std::uint64_t buffer_at_ = 0;
};

/// Deflates what the cache does not know. Used by several threads.
class CachedDeflater {
  public:
    explicit CachedDeflater(ClusterCache* cache) : cache_(cache) {}

    Buffer run(Bytes raw) {
        if (cache_ == nullptr) {
            return deflaters_.run(raw);
        }
        const Digest digest = sha256(raw);
        if (auto found = cache_->find(digest)) {
            ++found_;
            return std::move(*found);
        }
        Buffer deflated = deflaters_.run(raw);
        cache_->put(digest, deflated);
        return deflated;
    }

    /// How many clusters the cache knew.
    [[nodiscard]] std::uint64_t found() const { return found_.load(); }

  private:
    ClusterCache* cache_;
    DeflaterPool deflaters_;
    std::atomic<std::uint64_t> found_ = 0;
};

/// One batch between the threads and the writer.
struct Batch {
    Buffer raw;

    struct Cluster {
        bool is_zero = true;
        Buffer deflated; ///< empty: goes in as it is
    };

    std::vector<Cluster> clusters;
};

class Qcow2Writer {
  public:
    Qcow2Writer(const RawDisk& disk, const Qcow2Options& options, const AtomicFile& file)
        : disk_(disk), options_(options),
          l1_((disk.size() + kCluster * kL2Entries - 1) / (kCluster * kL2Entries)), l2_(l1_.size()),
          image_(file.fd(), file.temporary(), 1 + clusters_for(l1_.size() * 8)), file_(file),
          batches_(disk.batches().size()), deflater_(options.cache) {}

    Qcow2Result run(const ByteProgress& progress) {
        std::uint64_t reported = 0;
        const auto report = [&](std::uint64_t done) {
            progress(done - reported);
            reported = done;
        };
        parallel_ordered(
            batches_.size(),
            options_.jobs == 0 ? default_jobs() : options_.jobs,
            [&](std::size_t i) { batches_[i] = prepare(i); },
            [&](std::size_t i) {
                add(disk_.batches()[i], batches_[i]);
                batches_[i] = {};
                report(std::min((disk_.batches()[i] + kBatch) * kCluster, disk_.size()));
            });
        report(disk_.size());
        write_tables();
        if (options_.cache != nullptr) {
            options_.cache->flush();
        }
        return {disk_.size(), image_.clusters() * kCluster, data_clusters_, deflater_.found()};
    }

  private:
    Batch prepare(std::size_t index) {
        Batch batch;
        batch.raw = disk_.read_batch(index);
        for (std::size_t at = 0; at < batch.raw.size(); at += kCluster) {
            const Bytes raw = std::span(batch.raw).subspan(at, kCluster);
            Batch::Cluster& cluster = batch.clusters.emplace_back();
            cluster.is_zero = is_zero(raw);
            if (!cluster.is_zero && options_.compress) {
                cluster.deflated = deflater_.run(raw);
            }
        }
        return batch;
    }

    void add(std::uint64_t first, const Batch& batch) {
        for (std::size_t i = 0; i < batch.clusters.size(); ++i) {
            const Batch::Cluster& cluster = batch.clusters[i];
            if (cluster.is_zero) {
                continue;
            }
            ++data_clusters_;
            auto& table = l2_[(first + i) / kL2Entries];
            table.resize(kL2Entries);
            table[(first + i) % kL2Entries] =
                cluster.deflated.empty()
                    ? image_.add_plain(std::span(batch.raw).subspan(i * kCluster, kCluster))
                    : image_.add_compressed(cluster.deflated);
        }
    }

    void write_tables() {
        for (std::size_t i = 0; i < l2_.size(); ++i) {
            if (!l2_[i].empty()) {
                const std::uint64_t offset = image_.add_clusters(1);
                image_.write(offset, big_endian(l2_[i]));
                l1_[i] = offset | kCopied;
            }
        }
        const std::uint64_t before = image_.clusters();
        // The tables count themselves.
        std::uint64_t blocks = 0;
        std::uint64_t table_clusters = 0;
        while (true) {
            const std::uint64_t total = before + blocks + table_clusters;
            const std::uint64_t needed = (total + kRefcountsPerBlock - 1) / kRefcountsPerBlock;
            if (needed <= blocks) {
                break;
            }
            blocks = needed;
            table_clusters = clusters_for(blocks * 8);
        }
        const std::uint64_t table_at = image_.add_clusters(table_clusters);
        const std::uint64_t blocks_at = image_.add_clusters(blocks);
        write_refcounts(table_at, blocks_at, blocks);
        image_.flush();
        write_header(table_at, table_clusters);
        if (::ftruncate(file_.fd(), static_cast<off_t>(image_.clusters() * kCluster)) != 0) {
            throw SystemError(fmt::format("cannot resize '{}'", file_.temporary().string()));
        }
    }

    void write_refcounts(std::uint64_t table_at, std::uint64_t blocks_at, std::uint64_t blocks) {
        std::vector<std::uint64_t> table(blocks);
        Buffer counts(blocks * kCluster);
        for (std::uint64_t i = 0; i < blocks; ++i) {
            table[i] = blocks_at + i * kCluster;
        }
        for (std::uint64_t i = 0; i < image_.clusters(); ++i) {
            put_be(counts, i * 2, image_.refcount(i), 2);
        }
        image_.write(table_at, big_endian(table));
        image_.write(blocks_at, counts);
    }

    void write_header(std::uint64_t table_at, std::uint64_t table_clusters) {
        constexpr std::size_t kEndOfExtensions = 8; // type and length 0
        constexpr std::uint64_t kRefcountOrder = 4; // 16 bits each
        std::array<std::byte, kQcow2HeaderLength + kEndOfExtensions> header{};
        std::ranges::copy(as_byte_span(kQcow2Magic), header.begin());
        put_be(header, qcow2_field::kVersion, 3);
        put_be(header, qcow2_field::kClusterBits, kClusterBits);
        put_be(header, qcow2_field::kVirtualSize, disk_.size());
        put_be(header, qcow2_field::kL1Entries, l1_.size());
        put_be(header, qcow2_field::kL1Offset, kCluster);
        put_be(header, qcow2_field::kRefcountTableOffset, table_at);
        put_be(header, qcow2_field::kRefcountTableClusters, table_clusters);
        put_be(header, qcow2_field::kRefcountOrder, kRefcountOrder);
        put_be(header, qcow2_field::kHeaderLength, kQcow2HeaderLength);
        write_all_at(file_.fd(), header, 0, file_.temporary());
        write_all_at(file_.fd(), big_endian(l1_), kCluster, file_.temporary());
    }

    const RawDisk& disk_;
    const Qcow2Options& options_;
    std::vector<std::uint64_t> l1_;
    std::vector<std::vector<std::uint64_t>> l2_;
    ImageFile image_;
    const AtomicFile& file_;
    std::vector<Batch> batches_;
    CachedDeflater deflater_;
    std::uint64_t data_clusters_ = 0;
};

} // namespace

Qcow2Result write_qcow2(
    int raw_fd,
    const std::filesystem::path& target,
    const Qcow2Options& options,
    const ByteProgress& progress) {
    const RawDisk disk(raw_fd);
    AtomicFile file(target);
    const Qcow2Result result = Qcow2Writer(disk, options, file).run(progress);
    file.commit();
    return result;
}

void deflate_ahead(int raw_fd, const Qcow2Options& options, const std::stop_token& stop) {
    const RawDisk disk(raw_fd);
    CachedDeflater deflater(options.cache);
    parallel_for(
        disk.batches().size(),
        options.jobs == 0 ? default_jobs() : options.jobs,
        [&](std::size_t i) {
            if (stop.stop_requested()) {
                return;
            }
            const Buffer batch = disk.read_batch(i);
            for (std::size_t at = 0; at < batch.size(); at += kCluster) {
                const Bytes raw = std::span(batch).subspan(at, kCluster);
                if (!is_zero(raw)) {
                    static_cast<void>(deflater.run(raw));
                }
            }
        });
    options.cache->flush();
}

} // namespace kiln
