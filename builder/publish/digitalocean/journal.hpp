// SPDX-License-Identifier: MIT
//
// What a publish has done outside of this host and what is left to do, in a file that is written
// before each step: whatever ends kiln, another process can go on or clean up. Holds no secret.
// The format is in docs/formats/publish-journal.md.
#pragma once

#include "base/io/file.hpp"
#include "publish/digitalocean/image_upload.hpp"
#include "publish/digitalocean/prepared_disk.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

/// Where a publish is. A step is entered when the journal says so.
enum class PublishStep {
    prepare,  ///< the file for the upload is being made from the disk
    upload,   ///< the file is on its way to where DigitalOcean can fetch it
    create,   ///< it is there; the image is being requested
    import,   ///< the image has an id; DigitalOcean fetches and converts it
    transfer, ///< the image is available; it is being copied to further regions
    done,
    failed, ///< for good: the image will not come into being
};

[[nodiscard]] std::string_view name_of(PublishStep step);

struct PublishTransfer {
    std::string region;
    bool is_requested = false; ///< or may have been
    std::uint64_t action = 0;  ///< 0: not known
    bool is_done = false;
    std::string failure = {};
    bool operator==(const PublishTransfer&) const = default;
};

struct PublishJournal {
    std::string id;
    std::string api_url;
    std::int64_t started = 0; ///< seconds since 1970
    SourceDisk disk;
    UploadFile file; ///< from the step `upload` on
    std::string image_name;
    std::string description;
    std::string distribution;
    std::vector<std::string> regions; ///< the first is where the image is created
    std::vector<std::string> tags;    ///< of the user's

    PublishStep step = PublishStep::prepare;
    std::string upload_kind;   ///< ImageUpload::kind()
    std::string upload_target; ///< what it was made with: the URL, the name of the Space
    bool is_upload_begun = false;
    nlohmann::ordered_json upload_state; ///< what ImageUpload::put() saved last
    std::string url;                     ///< once it is known
    bool is_upload_removed = false;
    bool is_create_requested = false; ///< or may have been
    bool is_create_unclear = false;   ///< the answer of a request was lost
    std::uint64_t image = 0;          ///< its id; 0: not known
    bool was_there = false;           ///< the image is another publish's
    std::vector<PublishTransfer> transfers;
    std::string failure;

    /// On every image of this content: "kiln-" and the SHA-256 of the disk.
    [[nodiscard]] std::string content_tag() const { return "kiln-" + disk.digest.hex(); }

    /// On the image of this publish only.
    [[nodiscard]] std::string own_tag() const { return "kiln-publish-" + id; }

    [[nodiscard]] bool is_finished() const {
        return step == PublishStep::done || step == PublishStep::failed;
    }
};

[[nodiscard]] std::string journal_text(const PublishJournal& journal);
/// Throws Error "malformed ..." for text that is not a journal; `what` is its file.
[[nodiscard]] PublishJournal parse_journal(std::string_view text, const std::string& what);

/// A journal that this process works on; nobody else can meanwhile.
class OpenJournal {
  public:
    PublishJournal& operator*() noexcept { return journal_; }

    PublishJournal* operator->() noexcept { return &journal_; }

    /// On the disk when it returns. Throws SystemError.
    void save() const;

    /// Where the file for the upload is made; gone with the journal.
    [[nodiscard]] const fs::path& folder() const noexcept { return folder_; }

    /// Forgets the publish.
    void remove();

  private:
    friend class JournalStore;

    OpenJournal(fs::path folder, FileLock lock, PublishJournal journal)
        : folder_(std::move(folder)), lock_(std::move(lock)), journal_(std::move(journal)) {}

    fs::path folder_;
    FileLock lock_;
    PublishJournal journal_;
};

/// All journals of a user.
class JournalStore {
  public:
    /// `state` is own_state_root().
    explicit JournalStore(const fs::path& state);

    /// Gives the journal an id and writes it.
    [[nodiscard]] OpenJournal create(PublishJournal journal) const;
    /// Throws UsageError with a hint when there is none of that id, Error when another process
    /// works on it.
    [[nodiscard]] OpenJournal open(const std::string& id) const;
    /// Of every publish, the oldest first. What cannot be read is left out.
    [[nodiscard]] std::vector<PublishJournal> list() const;

  private:
    fs::path folder_;
};

} // namespace kiln
