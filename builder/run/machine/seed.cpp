// SPDX-License-Identifier: MIT
#include "run/machine/seed.hpp"

#include "base/error.hpp"
#include "disk/fat/fat.hpp"
#include "run/suite.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <memory>

namespace kiln {

namespace {

std::string with_key(std::string text, std::string_view ssh_key) {
    for (std::size_t at = 0; (at = text.find(kSshKeyMark, at)) != std::string::npos;) {
        text.replace(at, kSshKeyMark.size(), ssh_key);
        at += ssh_key.size();
    }
    return text;
}

} // namespace

std::map<std::string, std::string> seed_files(
    const std::map<std::string, std::string>& suite_files,
    std::string_view instance_id,
    std::string_view ssh_key) {
    std::map<std::string, std::string> out{
        {"meta-data", fmt::format("instance-id: {}\n", instance_id)},
        {"user-data", "#cloud-config\n"}};
    if (!ssh_key.empty()) {
        out["user-data"] += fmt::format(
            "disable_root: false\n"
            "ssh_pwauth: false\n"
            "users:\n"
            "  - name: root\n"
            "    ssh_authorized_keys:\n"
            "      - {}\n",
            ssh_key);
    }
    for (const auto& [name, text] : suite_files) {
        out[name] = with_key(text, ssh_key);
    }
    return out;
}

void write_seed_drive(const std::map<std::string, std::string>& files, const fs::path& path) {
    constexpr std::uint64_t kSlack = 4096; // of a file's last cluster
    FileTree tree;
    Entry root;
    root.type = FileType::directory;
    tree.put("", root);
    std::uint64_t size = kLeastFatBytes;
    for (const auto& [name, text] : files) {
        Entry file;
        file.size = text.size();
        file.data = std::make_shared<const std::string>(text);
        tree.put(name, file);
        size += text.size() + kSlack;
    }
    size = (size / kLeastFatBytes + 1) * kLeastFatBytes;
    const UniqueFd fd = open_file(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (::ftruncate(fd.get(), static_cast<off_t>(size)) != 0) {
        throw SystemError(fmt::format("cannot create '{}'", path.string()));
    }
    FatOptions options;
    options.volume_id = 0x6b696c6e;
    options.label = "CIDATA";
    options.long_names = true;
    write_fat(tree, options, fd.get(), 0, size);
}

} // namespace kiln
