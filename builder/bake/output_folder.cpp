// SPDX-License-Identifier: MIT
#include "bake/output_folder.hpp"

#include "bake/images.hpp"
#include "base/error.hpp"
#include "base/io/paths.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace kiln {

namespace {

/// What the umask of whoever started kiln leaves of a mode. Trees are made with another umask.
void apply_umask(const fs::path& path, unsigned mask) {
    if (fs::is_symlink(path)) {
        return;
    }
    const unsigned mode = fs::is_directory(path) ? 0777U : 0666U;
    fs::permissions(path, fs::perms(mode & ~mask));
}

} // namespace

void prepare_out_folder(const fs::path& out, const fs::path& cache, Console& console) {
    const fs::path inside =
        fs::weakly_canonical(out).lexically_relative(fs::weakly_canonical(cache));
    if (!inside.empty() && *inside.begin() != "..") {
        throw UsageError(fmt::format(
            "the output folder '{}' lies in the cache directory, where files are removed",
            out.string()));
    }
    std::error_code error;
    fs::create_directories(out, error);
    if (error) {
        throw SystemError(
            fmt::format("cannot make the output folder '{}'", out.string()), error.value());
    }
    if (const std::string warning = check_out_folder(out); !warning.empty()) {
        console.warning(warning);
    }
}

OutFolderLock::OutFolderLock(const fs::path& out)
    : path_(out / ".lock"), lock_(FileLock::try_lock(path_, FileLock::Mode::exclusive)) {
    if (!lock_.is_held()) {
        throw Error(fmt::format("another kiln is baking into '{}'", out.string()))
            .with_hint("wait for it, or use another folder with --out");
    }
    for (const auto& entry : fs::directory_iterator(out)) {
        if (entry.path().filename().string().starts_with(kTemporaryPrefix)) {
            remove_tree(entry.path());
        }
    }
}

OutFolderLock::~OutFolderLock() {
    std::error_code ignored;
    fs::remove(path_, ignored);
}

std::vector<fs::path> publish_results(const fs::path& from, const fs::path& out, unsigned mask) {
    std::vector<fs::path> names;
    for (const auto& file : fs::directory_iterator(from)) {
        names.push_back(file.path().filename());
    }
    for (const auto& file : fs::recursive_directory_iterator(from)) {
        apply_umask(file.path(), mask);
    }
    std::sort(names.begin(), names.end());
    std::vector<fs::path> published;
    for (const fs::path& name : names) {
        if (fs::is_directory(out / name)) {
            fs::rename(out / name, from / ("." + name.string()));
        }
        fs::rename(from / name, out / name);
        published.push_back(out / name);
    }
    return published;
}

} // namespace kiln
