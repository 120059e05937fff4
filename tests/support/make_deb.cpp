// SPDX-License-Identifier: MIT
#include "support/make_deb.hpp"

#include "base/process/process.hpp"
#include "support/raw_tar.hpp"

#include <fmt/format.h>

namespace kiln {

namespace {

void write(const fs::path& path, const std::string& text, unsigned mode) {
    fs::create_directories(path.parent_path());
    write_file_atomically(path, text, mode);
}

std::string name_of(const ToyDeb& toy) {
    const std::string first = toy.control.substr(0, toy.control.find('\n'));
    return first.substr(first.find(' ') + 1);
}

/// Layout: deb(5), ar(5).
void add_ar_member(std::string& bytes, const std::string& name, const std::string& content) {
    bytes += fmt::format(
        "{:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", name, 0, 0, 0, "100644", content.size());
    bytes += content + std::string(content.size() % 2, '\n');
}

} // namespace

fs::path make_deb(const fs::path& folder, const ToyDeb& toy) {
    const TempDir work(folder, "deb");
    fs::permissions(work.path(), fs::perms(0755));
    write(work.path() / "DEBIAN/control", toy.control, 0644);
    for (const auto& [name, content] : toy.scripts) {
        const bool is_script = content.starts_with("#!");
        write(work.path() / "DEBIAN" / name, content, is_script ? 0755 : 0644);
    }
    for (const auto& [path, content] : toy.files) {
        write(work.path() / path, content, path.find("bin/") != std::string::npos ? 0755 : 0644);
    }
    const fs::path out = folder / (name_of(toy) + ".deb");
    SystemProcessRunner().run_checked(
        {"dpkg-deb", {"--root-owner-group", "-b", work.path().string(), out.string()}});
    return out;
}

fs::path make_raw_deb(const fs::path& folder, const ToyDeb& toy, const std::string& data_tar) {
    test::RawTar control;
    control.file("./control", toy.control);
    for (const auto& [name, content] : toy.scripts) {
        const bool is_script = content.starts_with("#!");
        control.add(
            {.name = "./" + name,
             .content = content,

             .mode = is_script ? 0755U : 0644U});
    }
    std::string bytes = "!<arch>\n";
    add_ar_member(bytes, "debian-binary", "2.0\n");
    add_ar_member(bytes, "control.tar", control.bytes());
    add_ar_member(bytes, "data.tar", data_tar);
    const fs::path out = folder / (name_of(toy) + ".deb");
    write_file_atomically(out, bytes);
    return out;
}

} // namespace kiln
