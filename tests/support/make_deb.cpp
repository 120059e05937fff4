// SPDX-License-Identifier: MIT
#include "support/make_deb.hpp"

#include "base/process.hpp"

namespace kiln {

namespace {

void write(const fs::path& path, const std::string& text, unsigned mode) {
    fs::create_directories(path.parent_path());
    write_file_atomically(path, text, mode);
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
    const std::string first = toy.control.substr(0, toy.control.find('\n'));
    const fs::path out = folder / (first.substr(first.find(' ') + 1) + ".deb");
    SystemProcessRunner().run_checked(
        {"dpkg-deb", {"--root-owner-group", "-b", work.path().string(), out.string()}});
    return out;
}

} // namespace kiln
