// SPDX-License-Identifier: MIT
#include "publish/digitalocean/journal.hpp"

#include "base/error.hpp"
#include "base/io/paths.hpp"
#include "base/json.hpp"
#include "base/json_object.hpp"
#include "base/text.hpp"
#include "publish/journal_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace kiln {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kFormat = 1;
constexpr std::uint64_t kLargestJournal = std::uint64_t{4} << 20U;
constexpr const char* kFileName = "journal.json";
constexpr std::size_t kIdBytes = 4;

constexpr std::array<std::string_view, 7> kSteps{
    "prepare", "upload", "create", "import", "transfer", "done", "failed"};

Json json_of(const PublishTransfer& transfer) {
    return {
        {"region", transfer.region},
        {"requested", transfer.is_requested},
        {"action", transfer.action},
        {"done", transfer.is_done},
        {"failure", transfer.failure}};
}

PublishTransfer transfer_of(const JsonObject& object) {
    PublishTransfer out;
    out.region = object.text("region");
    out.is_requested = object.flag("requested");
    out.action = object.number("action");
    out.is_done = object.flag("done");
    out.failure = object.text("failure");
    return out;
}

Digest digest_of(const JsonObject& object) {
    const auto digest = Digest::parse(object.text("digest"));
    if (!digest) {
        throw Error(fmt::format("'digest' of {} must be a SHA-256", object.what()));
    }
    return *digest;
}

SourceDisk disk_of(const JsonObject& object) {
    const auto format = find_image_format(object.text("format"));
    if (!format) {
        throw Error(fmt::format("'format' of {} must be one of images", object.what()));
    }
    return {object.text("path"), *format, digest_of(object)};
}

UploadFile file_of(const JsonObject& object) {
    return {object.text("path"), object.text("name"), object.number("size"), digest_of(object)};
}

PublishStep step_of(const JsonObject& object) {
    const std::string name = object.text("step");
    const auto* const found = std::find(kSteps.begin(), kSteps.end(), name);
    if (found == kSteps.end()) {
        throw Error(fmt::format("'step' of {} must be one of the steps", object.what()));
    }
    return static_cast<PublishStep>(found - kSteps.begin());
}

void read_progress(const Json& json, const JsonObject& object, PublishJournal& out) {
    const JsonObject upload = object.object("upload");
    out.upload_kind = upload.text("kind");
    out.upload_target = upload.text("target");
    out.is_upload_begun = upload.flag("begun");
    out.url = upload.text("url");
    out.is_upload_removed = upload.flag("removed");
    if (const Json& inner = json.at("upload"); inner.contains("state")) {
        out.upload_state = inner.at("state");
    }
    const JsonObject image = object.object("image");
    out.image = image.number("id");
    out.is_create_requested = image.flag("requested");
    out.is_create_unclear = image.flag("unclear");
    out.was_there = image.flag("was_there");
    for (const JsonObject& transfer : object.objects("transfers")) {
        out.transfers.push_back(transfer_of(transfer));
    }
    out.failure = object.text("failure");
}

} // namespace

std::string_view name_of(PublishStep step) {
    return kSteps.at(static_cast<std::size_t>(step));
}

std::string journal_text(const PublishJournal& journal) {
    Json transfers = Json::array();
    for (const PublishTransfer& transfer : journal.transfers) {
        transfers.push_back(json_of(transfer));
    }
    const Json json{
        {"kiln_publish", kFormat},
        {"id", journal.id},
        {"api", journal.api_url},
        {"started", journal.started},
        {"disk",
         {{"path", journal.disk.path.string()},
          {"format", name_of(journal.disk.format)},
          {"digest", journal.disk.digest.to_string()}}},
        {"file",
         {{"path", journal.file.path.string()},
          {"name", journal.file.name},
          {"size", journal.file.size},
          {"digest", journal.file.digest.to_string()}}},
        {"name", journal.image_name},
        {"description", journal.description},
        {"distribution", journal.distribution},
        {"regions", journal.regions},
        {"tags", journal.tags},
        {"step", name_of(journal.step)},
        {"upload",
         {{"kind", journal.upload_kind},
          {"target", journal.upload_target},
          {"begun", journal.is_upload_begun},
          {"state", journal.upload_state},
          {"url", journal.url},
          {"removed", journal.is_upload_removed}}},
        {"image",
         {{"id", journal.image},
          {"requested", journal.is_create_requested},
          {"unclear", journal.is_create_unclear},
          {"was_there", journal.was_there}}},
        {"transfers", transfers},
        {"failure", journal.failure}};
    return json_text(json) + "\n";
}

PublishJournal parse_journal(std::string_view text, const std::string& what) {
    const Json json = parse_json(text, what);
    const JsonObject object(json, fmt::format("'{}'", what));
    if (const std::uint64_t format = object.number("kiln_publish"); format != kFormat) {
        throw Error(fmt::format("'{}' has format {}, this kiln reads {}", what, format, kFormat))
            .with_hint("use the kiln that wrote it");
    }
    PublishJournal out;
    out.id = object.text("id");
    out.api_url = object.text("api");
    out.started = object.integer_or_zero("started");
    out.disk = disk_of(object.object("disk"));
    out.file = file_of(object.object("file"));
    out.image_name = object.text("name");
    out.description = object.text("description");
    out.distribution = object.text("distribution");
    out.regions = object.texts("regions");
    out.tags = object.texts("tags");
    out.step = step_of(object);
    read_progress(json, object, out);
    if (!is_journal_id(out.id, kIdBytes) || out.regions.empty()) {
        throw Error(fmt::format("malformed journal '{}'", what));
    }
    return out;
}

void OpenJournal::save() const {
    save_journal(folder_ / kFileName, journal_text(journal_));
}

void OpenJournal::remove() {
    remove_journal(folder_ / kFileName);
}

JournalStore::JournalStore(const fs::path& state) : folder_(state / "publish") {
    make_private_folder(folder_);
}

OpenJournal JournalStore::create(PublishJournal journal) const {
    journal.id = new_journal_id(kIdBytes);
    const fs::path folder = folder_ / journal.id;
    if (!fs::create_directory(folder)) {
        return create(std::move(journal)); // one in four thousand million
    }
    make_private_folder(folder);
    FileLock lock = FileLock::try_lock_directory(folder);
    OpenJournal out(folder, std::move(lock), std::move(journal));
    out.save();
    return out;
}

OpenJournal JournalStore::open(const std::string& id) const {
    const fs::path folder = folder_ / id;
    const auto missing = [&] {
        return UsageError(fmt::format("there is no publish '{}'", excerpt(id)))
            .with_hint("run 'kiln publish list' for a list");
    };
    if (!is_journal_id(id, kIdBytes) || !fs::exists(folder / kFileName)) {
        throw missing();
    }
    FileLock lock = FileLock::try_lock_directory(folder);
    if (!lock.is_held()) {
        throw Error(fmt::format("another kiln process is working on publish '{}'", id));
    }
    const fs::path file = folder / kFileName;
    if (!fs::exists(file)) { // the other process has just finished with it
        throw missing();
    }
    return {
        folder,
        std::move(lock),
        parse_journal(read_text_file(file, kLargestJournal), file.string())};
}

std::vector<PublishJournal> JournalStore::list() const {
    std::vector<PublishJournal> out;
    for (const auto& entry : fs::directory_iterator(folder_)) {
        const fs::path file = entry.path() / kFileName;
        try {
            out.push_back(parse_journal(read_text_file(file, kLargestJournal), file.string()));
        } catch (const Error&) {
            continue; // being made or removed, or of another kiln
        }
    }
    std::sort(out.begin(), out.end(), [](const PublishJournal& a, const PublishJournal& b) {
        return std::pair(a.started, a.id) < std::pair(b.started, b.id);
    });
    return out;
}

} // namespace kiln
