// SPDX-License-Identifier: MIT
#include "verify/read/tar_tree.hpp"

#include "archive/archive_reader.hpp"
#include "base/error.hpp"
#include "base/interrupt.hpp"

#include <fmt/format.h>

#include <array>
#include <map>
#include <memory>
#include <utility>
#include <vector>

namespace kiln {

namespace {

void take_content(Source& content, bool keep, Entry& entry) {
    std::array<std::byte, std::size_t{128} * 1024> buffer; // NOLINT: filled before it is read
    DigestSink digest;
    std::string kept;
    while (const std::size_t count = content.read(buffer)) {
        const Bytes bytes(buffer.data(), count);
        digest.write(bytes);
        if (keep) {
            kept.append(as_text(bytes));
        }
    }
    entry.size = digest.size();
    entry.content = digest.digest();
    if (keep) {
        entry.data = std::make_shared<const std::string>(std::move(kept));
    }
}

} // namespace

FileTree read_tar_tree(Source& source, const std::string& name, const KeepContent& keep) {
    ArchiveReader reader(source, name, ArchiveFilters::none);
    FileTree tree;
    while (auto member = reader.next()) {
        throw_if_interrupted();
        Entry& entry = member->entry;
        if (entry.type == FileType::regular && entry.hardlink_to.empty()) {
            take_content(reader.content(), keep(member->path, entry.size), entry);
        }
        tree.put(std::move(member->path), std::move(entry));
    }
    normalize_hardlinks(tree);
    return tree;
}

void normalize_hardlinks(FileTree& tree) {
    std::map<std::string, std::vector<std::string>, std::less<>> groups;
    for (const auto& [path, entry] : tree.entries()) {
        if (!entry.hardlink_to.empty()) {
            groups[entry.hardlink_to].push_back(path);
        }
    }
    for (const auto& [holder, links] : groups) {
        const Entry* const content = tree.find(holder);
        if (content == nullptr || !content->hardlink_to.empty()) {
            throw Error(
                fmt::format("'{}' is a hard link to '{}', which has no content", links[0], holder));
        }
        const std::string& first = std::min(holder, links.front());
        const Entry state = *content;
        Entry link = state;
        link.hardlink_to = first;
        tree.put(holder, link);
        for (const std::string& path : links) {
            tree.put(path, link);
        }
        tree.put(first, state);
    }
}

} // namespace kiln
