// SPDX-License-Identifier: MIT
#include "artifact/artifact_libraries.hpp"

#include "base/error.hpp"
#include "base/io/file.hpp"
#include "base/text.hpp"
#include "sandbox/sandbox.hpp"

#include <fmt/format.h>

#include <array>
#include <map>
#include <set>
#include <string>

namespace kiln {

namespace {

constexpr const char* kArtifactFolder = "/run/kiln/artifact";
constexpr std::string_view kElfMagic("\x7f"
                                     "ELF");

bool is_elf(const fs::path& path) {
    std::array<std::byte, kElfMagic.size()> start{};
    FileSource file(path);
    const std::size_t count = file.read(start);
    return std::string_view(reinterpret_cast<const char*>(start.data()), count) == kElfMagic;
}

/// Programs and libraries, as paths below the artifact.
std::vector<std::string> elf_files(const FileTree& tree, const fs::path& folder) {
    std::vector<std::string> out;
    for (const auto& [path, entry] : tree.entries()) {
        if (entry.type == FileType::regular && is_elf(folder / path)) {
            out.push_back(path);
        }
    }
    return out;
}

/// Names in lines such as " 0x1 (NEEDED)  Shared library: [libc.so.6]" of readelf(1).
std::set<std::string> needed_libraries(std::string_view output) {
    std::set<std::string> out;
    for (const std::string& line : split_lines(output)) {
        const std::size_t open = line.find('[');
        const std::size_t close = line.find(']');
        if (line.find("(NEEDED)") != std::string::npos && open < close &&
            close != std::string::npos) {
            out.insert(line.substr(open + 1, close - open - 1));
        }
    }
    return out;
}

/// Who has a file that is called like that: lines "PACKAGE[:ARCH]: PATH" of dpkg-query(1).
std::vector<ArtifactLibrary>
owners_of(const std::set<std::string>& sonames, ProcessRunner& sandbox) {
    if (sonames.empty()) {
        return {};
    }
    Command command{"dpkg-query", {"--search"}};
    for (const std::string& soname : sonames) {
        command.args.push_back("*/" + soname);
    }
    command.separate_stderr = true; // patterns without a match are reported there, and found below
    std::map<std::string, ArtifactLibrary> found;
    for (const std::string& line : split_lines(sandbox.run(command).output)) {
        const std::size_t space = line.find(": ");
        if (space == std::string::npos) {
            continue;
        }
        const std::string path = line.substr(space + 2);
        const std::string soname = path.substr(path.rfind('/') + 1);
        found.try_emplace(
            soname, ArtifactLibrary{soname, path, line.substr(0, line.find_first_of(":,"))});
    }
    std::vector<ArtifactLibrary> out;
    for (const std::string& soname : sonames) {
        const auto place = found.find(soname);
        if (place == found.end()) {
            throw Error(
                fmt::format("no package in the build root contains the library '{}'", soname));
        }
        out.push_back(place->second);
    }
    return out;
}

} // namespace

std::vector<ArtifactLibrary> find_libraries(
    const FileTree& tree,
    const fs::path& folder,
    const fs::path& root,
    const MakeSandbox& make_sandbox) {
    std::vector<std::string> files = elf_files(tree, folder);
    if (files.empty()) {
        return {};
    }
    SandboxOptions options{.root = root};
    options.read_only_root = true;
    options.binds.push_back({folder, kArtifactFolder});
    const auto sandbox = make_sandbox(std::move(options));
    Command command{"readelf", {"--dynamic", "--wide"}};
    command.cwd = kArtifactFolder;
    command.args.insert(command.args.end(), files.begin(), files.end());
    std::set<std::string> needed = needed_libraries(sandbox->run_checked(command));
    for (const std::string& file : files) {
        needed.erase(file.substr(file.rfind('/') + 1));
    }
    return owners_of(needed, *sandbox);
}

} // namespace kiln
