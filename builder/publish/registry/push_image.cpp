// SPDX-License-Identifier: MIT
#include "publish/registry/push_image.hpp"

#include "base/error.hpp"
#include "base/parallel.hpp"
#include "base/text.hpp"
#include "oci/registry/registry_referrers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>

namespace kiln {

namespace {

/// Statuses with which registries refuse a manifest for what it names. Others, such as 413 or 507,
/// say that another try gives the same.
bool may_miss_blobs(int status) {
    constexpr std::array kStatuses{400, 404, 409, 412, 422};
    return std::find(kStatuses.begin(), kStatuses.end(), status) != kStatuses.end();
}

class ImagePush {
  public:
    ImagePush(
        RegistryClient& registry,
        const OutgoingImage& image,
        const RegistryPush& push,
        Console& console)
        : registry_(registry), image_(image), push_(push), console_(console),
          job_(console.start(fmt::format("push {}", image.name))) {}

    PushReport run() {
        const std::vector<OciDescriptor> blobs = image_.graph.blobs();
        for (const OciDescriptor& blob : blobs) {
            report_.bytes += blob.size;
        }
        job_.set_total(report_.bytes, Job::Unit::bytes);
        registry_.want_push(push_.mount_from);
        parallel_for(blobs.size(), push_.jobs, [&](std::size_t i) { send_blob(blobs.at(i)); });
        for (const GraphManifest& manifest : image_.graph.manifests) {
            send_manifest(manifest);
        }
        report_.digest = image_.graph.root().digest;
        report_.there = there_;
        report_.mounted = mounted_;
        report_.uploaded = uploaded_;
        report_.bytes_sent = bytes_sent_;
        job_.finish(summary());
        return report_;
    }

  private:
    [[nodiscard]] BlobUpload upload(bool ask_first) {
        BlobUpload out;
        out.ask_first = ask_first;
        out.chunk_bytes = push_.chunk_bytes;
        out.on_bytes = [this](std::int64_t bytes) { show(bytes); };
        if (ask_first) {
            out.mount_from = push_.mount_from;
        }
        return out;
    }

    void show(std::int64_t bytes) {
        const std::int64_t done = done_ += bytes;
        job_.set_done(static_cast<std::uint64_t>(std::max<std::int64_t>(done, 0)));
    }

    void send_blob(const OciDescriptor& blob, bool ask_first = true) {
        const BlobOutcome outcome =
            registry_.push_blob(blob, [&] { return image_.open(blob); }, upload(ask_first));
        switch (outcome) {
        case BlobOutcome::was_there:
            ++there_;
            show(static_cast<std::int64_t>(blob.size));
            break;
        case BlobOutcome::mounted:
            ++mounted_;
            show(static_cast<std::int64_t>(blob.size));
            break;
        case BlobOutcome::uploaded:
            ++uploaded_;
            bytes_sent_ += blob.size;
            break;
        }
    }

    /// Under all tags for the image itself, else by its digest.
    void send_manifest(const GraphManifest& manifest) {
        const bool is_root = &manifest == &image_.graph.root();
        const std::vector<std::string> by_digest{manifest.digest.to_string()};
        for (const std::string& reference :
             is_root && !push_.tags.empty() ? push_.tags : by_digest) {
            const PushedManifest pushed = put(manifest, reference);
            for (const std::string& warning : pushed.warnings) {
                console_.warning(
                    fmt::format("registry '{}': {}", registry_.repository().host, warning));
            }
            if (is_root && push_.subject && !pushed.subject_is_indexed) {
                add_referrer(registry_, *push_.subject, manifest);
            }
        }
    }

    PushedManifest put(const GraphManifest& manifest, const std::string& reference) {
        try {
            return registry_.push_manifest(reference, manifest.text, manifest.media_type);
        } catch (const RegistryRefusal& refusal) {
            if (is_sent_again_ || !may_miss_blobs(refusal.status())) {
                throw;
            }
            console_.notice(fmt::format("{}; uploading its blobs once more", refusal.message()));
        }
        is_sent_again_ = true;
        for (const OciDescriptor& blob : image_.graph.blobs()) {
            send_blob(blob, false);
        }
        return registry_.push_manifest(reference, manifest.text, manifest.media_type);
    }

    [[nodiscard]] std::string summary() const {
        if (uploaded_ == 0) {
            return mounted_ == 0 ? "the registry has all of it"
                                 : "nothing to upload, the rest is mounted";
        }
        return fmt::format("{} uploaded", format_size(bytes_sent_));
    }

    RegistryClient& registry_;
    const OutgoingImage& image_;
    const RegistryPush& push_;
    Console& console_;
    Job job_;
    PushReport report_;
    std::atomic<std::int64_t> done_{0};
    std::atomic<std::uint64_t> there_{0};
    std::atomic<std::uint64_t> mounted_{0};
    std::atomic<std::uint64_t> uploaded_{0};
    std::atomic<std::uint64_t> bytes_sent_{0};
    bool is_sent_again_ = false;
};

} // namespace

PushReport push_image(
    RegistryClient& registry,
    const OutgoingImage& image,
    const RegistryPush& push,
    Console& console) {
    return ImagePush(registry, image, push, console).run();
}

} // namespace kiln
