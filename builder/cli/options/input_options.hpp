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
    .doc = "mirror to download packages from (default: KILN_MIRROR, then this host's apt sources)",
    .repeatable = true};

inline constexpr OptionSpec kSnapshotOption{
    .name = "--snapshot",
    .value = "URL",
    .doc =
        "snapshot service for packages that are no longer on the mirror (default: KILN_SNAPSHOT)"};

inline constexpr OptionSpec kOfflineOption{
    .name = "--offline", .doc = "do not use the network: all inputs must be in the download cache"};

inline constexpr OptionSpec kCpanOption{
    .name = "--cpan",
    .value = "URL",
    .doc = "CPAN mirror, or a directory with the same layout (default: KILN_CPAN)"};

inline constexpr OptionSpec kCpanKeyringOption{
    .name = "--cpan-keyring",
    .value = "FILE",
    .doc = "keyring that must sign the CHECKSUMS files of CPAN releases",
    .completes = Completes::file};

inline constexpr OptionSpec kJobsOption{
    .name = "--jobs",
    .value = "N",
    .doc = "number of parallel jobs (default: number of CPUs)",
    .letter = 'j'};

/// The environment of one command.
class InputServices {
  public:
    InputServices(const Arguments& arguments, Context& context);
    /// For commands without these options.
    explicit InputServices(Context& context);
    InputServices(const InputServices&) = delete;
    InputServices& operator=(const InputServices&) = delete;
    ~InputServices() = default;

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
    CpanLocation cpan_;
    Environment env_;
};

/// --jobs, or one for each processor.
[[nodiscard]] unsigned jobs_of(const Arguments& arguments);

} // namespace kiln
