// SPDX-License-Identifier: MIT
//
// What locking and fetching need of the environment.
#pragma once

#include "base/console.hpp"
#include "base/http/http.hpp"
#include "base/io/file.hpp"
#include "base/process/process.hpp"
#include "debian/apt_proxy.hpp"
#include "debian/mirrors.hpp"
#include "inputs/pool.hpp"
#include "sandbox/make_sandbox.hpp"

#include <string>

namespace kiln {

/// A mirror of CPAN, or a DarkPAN.
struct CpanLocation {
    std::string url;  ///< http:, https: or file:; empty: none
    fs::path keyring; ///< keys that sign authors' CHECKSUMS; empty: signatures are not looked at
};

/// Everything of the environment that locking, fetching and building artifacts need.
struct InputContext {
    Console& console;
    ProcessRunner& processes;
    HttpClient& http;
    const Mirrors& mirrors;
    const Pool& pool;
    bool offline = false;
    CpanLocation cpan = {};
    Environment env = {};                 ///< where credentials of registries are configured
    const HostProxies* proxies = nullptr; ///< for children that fetch; null: none
    MakeSandbox make_sandbox = kiln::make_sandbox; ///< in which artifacts are built
};

} // namespace kiln
