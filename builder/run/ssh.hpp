// SPDX-License-Identifier: MIT
//
// A key and a configuration of OpenSSH's client for one machine: nothing of the user's own is read
// or written.
#pragma once

#include "base/process/background_process.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace kiln {

class SshAccess {
  public:
    /// Makes the key in `folder`. Throws Error when ssh-keygen is missing.
    SshAccess(fs::path folder, std::uint16_t host_port, ProcessRunner& runner);

    /// One line for authorized_keys.
    [[nodiscard]] const std::string& public_key() const noexcept { return public_key_; }

    [[nodiscard]] fs::path config() const { return folder_ / "ssh_config"; }

    /// True when root is let in. From then on one connection is kept for all to share.
    [[nodiscard]] bool open();

    /// What ssh said when it was not.
    [[nodiscard]] const std::string& trouble() const noexcept { return trouble_; }

    /// The machine has ended; so has the connection.
    void close() noexcept { master_.reset(); }

    /// See Instance::inside_script().
    [[nodiscard]] std::string inside_script() const;

  private:
    fs::path folder_;
    ProcessRunner& runner_;
    std::string public_key_;
    std::string trouble_;
    std::unique_ptr<BackgroundProcess> master_;
};

/// Shell text that makes $text of "$@" such that another shell sees the same words.
[[nodiscard]] std::string_view quote_words_text();

/// The client's configuration, as text.
[[nodiscard]] std::string ssh_config_text(const fs::path& folder, std::uint16_t host_port);

} // namespace kiln
