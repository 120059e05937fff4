// SPDX-License-Identifier: MIT
#include "oci/layer_cache.hpp"

#include "base/error.hpp"
#include "oci/oci_model.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <cerrno>
#include <set>
#include <system_error>

namespace kiln {

namespace {

/// A link where possible, else a copy that appears whole. An existing file stays.
void link_or_copy(const fs::path& from, const fs::path& to) {
    if (::link(from.c_str(), to.c_str()) == 0 || errno == EEXIST) {
        return;
    }
    FileSource source(from);
    AtomicFile file(to);
    copy(source, file);
    file.commit();
}

std::optional<LayerBlob> parse_record(const std::string& text, const fs::path& path) {
    try {
        const auto json = parse_json(text, path.string());
        const auto digest = Digest::parse(json.at("digest").get<std::string>());
        const auto diff_id = Digest::parse(json.at("diff_id").get<std::string>());
        if (digest && diff_id) {
            return LayerBlob{*digest, json.at("size").get<std::uint64_t>(), *diff_id};
        }
    } catch (const nlohmann::json::exception&) {
        return std::nullopt;
    } catch (const Error&) {
        return std::nullopt;
    }
    return std::nullopt;
}

} // namespace

std::uint64_t DirectoryLayerCache::bytes() const {
    std::uint64_t total = 0;
    for (const auto& blob : fs::directory_iterator(directory_ / "blobs")) {
        total += blob.file_size();
    }
    return total;
}

std::uint64_t DirectoryLayerCache::prune(std::int64_t time) {
    std::set<std::string> needed;
    for (const auto& record : fs::directory_iterator(directory_)) {
        if (record.path().extension() != ".json") {
            continue;
        }
        const auto blob = parse_record(read_text_file(record.path()), record.path());
        if (!blob || last_used(record.path()) < time) {
            fs::remove(record.path());
        } else {
            needed.insert(blob->digest.hex());
        }
    }
    std::uint64_t freed = 0;
    for (const auto& blob : fs::directory_iterator(directory_ / "blobs")) {
        if (!needed.contains(blob.path().filename().string())) {
            freed += blob.file_size();
            fs::remove(blob.path());
        }
    }
    return freed;
}

DirectoryLayerCache::DirectoryLayerCache(fs::path directory) : directory_(std::move(directory)) {
    std::error_code error;
    fs::create_directories(directory_ / "blobs", error);
    if (error) {
        throw SystemError(
            fmt::format("cannot create directory '{}'", directory_.string()), error.value());
    }
}

std::optional<LayerBlob> DirectoryLayerCache::find(const Digest& key, const fs::path& blobs) {
    const fs::path record = directory_ / (key.hex() + ".json");
    if (!fs::exists(record)) {
        return std::nullopt;
    }
    const auto blob = parse_record(read_text_file(record), record);
    const fs::path kept = blob ? directory_ / "blobs" / blob->digest.hex() : fs::path();
    // A damaged blob must not be found again, nor stand in the way of its successor.
    if (!blob || !fs::exists(kept) || sha256_file(kept) != blob->digest) {
        fs::remove(record);
        if (blob) {
            fs::remove(kept);
        }
        return std::nullopt;
    }
    try {
        link_or_copy(kept, blobs / blob->digest.hex());
    } catch (const SystemError& error) {
        if (error.error_number() == ENOENT) { // pruned at this moment
            return std::nullopt;
        }
        throw;
    }
    set_used_now(record);
    return blob;
}

void DirectoryLayerCache::store(const Digest& key, const LayerBlob& blob, const fs::path& blobs) {
    link_or_copy(blobs / blob.digest.hex(), directory_ / "blobs" / blob.digest.hex());
    nlohmann::ordered_json record;
    record["digest"] = blob.digest.to_string();
    record["size"] = blob.size;
    record["diff_id"] = blob.diff_id.to_string();
    write_file_atomically(directory_ / (key.hex() + ".json"), canonical_json(record));
}

} // namespace kiln
