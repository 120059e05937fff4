// SPDX-License-Identifier: MIT
//
// The only program in the sample image: says what a container sees of it.
#include <sys/stat.h>
#include <sys/xattr.h>

#include <cstdio>

namespace {

void show(const char* path) {
    struct stat status{};
    if (::lstat(path, &status) != 0) {
        std::printf("%s absent\n", path);
        return;
    }
    char value[64];
    const ssize_t capability = ::lgetxattr(path, "security.capability", value, sizeof value);
    std::printf(
        "%s mode %o owner %u:%u size %lld mtime %lld links %lu capability %zd\n",
        path,
        static_cast<unsigned>(status.st_mode),
        static_cast<unsigned>(status.st_uid),
        static_cast<unsigned>(status.st_gid),
        S_ISDIR(status.st_mode) ? 0LL : static_cast<long long>(status.st_size),
        static_cast<long long>(status.st_mtime),
        S_ISDIR(status.st_mode) ? 0UL : static_cast<unsigned long>(status.st_nlink),
        capability);
}

} // namespace

int main(int count, char** paths) {
    for (int i = 1; i < count; ++i) {
        show(paths[i]);
    }
    return 0;
}
