// SPDX-License-Identifier: MIT
//
// Proxies as the host's apt settings name them (apt.conf(5), apt-transport-http(1)): what apt
// itself would use for a mirror. Nothing of it ever reaches an image or a lock.
#pragma once

#include "base/environment.hpp"
#include "base/http/http.hpp"
#include "base/http/proxy.hpp"
#include "base/http/url.hpp"
#include "base/process/process.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

/// "Acquire::http::Proxy" and its value.
struct AptSetting {
    std::string name; ///< apt compares names without regard to case
    std::string value;
    bool operator==(const AptSetting&) const = default;
};

/// The settings about proxies in the output of `apt-config dump`: Proxy, Proxy::HOST and
/// Proxy-Auto-Detect of Acquire::http and Acquire::https.
[[nodiscard]] std::vector<AptSetting> parse_proxy_settings(std::string_view dump);

/// Asks `apt-config`; nothing when the host has no apt. `env` names another configuration file by
/// APT_CONFIG.
[[nodiscard]] std::vector<AptSetting>
load_proxy_settings(ProcessRunner& runner, const Environment& env);

/// Thread-safe.
class AptProxies {
  public:
    /// `runner` runs the program that Proxy-Auto-Detect names, and must outlive this.
    AptProxies(std::vector<AptSetting> settings, ProcessRunner& runner);

    /// The proxy's URL, or "" for DIRECT; nothing when apt has no setting for the URL (it then
    /// looks at the environment). Throws Error when the program of Proxy-Auto-Detect fails.
    [[nodiscard]] std::optional<std::string> find(const Url& url) const;

    [[nodiscard]] const std::vector<AptSetting>& settings() const noexcept { return settings_; }

  private:
    /// By the full name; that of https falls back to http, as in apt.
    [[nodiscard]] std::optional<std::string>
    setting(const std::string& scheme, const std::string& name) const;
    [[nodiscard]] std::optional<std::string> detect(const Url& url) const;

    std::vector<AptSetting> settings_;
    ProcessRunner& runner_;
    mutable std::mutex mutex_;
    mutable std::map<std::string, std::string> detected_; ///< by origin
};

/// The proxies of this host for every fetch: apt's own settings for mirrors of apt, as apt would
/// use them, and the environment's for all else and where apt has none. Thread-safe.
class HostProxies {
  public:
    /// apt is asked once, when a mirror of apt is first fetched from. `runner` must outlive this.
    HostProxies(const Environment& env, ProcessRunner& runner);

    /// For HttpOptions::proxy.
    [[nodiscard]] std::string find(HttpPurpose purpose, const Url& url) const;

    [[nodiscard]] const EnvironmentProxies& environment() const noexcept { return environment_; }

    [[nodiscard]] const AptProxies& apt() const;

  private:
    EnvironmentProxies environment_;
    Environment env_;
    ProcessRunner& runner_;
    mutable std::once_flag once_;
    mutable std::unique_ptr<AptProxies> apt_;
};

} // namespace kiln
