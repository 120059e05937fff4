// SPDX-License-Identifier: MIT
//
// What the commands that fetch inputs have in common: their options, and the pool, mirrors and
// HTTP client that these make.
#pragma once

#include "base/http/http.hpp"
#include "cli/command.hpp"
#include "debian/apt_proxy.hpp"
#include "debian/mirrors.hpp"
#include "inputs/input_context.hpp"
#include "inputs/pool.hpp"

namespace kiln {

inline constexpr OptionSpec kMirrorOption{
    .name = "--mirror",
    .value = "[NAME=]URL",
    .doc = "where to fetch archives from; otherwise KILN_MIRROR, then this host's apt sources",
    .repeatable = true};

inline constexpr OptionSpec kSnapshotOption{
    .name = "--snapshot",
    .value = "URL",
    .doc = "a snapshot service for packages that the mirror has dropped; otherwise KILN_SNAPSHOT"};

inline constexpr OptionSpec kOfflineOption{
    .name = "--offline", .doc = "never open a network connection: everything is in the pool"};

inline constexpr OptionSpec kCpanOption{
    .name = "--cpan",
    .value = "URL",
    .doc = "a CPAN mirror, or a directory laid out like one; otherwise KILN_CPAN"};

inline constexpr OptionSpec kCpanKeyringOption{
    .name = "--cpan-keyring",
    .value = "FILE",
    .doc = "keys that must sign the CHECKSUMS of releases that are taken from CPAN",
    .completes = Completes::file};

inline constexpr OptionSpec kJobsOption{
    .name = "--jobs",
    .value = "N",
    .doc = "threads for parallel work; otherwise one for each processor",
    .letter = 'j'};

/// The outside world of one command.
class InputWorld {
  public:
    InputWorld(const Arguments& arguments, Context& context);
    /// For commands without these options.
    explicit InputWorld(Context& context);
    InputWorld(const InputWorld&) = delete;
    InputWorld& operator=(const InputWorld&) = delete;
    ~InputWorld() = default;

    [[nodiscard]] InputContext context() const;

    /// Root of kiln's cache.
    [[nodiscard]] const fs::path& cache() const noexcept { return cache_; }

  private:
    Console& console_;
    ProcessRunner& processes_;
    fs::path cache_;
    Pool pool_;
    Mirrors mirrors_;
    HostProxies proxies_;
    std::unique_ptr<HttpClient> http_;
    bool offline_;
    CpanPlace cpan_;
    Environment env_;
};

/// --jobs, or one for each processor.
[[nodiscard]] unsigned jobs_of(const Arguments& arguments);

} // namespace kiln
