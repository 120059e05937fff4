// SPDX-License-Identifier: MIT
#include "bake/output_folder.hpp"

#include "bake/images.hpp"
#include "base/error.hpp"
#include "base/io/paths.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

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

/// As a caller's umask says, but never so that everybody can write to them: what kiln makes itself
/// it would refuse the next moment.
void make_folders(const fs::path& out) {
    const fs::path parent = out.parent_path();
    if (!parent.empty() && parent != out && !fs::is_directory(parent)) {
        make_folders(parent);
    }
    if (::mkdir(out.c_str(), 0775) != 0 && !(errno == EEXIST && fs::is_directory(out))) {
        throw SystemError(fmt::format("cannot create output directory '{}'", out.string()));
    }
}

} // namespace

void prepare_out_folder(const fs::path& out, const fs::path& cache, Console& console) {
    const fs::path inside =
        fs::weakly_canonical(out).lexically_relative(fs::weakly_canonical(cache));
    if (!inside.empty() && *inside.begin() != "..") {
        throw UsageError(fmt::format(
            "the output directory '{}' is inside the cache directory, where files are removed",
            out.string()));
    }
    make_folders(out);
    if (const std::string warning = check_out_folder(out); !warning.empty()) {
        console.warning(warning);
    }
}

OutFolderLock::OutFolderLock(const fs::path& out)
    : path_(out / ".lock"), lock_(FileLock::try_lock(path_, FileLock::Mode::exclusive)) {
    if (!lock_.is_held()) {
        throw Error(fmt::format("another kiln process is writing to '{}'", out.string()))
            .with_hint("wait for it to finish, or use --out to write to another directory");
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

unsigned own_umask() {
    const mode_t mask = ::umask(0);
    ::umask(mask);
    return mask;
}

} // namespace kiln
