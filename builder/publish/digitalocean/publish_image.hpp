// SPDX-License-Identifier: MIT
//
// Gets an image into a DigitalOcean account: upload, create, wait, transfer, clean up. Every step
// is written to the journal before it is taken and finds out by itself whether it was taken before,
// so that a publish can be killed anywhere and run again, by the same code.
#pragma once

#include "base/console.hpp"
#include "publish/digitalocean/api.hpp"
#include "publish/digitalocean/image_transfers.hpp"
#include "publish/digitalocean/image_upload.hpp"
#include "publish/digitalocean/images.hpp"
#include "publish/digitalocean/journal.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace kiln {

struct PublishReport {
    CloudImage image;
    bool was_there = false;  ///< nothing was uploaded: the account had an image of this content
    bool is_waiting = false; ///< not all is done, because nobody waits
};

/// Whether the account has an image of the journal's content that has not failed, available ones
/// first. Then the journal goes on with that one.
bool find_published(DigitalOceanApi& api, PublishJournal& journal);

class ImagePublisher {
  public:
    /// Makes the file for the upload; called again after a process that did not get to its end.
    using Prepare = std::function<UploadFile()>;

    /// All must outlive it. `save` writes the journal durably.
    ImagePublisher(
        DigitalOceanApi& api,
        ImageUpload& upload,
        PublishJournal& journal,
        std::function<void()> save,
        Prepare prepare,
        Console& console)
        : api_(api), upload_(upload), journal_(journal), save_(std::move(save)),
          prepare_(std::move(prepare)), console_(console) {}

    /// Goes on from wherever the journal is. Throws Error (exit code 5 when DigitalOcean refuses
    /// the image or a region), TransferError, Interrupted; unless the journal says that all has
    /// failed, run() may be called again with the same journal.
    PublishReport run(const PublishOptions& options);

    /// Removes what the publish left: its upload, and with `delete_image` the image, unless the
    /// publish is done. Throws Error when the image is still being imported and must not be
    /// deleted, since the import would fail without the upload.
    void clean_up(bool delete_image);

  private:
    void prepare_file();
    void upload_file();
    void discard_file() const;
    void create();
    [[nodiscard]] std::optional<CloudImage> find_own(unsigned looks);
    void take(const CloudImage& image);
    bool wait_for_import(const PublishOptions& options);
    void plan_transfers(const CloudImage& image);
    void finish();
    void remove_upload();
    void remove_upload_or_warn();
    [[noreturn]] void fail(const std::string& message);
    [[noreturn]] void fail_for_good();

    DigitalOceanApi& api_;
    ImageUpload& upload_;
    PublishJournal& journal_;
    std::function<void()> save_;
    Prepare prepare_;
    Console& console_;
};

} // namespace kiln
