// SPDX-License-Identifier: MIT
#include "base/process/resource_limits.hpp"

#include "base/error.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace kiln {

namespace {

using Resource = __rlimit_resource;

struct ScriptLimit {
    Resource resource;
    rlim_t soft;
    rlim_t hard;
    std::string_view name; ///< as in bash's `ulimit -a`
    char letter;           ///< of ulimit; a space: it has none
};

constexpr rlim_t kKiB = 1024;
constexpr rlim_t kStack = 8192 * kKiB;
constexpr rlim_t kUnlimited = RLIM_INFINITY;

/// REPRO: programs act on what they find here, such as gcc on its stack and Java on open files.
/// Only values that a usual system allows everybody to have; what is finite is what such a system
/// gives, or less.
constexpr auto kScriptLimits = std::to_array<ScriptLimit>({
    {RLIMIT_NOFILE, 1024, 1024, "open files", 'n'},
    {RLIMIT_STACK, kStack, kUnlimited, "stack size", 's'},
    {RLIMIT_FSIZE, kUnlimited, kUnlimited, "file size", 'f'},
    {RLIMIT_AS, kUnlimited, kUnlimited, "virtual memory", 'v'},
    {RLIMIT_CPU, kUnlimited, kUnlimited, "cpu time", 't'},
    {RLIMIT_RSS, kUnlimited, kUnlimited, "max memory size", 'm'},
    {RLIMIT_LOCKS, kUnlimited, kUnlimited, "file locks", 'x'},
    {RLIMIT_RTTIME, kUnlimited, kUnlimited, "real-time non-blocking time", 'R'},
    {RLIMIT_MEMLOCK, 64 * kKiB, 64 * kKiB, "max locked memory", 'l'},
    {RLIMIT_MSGQUEUE, 819'200, 819'200, "POSIX message queues", 'q'},
    {RLIMIT_SIGPENDING, 1024, 1024, "pending signals", 'i'},
    {RLIMIT_NICE, 0, 0, "scheduling priority", 'e'},
    {RLIMIT_RTPRIO, 0, 0, "real-time priority", 'r'},
    // 1 and not 0: a helper that the host names in core_pattern would run for 0.
    {RLIMIT_CORE, 1, 1, "core file size", 'c'},
});

rlimit limit_of(Resource resource) noexcept {
    rlimit limit{kUnlimited, kUnlimited};
    ::getrlimit(resource, &limit);
    return limit;
}

/// Hard limits count for a user namespace as for its outside: root of one may not raise them.
void raise_hard(Resource resource, rlim_t wanted) noexcept {
    rlimit limit = limit_of(resource);
    if (limit.rlim_max < wanted) {
        limit.rlim_max = wanted;
        ::setrlimit(resource, &limit);
    }
}

/// The soft limit, as near to `wanted` as may be; what is larger stays.
rlim_t raise_soft(Resource resource, rlim_t wanted) noexcept {
    raise_hard(resource, wanted);
    rlimit limit = limit_of(resource);
    if (limit.rlim_cur < wanted) {
        limit.rlim_cur = std::min(wanted, limit.rlim_max);
        ::setrlimit(resource, &limit);
    }
    return limit_of(resource).rlim_cur;
}

/// Only what the hard limit has left.
void set_limit(Resource resource, rlim_t soft, rlim_t hard) noexcept {
    const rlim_t most = limit_of(resource).rlim_max;
    const rlimit limit{std::min(soft, most), std::min(hard, most)};
    ::setrlimit(resource, &limit);
}

std::string amount(rlim_t value) {
    return value == kUnlimited ? "unlimited" : std::to_string(value);
}

} // namespace

void raise_own_limits() {
    constexpr rlim_t kSmallestStack = 1024 * kKiB;
    constexpr rlim_t kOpenFiles = 4096;
    constexpr rlim_t kFewestOpenFiles = 64;
    if (const rlim_t stack = raise_soft(RLIMIT_STACK, kStack); stack < kSmallestStack) {
        throw Error(
            fmt::format("the stack size is limited to {} KiB, kiln needs 1 MiB", stack / kKiB))
            .with_hint("raise the hard limit with 'ulimit -Hs 8192'");
    }
    if (const rlim_t files = raise_soft(RLIMIT_NOFILE, kOpenFiles); files < kFewestOpenFiles) {
        throw Error(fmt::format(
                        "the number of open files is limited to {}, kiln needs {}",
                        files,
                        kFewestOpenFiles))
            .with_hint("raise the hard limit with 'ulimit -Hn 4096'");
    }
    // Threads have what the limit was when the program began.
    pthread_attr_t attributes;
    if (::pthread_attr_init(&attributes) == 0) {
        ::pthread_attr_setstacksize(&attributes, kStack);
        ::pthread_setattr_default_np(&attributes);
        ::pthread_attr_destroy(&attributes);
    }
}

void make_room_for_script_limits() {
    raise_hard(RLIMIT_NPROC, kUnlimited);
    raise_hard(RLIMIT_DATA, kUnlimited);
    for (const ScriptLimit& each : kScriptLimits) {
        raise_hard(each.resource, each.hard);
        const rlim_t most = limit_of(each.resource).rlim_max;
        if (most >= each.hard) {
            continue;
        }
        throw Error(fmt::format(
                        "scripts need the resource limit '{}' to be {}, but the hard limit is {}",
                        each.name,
                        amount(each.hard),
                        amount(most)))
            .with_hint(fmt::format(
                "raise the hard limit ('ulimit -H{} {}', or /etc/security/limits.conf)",
                each.letter,
                amount(each.hard)));
    }
}

void set_script_limits(std::uint64_t processes, std::uint64_t memory) noexcept {
    for (const ScriptLimit& each : kScriptLimits) {
        set_limit(each.resource, each.soft, each.hard);
    }
    set_limit(RLIMIT_NPROC, processes, processes);
    set_limit(RLIMIT_DATA, memory, memory);
}

} // namespace kiln
