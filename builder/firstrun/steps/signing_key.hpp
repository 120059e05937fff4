// SPDX-License-Identifier: MIT
//
// What is known of the key that signs CHECKSUMS without asking gpg.
#pragma once

#include "firstrun/host/host.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace kiln::firstrun {

struct SigningKeyNote {
    std::string id;
    std::string fingerprint;
    std::int64_t expires = 0;
};

/// Written once a test signature of the key verified.
[[nodiscard]] std::optional<SigningKeyNote> read_signing_key(const Host& host);

} // namespace kiln::firstrun
