// SPDX-License-Identifier: MIT
#include "base/io/directory.hpp"

#include "base/error.hpp"
#include "base/io/file.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

namespace kiln {

namespace {

/// Removes a directory's content. An open descriptor is needed for each level, so what is deeper
/// than `kDeepest` is first moved up to the top, where a further round finds it.
class Remover {
  public:
    Remover(int directory, const std::string& name)
        : directory_(directory), name_(name), top_(open_at(directory, name)) {}

    void run() {
        do {
            moved_ = 0;
            remove_content(top_.get(), 0);
            ++round_;
        } while (moved_ > 0);
        if (::unlinkat(directory_, name_.c_str(), AT_REMOVEDIR) != 0) {
            fail(name_);
        }
    }

  private:
    static constexpr int kDeepest = 200;

    [[noreturn]] static void fail(const std::string& name) {
        throw SystemError(fmt::format("cannot remove '{}'", name));
    }

    /// Whatever is mounted in a tree is not the tree's: whoever looks into a kept one with
    /// chroot(8) may have put the host's /dev there.
    static UniqueFd open_here(int directory, const std::string& name) {
        open_how how{};
        how.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
        how.resolve = RESOLVE_NO_XDEV;
        return UniqueFd(
            static_cast<int>(::syscall(SYS_openat2, directory, name.c_str(), &how, sizeof how)));
    }

    static UniqueFd open_at(int directory, const std::string& name) {
        UniqueFd fd = open_here(directory, name);
        if (!fd.is_open() && errno == EACCES &&
            ::fchmodat(directory, name.c_str(), S_IRWXU, 0) == 0) {
            fd = open_here(directory, name);
        }
        if (!fd.is_open() && errno == EXDEV) {
            throw Error(fmt::format("cannot remove '{}': it is a mount point", name));
        }
        if (!fd.is_open()) {
            fail(name);
        }
        return fd;
    }

    /// Opens up a directory whose owner may not change it.
    static bool unlink_at(int directory, const std::string& name, int flags) {
        return ::unlinkat(directory, name.c_str(), flags) == 0 ||
               (errno == EACCES && ::fchmod(directory, S_IRWXU) == 0 &&
                ::unlinkat(directory, name.c_str(), flags) == 0);
    }

    void remove_content(int directory, int depth) {
        for (const std::string& name : names_in(directory)) {
            if (unlink_at(directory, name, 0) || errno == ENOENT) {
                continue;
            }
            if (errno != EISDIR && errno != EPERM) {
                fail(name);
            }
            if (depth < kDeepest || !move_up(directory, name)) {
                remove_content(open_at(directory, name).get(), depth + 1);
                if (!unlink_at(directory, name, AT_REMOVEDIR)) {
                    fail(name);
                }
            }
        }
    }

    /// False where the file system does not move directories (overlays, of lower layers).
    bool move_up(int directory, const std::string& name) {
        const std::string to = fmt::format(".kiln-deep-{}-{}", round_, moved_);
        if (::renameat(directory, name.c_str(), top_.get(), to.c_str()) != 0) {
            return false;
        }
        ++moved_;
        return true;
    }

    int directory_;
    const std::string& name_;
    UniqueFd top_;
    std::size_t round_ = 0;
    std::size_t moved_ = 0;
};

} // namespace

std::vector<std::string> names_in(int directory) {
    UniqueFd copy(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    DIR* stream = copy.is_open() ? ::fdopendir(copy.get()) : nullptr;
    if (stream == nullptr) {
        throw SystemError("cannot read a directory");
    }
    static_cast<void>(copy.release());
    const Finally close([stream] { ::closedir(stream); });
    std::vector<std::string> out;
    while (const dirent* entry = ::readdir(stream)) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") {
            out.emplace_back(name);
        }
    }
    std::sort(out.begin(), out.end());
    return out;
}

void remove_all_at(int directory, const std::string& name) {
    if (::unlinkat(directory, name.c_str(), 0) == 0 || errno == ENOENT) {
        return;
    }
    if (errno != EISDIR && errno != EPERM && errno != EACCES) {
        throw SystemError(fmt::format("cannot remove '{}'", name));
    }
    Remover(directory, name).run();
}

} // namespace kiln
