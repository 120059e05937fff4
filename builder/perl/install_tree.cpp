// SPDX-License-Identifier: MIT
#include "perl/install_tree.hpp"

#include "archive/archive_reader.hpp"
#include "archive/archive_unpack.hpp"
#include "base/error.hpp"
#include "debian/deb.hpp"
#include "perl/package.hpp"
#include "tree/tree_root.hpp"

#include <fmt/format.h>

#include <string_view>

namespace kiln {

namespace {

/// "#!/usr/bin/perl -w" -> "#!/opt/x/bin/perl -w"; other text stays.
std::string with_interpreter(std::string_view text, const std::string& program) {
    constexpr std::string_view kDebians = "#!/usr/bin/perl";
    constexpr std::string_view kEnvs = "#!/usr/bin/env perl";
    for (const std::string_view line : {kDebians, kEnvs}) {
        if (text.starts_with(line)) {
            return fmt::format("#!{}{}", program, text.substr(line.size()));
        }
    }
    return std::string(text);
}

bool is_unwanted(const fs::path& path) {
    const std::string name = path.filename().string();
    const bool is_pod = name.ends_with(".pod") && name != "perldiag.pod";
    return is_pod || name == ".packlist" || name.ends_with(".a") || name.ends_with(".bs") ||
           name.ends_with(".la");
}

} // namespace

std::string
unpack_tarball(const fs::path& tarball, const std::string& name, const fs::path& folder) {
    FileSource file(tarball);
    unpack_archive(file, name, folder);
    std::vector<std::string> tops;
    for (const auto& entry : fs::directory_iterator(folder)) {
        tops.push_back(entry.path().filename().string());
    }
    if (tops.size() != 1) {
        throw Error(fmt::format("'{}' does not have a single top-level directory", name));
    }
    return tops.front();
}

void install_perl_package(const fs::path& package, const PerlLayout& perl, const fs::path& root) {
    const TreeRoot tree(root);
    read_deb_data(package, [&](ArchiveReader& reader) {
        while (const auto member = reader.next()) {
            const PackagePlace place = place_of_package_file(member->path);
            if (place.kind == PackagePlace::Kind::none || member->entry.type != FileType::regular) {
                continue;
            }
            const bool is_program = place.kind == PackagePlace::Kind::program;
            const std::string folder =
                is_program ? perl.prefix + "/bin/" : perl.site_library() + "/";
            MemorySink text;
            copy(reader.content(), text);
            tree.write_file(
                folder + place.path,
                is_program ? with_interpreter(text.text(), perl.program())
                           : std::string(text.text()),
                {.mode = is_program ? 0755U : 0644U});
        }
    });
}

void clean_installed_tree(const fs::path& root) {
    std::vector<fs::path> folders;
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
        (entry.is_directory() && !entry.is_symlink() ? folders : files).push_back(entry.path());
    }
    for (const fs::path& path : files) {
        if (is_unwanted(path)) {
            fs::remove(path);
        } else if (!fs::is_symlink(path)) {
            const bool executable =
                (fs::status(path).permissions() & fs::perms::owner_exec) != fs::perms::none;
            fs::permissions(path, fs::perms(executable ? 0755 : 0644));
        }
    }
    // Children come behind their parents in the list.
    for (auto folder = folders.rbegin(); folder != folders.rend(); ++folder) {
        if (fs::is_empty(*folder)) {
            fs::remove(*folder);
        } else {
            fs::permissions(*folder, fs::perms(0755));
        }
    }
}

std::vector<std::string> files_outside_prefix(const FileTree& tree, const std::string& prefix) {
    std::vector<std::string> out;
    for (const auto& [path, entry] : tree.entries()) {
        const std::string installed = "/" + path;
        if (entry.type != FileType::directory && !installed.starts_with(prefix + "/")) {
            out.push_back(installed);
        }
    }
    return out;
}

} // namespace kiln
