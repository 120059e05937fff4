// SPDX-License-Identifier: MIT
//
// Trees that hold one of everything that image writers must carry, for the tests of writers and
// readers.
#pragma once

#include "tree/file_tree.hpp"

#include <memory>
#include <string>
#include <utility>

namespace kiln::test {

inline constexpr std::int64_t kEpoch = 1775044800; ///< 2026-04-01T12:00:00Z

inline Entry file(std::string content, std::uint32_t mode = 0644) {
    Entry entry;
    entry.mode = mode;
    entry.mtime = kEpoch;
    entry.size = content.size();
    entry.content = sha256(content);
    entry.data = std::make_shared<const std::string>(std::move(content));
    return entry;
}

inline Entry directory(std::uint32_t mode = 0755) {
    Entry entry;
    entry.type = FileType::directory;
    entry.mode = mode;
    entry.mtime = kEpoch;
    return entry;
}

inline Entry symlink(std::string target) {
    Entry entry;
    entry.type = FileType::symlink;
    entry.mode = 0777;
    entry.mtime = kEpoch;
    entry.target = std::move(target);
    return entry;
}

inline Entry device(FileType type, std::uint32_t major, std::uint32_t minor) {
    Entry entry;
    entry.type = type;
    entry.mode = 0600;
    entry.mtime = kEpoch;
    entry.device_major = major;
    entry.device_minor = minor;
    return entry;
}

inline Entry whiteout() {
    Entry entry;
    entry.type = FileType::whiteout;
    return entry;
}

inline Entry opaque(Entry entry) {
    entry.opaque = true;
    return entry;
}

/// A link with all properties of its first member, as scanners make it.
inline Entry hardlink(const FileTree& tree, const std::string& first) {
    Entry entry = *tree.find(first);
    entry.hardlink_to = first;
    return entry;
}

/// Everything that a Debian tree may hold and that a plain user can unpack, too.
inline FileTree plain_tree() {
    FileTree tree;
    tree.put("", directory());
    tree.put("etc", directory());
    tree.put("etc/hostname", file("pause\n"));
    tree.put("etc/old", file("to be removed\n"));
    tree.put("etc/shadow", file("root:*:\n", 0640));
    tree.put("usr", directory());
    tree.put("usr/bin", directory());
    tree.put("usr/bin/perl", file(std::string(3 << 20, 'p'), 0755));
    tree.put("usr/bin/perl5", hardlink(tree, "usr/bin/perl"));
    tree.put("usr/bin/sudo", file("setuid", 04755));
    tree.put("usr/lib", symlink("usr/lib64"));
    const std::string deep = "usr/" + std::string(90, 'd');
    tree.put(deep, directory());
    tree.put(deep + "/" + std::string(60, 's'), file("prefix and name"));
    tree.put(deep + "/" + std::string(200, 'l'), file("pax path"));
    tree.put("usr/F\xc5\x91tan\xc3\xba.crt", file("not ASCII"));
    tree.put("usr/long", symlink(std::string(150, 't')));
    tree.put("var", directory());
    tree.put("var/spool", directory(01777));
    tree.put("var/spool/a.d", directory());
    tree.put("var/spool/a.d/x", file("x"));
    tree.put("var/spool/a", directory());
    tree.put("var/spool/a/x", file(""));
    return tree;
}

/// plain_tree() and what only the superuser may make: owners, devices, attributes, odd times.
inline FileTree full_tree() {
    FileTree tree = plain_tree();
    tree.entries().at("etc/shadow").gid = 42;
    Entry ping = file("ping", 0755);
    ping.xattrs["security.capability"] =
        std::string("\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
    ping.xattrs["user.note"] = "two\nlines = fine";
    tree.put("usr/bin/ping", ping);
    Entry big = file("large ids");
    big.uid = 3000000;
    big.gid = 4000000;
    big.mtime = -1;
    tree.put("usr/big", big);
    tree.put("usr/latin1-\xe9", file("not UTF-8"));
    tree.put("dev", directory());
    tree.put("dev/null", device(FileType::char_device, 1, 3));
    tree.put("dev/vda", device(FileType::block_device, 254, 0));
    tree.put("dev/initctl", device(FileType::fifo, 0, 0));
    return tree;
}

/// A change of either tree that uses whiteouts, an opaque directory and an unnamed parent.
inline FileTree change() {
    FileTree delta;
    delta.put("etc", directory());
    delta.put("etc/hostname", file("renamed\n"));
    delta.put("etc/old", whiteout());
    delta.put("etc/!first", file("sorts before .wh."));
    delta.put("usr/bin/new", file("its parents are not in the change", 0755));
    delta.put("usr/bin/new2", hardlink(delta, "usr/bin/new"));
    delta.put("usr/bin/perl", file("a new perl", 0755));
    delta.put("var/spool", opaque(directory(0755)));
    delta.put("var/spool/a", directory(0700));
    delta.put("var/spool/a/y", file("y"));
    return delta;
}

} // namespace kiln::test
