// SPDX-License-Identifier: MIT
#include "verify/read/ext4_reader.hpp"

#include "base/error.hpp"
#include "base/handle.hpp"
#include "base/interrupt.hpp"
#include "base/parallel.hpp"

#include <ext2fs/ext2fs.h>
#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace kiln {

namespace {

using Filesystem = Handle<struct_ext2_filsys, ext2fs_free>;
using Attributes = Handle<ext2_xattr_handle, [](ext2_xattr_handle* handle) {
    return ext2fs_xattrs_close(&handle);
}>;

void require(errcode_t status, std::string_view what) {
    if (status != 0) {
        throw Error(fmt::format("cannot {}: {}", what, error_message(status)), ExitCode::differs);
    }
}

Filesystem open_filesystem(const std::filesystem::path& disk, std::uint64_t offset) {
    const std::string place = fmt::format("offset={}", offset);
    ext2_filsys opened = nullptr;
    const errcode_t status =
        ext2fs_open2(disk.c_str(), place.c_str(), EXT2_FLAG_64BITS, 0, 0, unix_io_manager, &opened);
    require(status, fmt::format("open the ext4 file system of '{}'", disk.string()));
    return Filesystem(opened);
}

struct Name {
    std::string path;
    ext2_ino_t inode = 0;
};

/// One directory's names, without "." and "..".
std::vector<Name> list_directory(ext2_filsys fs, const std::string& path, ext2_ino_t inode) {
    struct Listing {
        std::string prefix;
        std::vector<Name> names = {};
        std::exception_ptr failure = {}; // must not pass through the C library
    } listing{path.empty() ? "" : path + "/"};

    const auto take = [](ext2_ino_t, int kind, ext2_dir_entry* entry, int, int, char*, void* to) {
        auto& out = *static_cast<Listing*>(to);
        const std::string_view name(
            entry->name, static_cast<std::size_t>(ext2fs_dirent_name_len(entry)));
        if (kind != DIRENT_OTHER_FILE || name == "." || name == "..") {
            return 0;
        }
        try {
            out.names.push_back({out.prefix + std::string(name), entry->inode});
        } catch (...) {
            out.failure = std::current_exception();
            return DIRENT_ABORT;
        }
        return 0;
    };
    require(
        ext2fs_dir_iterate2(fs, inode, 0, nullptr, take, &listing),
        fmt::format("list directory '/{}'", path));
    if (listing.failure) {
        std::rethrow_exception(listing.failure);
    }
    return std::move(listing.names);
}

ext2_inode_large read_inode(ext2_filsys fs, const Name& name) {
    ext2_inode_large inode{};
    require(
        ext2fs_read_inode_full(fs, name.inode, reinterpret_cast<ext2_inode*>(&inode), sizeof inode),
        fmt::format("read inode {} ('/{}')", name.inode, name.path));
    return inode;
}

FileType type_of(const ext2_inode_large& inode, const Name& name) {
    switch (inode.i_mode & LINUX_S_IFMT) {
    case LINUX_S_IFREG:
        return FileType::regular;
    case LINUX_S_IFDIR:
        return FileType::directory;
    case LINUX_S_IFLNK:
        return FileType::symlink;
    case LINUX_S_IFCHR:
        return FileType::char_device;
    case LINUX_S_IFBLK:
        return FileType::block_device;
    case LINUX_S_IFIFO:
        return FileType::fifo;
    case LINUX_S_IFSOCK:
        return FileType::socket;
    default:
        throw Error(
            fmt::format("'/{}' has the unknown mode {:o}", name.path, inode.i_mode),
            ExitCode::differs);
    }
}

/// i_mtime is signed; the two low bits of i_mtime_extra extend it, the others are nanoseconds
/// (Linux, Documentation/filesystems/ext4/inodes.rst, "Inode Timestamps").
std::int64_t mtime_of(const ext2_inode_large& inode, const Name& name) {
    const std::uint32_t extra = inode.i_extra_isize > 0 ? inode.i_mtime_extra : 0;
    if ((extra >> 2U) != 0) {
        throw Error(
            fmt::format("the timestamp of '/{}' has sub-second precision", name.path),
            ExitCode::differs);
    }
    return static_cast<std::int32_t>(inode.i_mtime) + (std::int64_t{extra & 3U} << 32U);
}

/// The old form of a device number has 8 bits each, the new one 12 and 20 (Linux, kdev_t.h).
void take_device(const ext2_inode_large& inode, Entry& entry) {
    if (inode.i_block[0] != 0) {
        entry.device_major = inode.i_block[0] >> 8U;
        entry.device_minor = inode.i_block[0] & 0xffU;
    } else {
        entry.device_major = (inode.i_block[1] & 0xfff00U) >> 8U;
        entry.device_minor = (inode.i_block[1] & 0xffU) | ((inode.i_block[1] >> 12U) & 0xfff00U);
    }
}

/// An access control list as the kernel gives it: a version, then tag, permissions and id of each
/// entry (uapi/linux/posix_acl_xattr.h). On disk, and when attributes are listed, it has another
/// form, in which only named users and groups have an id; what libext2fs fills in for the others is
/// not what the kernel does.
std::string read_acl(ext2_xattr_handle* handle, const std::string& key, std::string_view what) {
    void* value = nullptr;
    std::size_t size = 0;
    require(ext2fs_xattr_get(handle, key.c_str(), &value, &size), what);
    std::string acl(static_cast<const char*>(value), size);
    ext2fs_free_mem(&value);
    constexpr std::size_t kHeader = 4;
    constexpr std::size_t kEntry = 8;
    constexpr std::size_t kId = 4; ///< in an entry
    constexpr char kNamedUser = 0x02;
    constexpr char kNamedGroup = 0x08;
    for (std::size_t at = kHeader; at + kEntry <= acl.size(); at += kEntry) {
        if (acl[at] != kNamedUser && acl[at] != kNamedGroup) {
            acl.replace(at + kId, kEntry - kId, kEntry - kId, '\xff');
        }
    }
    return acl;
}

Xattrs read_attributes(ext2_filsys fs, const Name& name) {
    const std::string what = fmt::format("read the attributes of '/{}'", name.path);
    ext2_xattr_handle* opened = nullptr;
    require(ext2fs_xattrs_open(fs, name.inode, &opened), what);
    const Attributes handle(opened);
    require(ext2fs_xattrs_read(opened), what);
    Xattrs out;
    const auto take = [](char* key, char* value, std::size_t size, void* to) {
        static_cast<Xattrs*>(to)->insert_or_assign(key, std::string(value, size));
        return 0;
    };
    require(ext2fs_xattrs_iterate(opened, take, &out), what);
    for (auto& [key, value] : out) {
        if (key.starts_with("system.posix_acl_")) {
            value = read_acl(opened, key, what);
        }
    }
    return out;
}

/// Calls `take` with the content in order, holes as zeros.
template <typename Take>
void read_content(ext2_filsys fs, const Name& name, std::vector<std::byte>& buffer, Take take) {
    const std::string what = fmt::format("read '/{}'", name.path);
    ext2_file_t opened = nullptr;
    require(ext2fs_file_open(fs, name.inode, 0, &opened), what);
    const Handle<ext2_file, ext2fs_file_close> file(opened);
    while (true) {
        unsigned count = 0;
        const auto wanted = static_cast<unsigned>(buffer.size());
        require(ext2fs_file_read(opened, buffer.data(), wanted, &count), what);
        if (count == 0) {
            return;
        }
        take(Bytes(buffer.data(), count));
        throw_if_interrupted();
    }
}

std::string read_target(ext2_filsys fs, const Name& name, const ext2_inode_large& inode) {
    const auto* const plain = reinterpret_cast<const ext2_inode*>(&inode);
    if (ext2fs_is_fast_symlink(const_cast<ext2_inode*>(plain)) != 0) {
        return {reinterpret_cast<const char*>(inode.i_block), inode.i_size};
    }
    std::string target;
    std::vector<std::byte> buffer(fs->blocksize);
    read_content(fs, name, buffer, [&](Bytes bytes) { target.append(as_text(bytes)); });
    return target;
}

Entry read_entry(ext2_filsys fs, const Name& name) {
    const ext2_inode_large inode = read_inode(fs, name);
    Entry entry;
    entry.type = type_of(inode, name);
    entry.mode = inode.i_mode & 07777U;
    entry.uid = inode_uid(inode);
    entry.gid = inode_gid(inode);
    entry.mtime = mtime_of(inode, name);
    entry.xattrs = read_attributes(fs, name);
    if (entry.type == FileType::regular) {
        entry.size = inode.i_size | (std::uint64_t{inode.i_size_high} << 32U);
    } else if (entry.type == FileType::symlink) {
        entry.target = read_target(fs, name, inode);
    } else if (entry.type == FileType::char_device || entry.type == FileType::block_device) {
        take_device(inode, entry);
    }
    return entry;
}

/// Every path below the root in byte order; FileTree's map sorts.
std::map<std::string, ext2_ino_t> list_paths(ext2_filsys fs) {
    std::map<std::string, ext2_ino_t> out{{"", EXT2_ROOT_INO}};
    std::vector<Name> directories{{"", EXT2_ROOT_INO}};
    while (!directories.empty()) {
        throw_if_interrupted();
        const Name directory = std::move(directories.back());
        directories.pop_back();
        for (Name& name : list_directory(fs, directory.path, directory.inode)) {
            out.emplace(name.path, name.inode);
            // A directory has one name only: what e2fsck has passed holds no circles.
            if (ext2fs_check_directory(fs, name.inode) == 0) {
                directories.push_back(std::move(name));
            }
        }
    }
    return out;
}

struct Content {
    Name name;
    Entry* entry = nullptr;
};

/// Regular files with their first names, in order of their inodes, which is about that of their
/// places.
std::vector<Content>
fill_entries(ext2_filsys fs, const std::map<std::string, ext2_ino_t>& paths, FileTree& tree) {
    std::map<ext2_ino_t, std::string> first_names;
    std::map<ext2_ino_t, Content> contents;
    for (const auto& [path, inode] : paths) {
        throw_if_interrupted();
        const auto [first, is_new] = first_names.try_emplace(inode, path);
        Entry entry = is_new ? read_entry(fs, {path, inode}) : *tree.find(first->second);
        if (!is_new) {
            entry.hardlink_to = first->second;
        }
        const bool has_content = is_new && entry.type == FileType::regular;
        tree.put(path, std::move(entry));
        if (has_content) {
            contents.emplace(inode, Content{{path, inode}, &tree.entries().at(path)});
        }
    }
    std::vector<Content> out;
    out.reserve(contents.size());
    for (auto& [inode, content] : contents) {
        out.push_back(std::move(content));
    }
    return out;
}

/// Digests a run of files with a separate handle: libext2fs' handles serve one thread.
void digest_contents(
    const std::filesystem::path& disk, std::uint64_t offset, std::span<const Content> contents) {
    const Filesystem fs = open_filesystem(disk, offset);
    constexpr std::size_t kBufferSize = std::size_t{256} * 1024;
    std::vector<std::byte> buffer(kBufferSize);
    for (const Content& content : contents) {
        DigestSink digest;
        read_content(fs.get(), content.name, buffer, [&](Bytes bytes) { digest.write(bytes); });
        content.entry->content = digest.digest();
    }
}

} // namespace

FileTree read_ext4_tree(const std::filesystem::path& disk, std::uint64_t offset, unsigned jobs) {
    const Filesystem fs = open_filesystem(disk, offset);
    FileTree tree;
    const std::vector<Content> contents = fill_entries(fs.get(), list_paths(fs.get()), tree);
    constexpr std::size_t kRun =
        512; // files; opening the file system again costs about a millisecond
    const std::size_t runs = (contents.size() + kRun - 1) / kRun;
    parallel_for(runs, jobs, [&](std::size_t run) {
        const auto all = std::span(contents);
        digest_contents(
            disk, offset, all.subspan(run * kRun, std::min(kRun, all.size() - run * kRun)));
    });
    for (auto& [path, entry] : tree.entries()) {
        if (!entry.hardlink_to.empty()) {
            entry.content = tree.find(entry.hardlink_to)->content;
        }
    }
    return tree;
}

} // namespace kiln
