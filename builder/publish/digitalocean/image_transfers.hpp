// SPDX-License-Identifier: MIT
//
// Copies an available image to further regions, all at the same time, and waits for it. A part of
// publish_image.hpp: what was requested is in the publish's journal.
#pragma once

#include "base/console.hpp"
#include "publish/digitalocean/images.hpp"
#include "publish/digitalocean/journal.hpp"

#include <chrono>
#include <functional>
#include <string>

namespace kiln {

struct PublishOptions {
    bool wait = true; ///< for the image, and for transfers
    /// One transfer was seen to take 80 minutes.
    std::chrono::seconds timeout = std::chrono::hours(3);
    bool has_looked = false; ///< find_published() was called just now
};

/// The waits between two looks at something that takes long: 5 s, rising to 30 s.
class PollDelay {
  public:
    std::chrono::milliseconds next();

  private:
    std::chrono::milliseconds delay_{5000};
};

/// "WHAT has not ended within 3h", with how to go on waiting.
[[nodiscard]] Error
wait_timed_out(const std::string& what, const PublishOptions& options, const std::string& id);

/// Throws Error (exit code 5) when the image is gone.
[[nodiscard]] CloudImage existing_image(DigitalOceanApi& api, std::uint64_t id);

class ImageTransfers {
  public:
    /// All must outlive it.
    ImageTransfers(
        DigitalOceanApi& api,
        PublishJournal& journal,
        const std::function<void()>& save,
        Console& console)
        : api_(api), journal_(journal), save_(save), console_(console) {}

    /// Requests what the journal plans and was not done; what failed in an earlier run is tried
    /// again. False when not all is done and nobody waits. A region that fails does not keep the
    /// others from being finished.
    bool run(const PublishOptions& options);

    /// Throws Error (exit code 5) that names the regions that failed.
    void require_all() const;

  private:
    void request_transfer(PublishTransfer& transfer);
    [[nodiscard]] bool find_transfer(PublishTransfer& transfer);
    void look_at_transfer(PublishTransfer& transfer, const CloudImage& image);

    DigitalOceanApi& api_;
    PublishJournal& journal_;
    const std::function<void()>& save_;
    Console& console_;
};

} // namespace kiln
