// SPDX-License-Identifier: MIT
#include "oci/oci_layer_reader.hpp"

#include "archive/archive_reader.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/oci_layer.hpp"

#include <fmt/format.h>

#include <set>
#include <vector>

namespace kiln {

namespace {

/// Union mounts of old (aufs) kept their own bookkeeping under this prefix.
constexpr std::string_view kInternalPrefix = ".wh..wh.";

class LayerParser {
  public:
    LayerParser(
        const FileTree& below, const KeptContents& kept, std::string name, ArchiveBudget& budget)
        : below_(below), kept_(kept), name_(std::move(name)), budget_(budget) {}

    void take(ArchiveMember member, Source& content) {
        const std::string_view name = base_name(member.path);
        if (!name.starts_with(kWhiteoutPrefix)) {
            take_entry(member, content);
            return;
        }
        const std::string_view parent = parent_path(member.path);
        if (name == kOpaqueMarker) {
            opaque_.emplace(parent);
        } else if (!name.starts_with(kInternalPrefix)) {
            const std::string_view removed = name.substr(kWhiteoutPrefix.size());
            if (removed.empty() || removed == "." || removed == "..") {
                throw Error(
                    fmt::format("whiteout '/{}' does not match any file", printable(member.path)));
            }
            whiteouts_.insert(
                parent.empty() ? std::string(removed) : fmt::format("{}/{}", parent, removed));
        }
    }

    FileTree finish() {
        for (const std::string& path : opaque_) {
            mark_opaque(path);
        }
        std::vector<std::string> paths;
        for (const auto& [path, entry] : delta_.entries()) {
            paths.push_back(path);
        }
        for (const std::string& path : paths) {
            complete_parents(path);
        }
        for (const std::string& path : whiteouts_) {
            // A whiteout hides what the layers below have; the same name in this layer stays.
            const auto it = delta_.entries().find(path);
            if (it == delta_.entries().end()) {
                Entry whiteout;
                whiteout.type = FileType::whiteout;
                delta_.put(path, std::move(whiteout));
            } else if (it->second.type == FileType::directory) {
                it->second.opaque = true;
            }
        }
        return std::move(delta_);
    }

  private:
    void take_entry(ArchiveMember& member, Source& content) {
        Entry& entry = member.entry;
        if (!entry.hardlink_to.empty()) {
            entry = linked(member.path, entry.hardlink_to);
        } else if (entry.type == FileType::regular) {
            take_content(member.path, entry, content);
        }
        delta_.put(std::move(member.path), std::move(entry));
    }

    /// A link has all properties of its target.
    Entry linked(const std::string& path, const std::string& target) const {
        const Entry* first = delta_.find(target);
        if (first == nullptr) {
            first = below_.find(target);
        }
        if (first == nullptr || first->type == FileType::directory) {
            throw Error(fmt::format(
                "'/{}' is a hard link to '/{}', which is not a regular file",
                printable(path),
                printable(target)));
        }
        Entry entry = *first;
        if (entry.hardlink_to.empty()) {
            entry.hardlink_to = target;
        }
        return entry;
    }

    void take_content(const std::string& path, Entry& entry, Source& content) const {
        DigestSink digest;
        if (kept_.folder.empty() || (kept_.wants && !kept_.wants(path, entry.size))) {
            copy(content, digest);
            entry.content = digest.digest();
            return;
        }
        const fs::path temporary = kept_.folder / "content.tmp";
        {
            AtomicFile file(temporary, 0600);
            TeeSink tee(digest, file);
            copy(content, tee);
            file.commit();
        }
        entry.content = digest.digest();
        entry.source = kept_.folder / entry.content.hex();
        fs::rename(temporary, entry.source);
    }

    static Entry default_directory() {
        Entry entry;
        entry.type = FileType::directory;
        entry.mode = 0755;
        return entry;
    }

    void mark_opaque(const std::string& path) {
        if (delta_.find(path) == nullptr) {
            const Entry* before = below_.find(path);
            const bool exists = before != nullptr && before->type == FileType::directory;
            delta_.put(path, exists ? *before : default_directory());
        }
        Entry& entry = delta_.entries().at(path);
        if (entry.type != FileType::directory) {
            throw Error(
                fmt::format("'/{}' is marked opaque, but is not a directory", printable(path)));
        }
        entry.opaque = true;
    }

    void complete_parents(std::string_view path) {
        while (!path.empty()) {
            path = parent_path(path);
            if (!complete_.emplace(path).second) {
                return; // and so are all above it
            }
            const Entry* parent = delta_.find(path);
            if (parent == nullptr && !whiteouts_.contains(std::string(path))) {
                parent = below_.find(path);
            }
            if (parent == nullptr && !path.empty()) {
                Entry directory = default_directory();
                budget_.add_member(name_, path, directory);
                delta_.put(std::string(path), std::move(directory));
            } else if (parent != nullptr && parent->type != FileType::directory) {
                throw Error(
                    fmt::format("'/{}' has members, but is not a directory", printable(path)));
            }
        }
    }

    const FileTree& below_;
    const KeptContents& kept_;
    std::string name_;
    ArchiveBudget& budget_;
    FileTree delta_;
    std::set<std::string> opaque_;
    std::set<std::string> whiteouts_;
    std::set<std::string, std::less<>> complete_;
};

} // namespace

FileTree read_layer(
    Source& tar,
    const std::string& name,
    const FileTree& below,
    const KeptContents& kept,
    ArchiveBudget* budget) {
    ArchiveBudget own;
    ArchiveBudget& used = budget == nullptr ? own : *budget;
    ArchiveReader reader(tar, name, ArchiveFilters::none, &used);
    LayerParser parser(below, kept, name, used);
    while (auto member = reader.next()) {
        parser.take(std::move(*member), reader.content());
    }
    return parser.finish();
}

void order_links(FileTree& tree) {
    std::map<std::string, std::string> new_first;
    for (const auto& [path, entry] : tree.entries()) {
        if (!entry.hardlink_to.empty() && path < entry.hardlink_to) {
            new_first.try_emplace(entry.hardlink_to, path);
        }
    }
    for (const auto& [old_first, first] : new_first) {
        tree.entries().at(old_first).hardlink_to = first;
    }
    for (auto& [path, entry] : tree.entries()) {
        const auto it = new_first.find(entry.hardlink_to);
        if (it != new_first.end()) {
            entry.hardlink_to = it->second == path ? "" : it->second;
        }
    }
}

} // namespace kiln
