// SPDX-License-Identifier: MIT
#include "publish/droplet/create_journal.hpp"

#include "base/error.hpp"
#include "base/io/digest.hpp"
#include "base/io/paths.hpp"
#include "base/json.hpp"
#include "base/json_object.hpp"
#include "base/text.hpp"
#include "publish/journal_file.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <utility>

namespace kiln {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kFormat = 1;
constexpr std::uint64_t kLargestJournal = std::uint64_t{1} << 20U;
constexpr const char* kFileName = "create.json";
constexpr std::size_t kIdBytes = 8;

} // namespace

std::string create_journal_text(const CreateJournal& journal) {
    const Json json{
        {"kiln_droplet", kFormat},
        {"id", journal.id},
        {"api", journal.api_url},
        {"name", journal.name},
        {"region", journal.region},
        {"size", journal.size},
        {"image", journal.image},
        {"requested", journal.is_requested},
        {"unclear", journal.is_unclear},
        {"droplet", journal.droplet},
        {"volume_names", journal.volume_names},
        {"created_volumes", journal.created_volumes}};
    return json_text(json) + "\n";
}

CreateJournal parse_create_journal(std::string_view text, const std::string& what) {
    const Json json = parse_json(text, what);
    const JsonObject object(json, fmt::format("'{}'", what));
    if (const std::uint64_t format = object.number("kiln_droplet"); format != kFormat) {
        throw Error(fmt::format("'{}' has format {}, this kiln reads {}", what, format, kFormat))
            .with_hint("use the kiln that wrote it");
    }
    CreateJournal out;
    out.id = object.text("id");
    out.api_url = object.text("api");
    out.name = object.text("name");
    out.region = object.text("region");
    out.size = object.text("size");
    out.image = object.number("image");
    out.is_requested = object.flag("requested");
    out.is_unclear = object.flag("unclear");
    out.droplet = object.number("droplet");
    out.volume_names = object.texts("volume_names");
    out.created_volumes = object.texts("created_volumes");
    if (!is_journal_id(out.id, kIdBytes)) {
        throw Error(fmt::format("malformed journal '{}'", what));
    }
    return out;
}

void OpenCreateJournal::save() const {
    save_journal(folder_ / kFileName, create_journal_text(journal_));
}

void OpenCreateJournal::remove() {
    remove_journal(folder_ / kFileName);
}

CreateJournalStore::CreateJournalStore(const fs::path& state) : folder_(state / "droplets") {
    make_private_folder(folder_);
}

fs::path CreateJournalStore::folder_of(const std::string& api_url, const std::string& name) const {
    return folder_ / sha256(api_url + "\n" + name).hex();
}

OpenCreateJournal
CreateJournalStore::open(const std::string& api_url, const std::string& name) const {
    if (auto found = find(api_url, name)) {
        return std::move(*found);
    }
    const fs::path folder = folder_of(api_url, name);
    make_private_folder(folder);
    FileLock lock = FileLock::try_lock_directory(folder);
    if (!lock.is_held()) {
        throw Error(fmt::format("another kiln process is creating the droplet '{}'", name));
    }
    CreateJournal journal;
    journal.id = new_journal_id(kIdBytes);
    journal.api_url = api_url;
    journal.name = name;
    return {folder, std::move(lock), std::move(journal)};
}

std::optional<OpenCreateJournal>
CreateJournalStore::find(const std::string& api_url, const std::string& name) const {
    const fs::path folder = folder_of(api_url, name);
    const fs::path file = folder / kFileName;
    if (!fs::exists(file)) {
        return std::nullopt;
    }
    FileLock lock = FileLock::try_lock_directory(folder);
    if (!lock.is_held()) {
        throw Error(fmt::format("another kiln process is creating the droplet '{}'", name));
    }
    if (!fs::exists(file)) { // the other process has just finished with it
        return std::nullopt;
    }
    return OpenCreateJournal(
        folder,
        std::move(lock),
        parse_create_journal(read_text_file(file, kLargestJournal), file.string()));
}

} // namespace kiln
