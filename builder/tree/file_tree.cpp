// SPDX-License-Identifier: MIT
#include "tree/file_tree.hpp"

#include "base/error.hpp"
#include "base/io/file.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <iterator>
#include <vector>

namespace kiln {

namespace {

constexpr std::string_view kTypeLetters = "fdlcbpsw";

std::string escape(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        if (c > 0x20 && c < 0x7f && c != '%') {
            out.push_back(c);
        } else {
            fmt::format_to(std::back_inserter(out), "%{:02x}", static_cast<unsigned char>(c));
        }
    }
    return out;
}

std::string unescape(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out.push_back(text[i]);
            continue;
        }
        const auto value = parse_unsigned(text.substr(i + 1, 2), 16);
        if (!value || i + 2 >= text.size()) {
            throw Error(fmt::format("malformed escape in manifest: '{}'", text));
        }
        out.push_back(static_cast<char>(*value));
        i += 2;
    }
    return out;
}

std::string manifest_line(const std::string& path, const Entry& entry) {
    std::string line = fmt::format(
        "{} {:04o} {} {} {} {} {} /{}",
        type_letter(entry.type),
        entry.mode,
        entry.uid,
        entry.gid,
        entry.mtime,
        entry.size,
        entry.content.is_none() ? "-" : entry.content.hex(),
        escape(path));
    const auto extra = [&](std::string_view key, std::string_view value) {
        fmt::format_to(std::back_inserter(line), " {}={}", key, escape(value));
    };
    if (!entry.target.empty()) {
        extra("target", entry.target);
    }
    if (!entry.hardlink_to.empty()) {
        extra("hardlink", entry.hardlink_to);
    }
    if (entry.type == FileType::char_device || entry.type == FileType::block_device) {
        extra("device", fmt::format("{}:{}", entry.device_major, entry.device_minor));
    }
    for (const auto& [name, value] : entry.xattrs) {
        extra("xattr." + escape(name), value);
    }
    if (entry.opaque) {
        extra("opaque", "1");
    }
    line.push_back('\n');
    return line;
}

template <typename T> T number(std::string_view text, int base = 10) {
    const bool negative = text.starts_with('-');
    const auto value = parse_unsigned(negative ? text.substr(1) : text, base);
    if (!value) {
        throw Error(fmt::format("malformed number in manifest: '{}'", text));
    }
    return negative ? static_cast<T>(-static_cast<std::int64_t>(*value)) : static_cast<T>(*value);
}

void parse_extra(std::string_view field, Entry& entry) {
    constexpr std::string_view kXattr = "xattr.";
    const std::size_t equals = field.find('=');
    const std::string_view key = field.substr(0, equals);
    const std::string value =
        unescape(equals == std::string_view::npos ? std::string_view() : field.substr(equals + 1));
    if (key == "target") {
        entry.target = value;
    } else if (key == "hardlink") {
        entry.hardlink_to = value;
    } else if (key == "device") {
        const auto parts = split(value, ':');
        entry.device_major = number<std::uint32_t>(parts.at(0));
        entry.device_minor = number<std::uint32_t>(parts.at(1));
    } else if (key == "opaque") {
        entry.opaque = true;
    } else if (key.starts_with(kXattr)) {
        entry.xattrs[unescape(key.substr(kXattr.size()))] = value;
    } else {
        throw Error(fmt::format("unknown field in manifest: '{}'", field));
    }
}

} // namespace

bool Entry::same_as(const Entry& other) const {
    return manifest_line("", *this) == manifest_line("", other);
}

std::unique_ptr<Source> open_content(const Entry& entry) {
    if (entry.data) {
        return std::make_unique<MemorySource>(as_byte_span(*entry.data));
    }
    return std::make_unique<FileSource>(entry.source);
}

const Entry* FileTree::find(std::string_view path) const {
    const auto it = entries_.find(path);
    return it == entries_.end() ? nullptr : &it->second;
}

void FileTree::erase_tree(std::string_view path) {
    if (const auto it = entries_.find(path); it != entries_.end()) {
        entries_.erase(it);
    }
    const std::string below = path.empty() ? std::string() : std::string(path) + "/";
    auto it = entries_.lower_bound(below);
    while (it != entries_.end() && it->first.starts_with(below)) {
        it = entries_.erase(it);
    }
}

namespace {

using LinkGroups = std::map<std::string, std::vector<std::string>, std::less<>>;

/// First member -> the other members, in tree order.
LinkGroups link_groups(const FileTree& tree) {
    LinkGroups groups;
    for (const auto& [path, entry] : tree.entries()) {
        if (!entry.hardlink_to.empty()) {
            groups[entry.hardlink_to].push_back(path);
        }
    }
    return groups;
}

/// The members of a group whose first member is gone: the next one takes its place.
void rehome_links(FileTree& tree, const Entry& first, const std::vector<std::string>& members) {
    std::string new_first;
    for (const std::string& path : members) {
        Entry& entry = tree.entries().at(path);
        if (new_first.empty()) {
            const std::uint32_t stage = entry.stage;
            entry = first;
            entry.stage = stage;
            new_first = path;
        } else {
            entry.hardlink_to = new_first;
        }
    }
}

} // namespace

void FileTree::apply(const FileTree& delta, std::uint32_t stage) {
    const LinkGroups groups = link_groups(*this);
    FileTree firsts;
    for (const auto& [first, members] : groups) {
        firsts.put(first, entries_.at(first));
    }
    for (const auto& [path, entry] : delta.entries()) {
        const Entry* before = find(path);
        const bool replaces_directory = before != nullptr && before->type == FileType::directory &&
                                        (entry.type != FileType::directory || entry.opaque);
        if (entry.type == FileType::whiteout || replaces_directory) {
            erase_tree(path);
        }
        if (entry.type == FileType::whiteout) {
            continue;
        }
        Entry& taken = entries_[path] = entry;
        taken.opaque = false;
        taken.stage = stage;
    }
    for (const auto& [first, members] : groups) {
        if (find(first) != nullptr && delta.find(first) == nullptr) {
            continue;
        }
        std::vector<std::string> left;
        for (const std::string& member : members) {
            if (find(member) != nullptr && delta.find(member) == nullptr) {
                left.push_back(member);
            }
        }
        rehome_links(*this, *firsts.find(first), left);
    }
}

Digest FileTree::digest() const {
    DigestSink sink;
    write_manifest(*this, sink);
    return sink.digest();
}

std::uint64_t FileTree::content_bytes() const {
    std::uint64_t total = 0;
    for (const auto& [path, entry] : entries_) {
        if (entry.type == FileType::regular && entry.hardlink_to.empty()) {
            total += entry.size;
        }
    }
    return total;
}

void write_manifest(const FileTree& tree, Sink& sink) {
    for (const auto& [path, entry] : tree.entries()) {
        sink.write_text(manifest_line(path, entry));
    }
}

FileTree parse_manifest(std::string_view text, const std::filesystem::path& content_root) {
    constexpr std::size_t kFixedFields = 8;
    FileTree tree;
    for (const std::string& line : split_lines(text)) {
        const auto fields = split(line, ' ');
        const std::size_t type = kTypeLetters.find(fields[0]);
        if (fields.size() < kFixedFields || fields[0].size() != 1 ||
            type == std::string_view::npos || !fields[7].starts_with('/')) {
            throw Error(fmt::format("malformed line in manifest: '{}'", line));
        }
        Entry entry;
        entry.type = static_cast<FileType>(type);
        entry.mode = number<std::uint32_t>(fields[1], 8);
        entry.uid = number<std::uint32_t>(fields[2]);
        entry.gid = number<std::uint32_t>(fields[3]);
        entry.mtime = number<std::int64_t>(fields[4]);
        entry.size = number<std::uint64_t>(fields[5]);
        if (fields[6] != "-") {
            const auto digest = Digest::parse(fields[6]);
            if (!digest) {
                throw Error(fmt::format("malformed digest in manifest: '{}'", line));
            }
            entry.content = *digest;
        }
        std::string path = unescape(std::string_view(fields[7]).substr(1));
        for (std::size_t i = kFixedFields; i < fields.size(); ++i) {
            parse_extra(fields[i], entry);
        }
        if (entry.type == FileType::regular && !content_root.empty()) {
            entry.source = content_root / path;
        }
        tree.put(std::move(path), std::move(entry));
    }
    return tree;
}

std::string_view parent_path(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

std::string_view base_name(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

char type_letter(FileType type) {
    return kTypeLetters.at(static_cast<std::size_t>(type));
}

} // namespace kiln
