// SPDX-License-Identifier: MIT
//
// Short ways to write a FileTree down in a test.
#pragma once

#include "tree/file_tree.hpp"

#include <memory>
#include <string>
#include <utility>

namespace kiln::test {

constexpr std::int64_t kTestTime = 1'700'000'000;

inline Entry make_entry(FileType type, std::uint32_t mode) {
    Entry entry;
    entry.type = type;
    entry.mode = mode;
    entry.mtime = kTestTime;
    return entry;
}

inline Entry make_directory(std::uint32_t mode = 0755) {
    return make_entry(FileType::directory, mode);
}

inline Entry make_file(std::string content, std::uint32_t mode = 0644) {
    Entry entry = make_entry(FileType::regular, mode);
    entry.size = content.size();
    entry.content = sha256(content);
    entry.data = std::make_shared<const std::string>(std::move(content));
    return entry;
}

inline Entry make_symlink(std::string target) {
    Entry entry = make_entry(FileType::symlink, 0777);
    entry.target = std::move(target);
    return entry;
}

inline Entry make_hardlink(const Entry& first, std::string first_path) {
    Entry entry = first;
    entry.hardlink_to = std::move(first_path);
    return entry;
}

/// Bytes that do not compress and that are the same on every machine (xorshift64).
inline std::string noise(std::size_t size, std::uint64_t seed = 1) {
    std::string out(size, '\0');
    std::uint64_t state = seed * 0x9e3779b97f4a7c15ULL + 1;
    for (char& c : out) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        c = static_cast<char>(state >> 32);
    }
    return out;
}

/// A small tree with one of everything.
inline FileTree sample_tree() {
    FileTree tree;
    tree.put("", make_directory());
    tree.put("boot", make_directory());
    tree.put("boot/vmlinuz", make_file(noise(123'456)));
    tree.put("etc", make_directory());
    tree.put("etc/hostname", make_file("golden\n"));
    tree.put("etc/empty", make_file(""));
    tree.put("etc/fast", make_symlink("hostname"));
    tree.put("etc/slow", make_symlink(std::string(200, 'x')));
    tree.put("usr", make_directory());
    tree.put("usr/bin", make_directory());
    Entry ping = make_file(noise(5000, 2), 0755);
    ping.xattrs["security.capability"] = std::string(
        "\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 20);
    tree.put("usr/bin/ping", ping);
    tree.put("usr/bin/ping4", make_hardlink(ping, "usr/bin/ping"));
    tree.put("usr/bin/sudo", make_file("setuid", 04755));
    Entry holes = make_file(std::string(40'000, '\0') + "end" + std::string(20'000, '\0'));
    holes.uid = 70'000;
    holes.gid = 70'001;
    tree.put("usr/holes", holes);
    Entry console = make_entry(FileType::char_device, 0600);
    console.device_major = 5;
    console.device_minor = 1;
    tree.put("usr/console", console);
    Entry disk = make_entry(FileType::block_device, 0660);
    disk.device_major = 259;
    disk.device_minor = 70'000;
    tree.put("usr/disk", disk);
    tree.put("usr/fifo", make_entry(FileType::fifo, 0644));
    tree.put("usr/socket", make_entry(FileType::socket, 0755));
    tree.put("tmp", make_directory(01777));
    return tree;
}

} // namespace kiln::test
