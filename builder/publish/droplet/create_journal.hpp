// SPDX-License-Identifier: MIT
//
// What a `kiln droplet create` has made so far, in a file that is written before each step, so that
// the same command goes on after whatever ended it, and destroy finds what it left. Holds no
// secret: neither the user-data nor anything of it.
#pragma once

#include "base/io/file.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

struct CreateJournal {
    std::string id; ///< 16 hexadecimal digits, random
    std::string api_url;
    std::string name;
    std::string region;
    std::string size;
    std::uint64_t image = 0;
    bool is_requested = false;                ///< or may have been
    bool is_unclear = false;                  ///< the answer of a request was lost
    std::uint64_t droplet = 0;                ///< its id; 0: not known
    std::vector<std::string> volume_names;    ///< to be created, or created
    std::vector<std::string> created_volumes; ///< ids

    /// Nothing has been requested.
    [[nodiscard]] bool is_blank() const {
        return !is_requested && droplet == 0 && volume_names.empty();
    }

    /// On the droplet and the volumes of this create only.
    [[nodiscard]] std::string own_tag() const { return "kiln-droplet-" + id; }
};

[[nodiscard]] std::string create_journal_text(const CreateJournal& journal);
/// Throws Error "malformed ..." for text that is not a journal; `what` is its file.
[[nodiscard]] CreateJournal parse_create_journal(std::string_view text, const std::string& what);

/// A journal that this process works on; nobody else can meanwhile.
class OpenCreateJournal {
  public:
    CreateJournal& operator*() noexcept { return journal_; }

    CreateJournal* operator->() noexcept { return &journal_; }

    /// On the disk when it returns. Throws SystemError.
    void save() const;
    /// Forgets the create.
    void remove();

  private:
    friend class CreateJournalStore;

    OpenCreateJournal(fs::path folder, FileLock lock, CreateJournal journal)
        : folder_(std::move(folder)), lock_(std::move(lock)), journal_(std::move(journal)) {}

    fs::path folder_;
    FileLock lock_;
    CreateJournal journal_;
};

/// The unfinished creates of a user, at most one for each name of an API.
class CreateJournalStore {
  public:
    /// `state` is own_state_root().
    explicit CreateJournalStore(const fs::path& state);

    /// The one that is there, or a new one with an id, which is not on the disk before save().
    /// Throws Error when another process works on it.
    [[nodiscard]] OpenCreateJournal open(const std::string& api_url, const std::string& name) const;
    /// Nothing when there is none. Throws as open() does.
    [[nodiscard]] std::optional<OpenCreateJournal>
    find(const std::string& api_url, const std::string& name) const;

  private:
    [[nodiscard]] fs::path folder_of(const std::string& api_url, const std::string& name) const;

    fs::path folder_;
};

} // namespace kiln
