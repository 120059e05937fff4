// SPDX-License-Identifier: MIT
//
// A script that takes more than its share: limit_probe
// time|output|memory|processes|disk|closed|files|shared|inodes|writers
//
// "given" prints the limits that it was started with and ends.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20U;

[[noreturn]] void for_ever() {
    while (true) {
        ::pause();
    }
}

/// Each process takes little, all together take much.
void take_memory() {
    for (int i = 0; i < 64; ++i) {
        if (::fork() == 0) {
            std::vector<char> bytes(16 * kMiB);
            std::memset(bytes.data(), 1, bytes.size());
            for_ever();
        }
    }
    for_ever();
}

/// Of memory that is not a process's own: far more than what others give back meanwhile.
void take_shared_memory() {
    const int fd = ::memfd_create("probe", MFD_CLOEXEC);
    const std::vector<char> bytes(kMiB, 'x');
    constexpr int kMost = 4096;
    for (int i = 0; i < kMost && ::write(fd, bytes.data(), bytes.size()) > 0; ++i) {
        ::usleep(1000);
    }
    for_ever();
}

void make_files() {
    for (int i = 0; i < 2000; ++i) {
        const std::string path = "/file" + std::to_string(i);
        static_cast<void>(::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
        ::close_range(3, ~0U, 0);
    }
    for_ever();
}

/// Processes that hear nothing but SIGKILL, with memory that takes its time to be given back.
void write_with_many() {
    for (int i = 0; i < 200; ++i) {
        if (::fork() == 0) {
            ::signal(SIGTERM, SIG_IGN);
            ::setsid();
            std::vector<char> bytes(8 * kMiB);
            std::memset(bytes.data(), 1, bytes.size());
            for (int n = 0;; ++n) {
                const std::string path = "/f" + std::to_string(i) + "-" + std::to_string(n % 9);
                static_cast<void>(::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
                ::close_range(3, ~0U, 0);
                ::unlink(path.c_str());
            }
        }
    }
    for_ever();
}

int take_processes() {
    std::vector<pid_t> children;
    while (children.size() < 10000) {
        const pid_t pid = ::fork();
        if (pid == 0) {
            for_ever();
        }
        if (pid < 0) {
            std::printf("refused after %zu: %s\n", children.size(), std::strerror(errno));
            return errno == EAGAIN ? 0 : 1;
        }
        children.push_back(pid);
    }
    return 1;
}

/// What getrlimit(2), uname(2) and umask(2) say, a line for each.
void print_given() {
    for (int resource = 0; resource < static_cast<int>(RLIM_NLIMITS); ++resource) {
        rlimit limit{};
        ::getrlimit(static_cast<__rlimit_resource>(resource), &limit);
        std::printf(
            "%d: %lld %lld\n",
            resource,
            static_cast<long long>(limit.rlim_cur),
            static_cast<long long>(limit.rlim_max));
    }
    utsname system{};
    ::uname(&system);
    std::printf("%s\n%03o\n", system.machine, static_cast<unsigned>(::umask(0)));
}

void write_for_ever() {
    const int fd = ::open("/big", O_CREAT | O_WRONLY, 0644);
    const std::vector<char> bytes(kMiB, 'x');
    while (::write(fd, bytes.data(), bytes.size()) > 0) {
        ::usleep(2000);
    }
    for_ever();
}

} // namespace

int main(int argc, char** argv) {
    const std::string way = argc > 1 ? argv[1] : "";
    if (way == "time") {
        for_ever();
    } else if (way == "closed") { // nobody hears of it any more
        ::close(0);
        ::close(1);
        ::close(2);
        for_ever();
    } else if (way == "output") {
        while (std::printf("y\n") > 0) {
        }
    } else if (way == "memory") {
        take_memory();
    } else if (way == "processes") {
        return take_processes();
    } else if (way == "shared") {
        take_shared_memory();
    } else if (way == "inodes") {
        make_files();
    } else if (way == "writers") {
        write_with_many();
    } else if (way == "disk") {
        write_for_ever();
    } else if (way == "given") {
        print_given();
        return 0;
    }
    return 2;
}
