// SPDX-License-Identifier: MIT
//
// Java's key store files in the form JKS, as Debian's ca-certificates-java writes
// /etc/ssl/certs/java/cacerts: each certificate has the time at which it was added.
//
//     4 magic 0xFEEDFEED   4 version 2   4 number of entries
//     per certificate:  4 tag 2   2+n alias   8 milliseconds since 1970   2+n type   4+n
//     certificate 20 SHA-1 over the password in UTF-16, "Mighty Aphrodite" and all before
//
// Numbers are big-endian. Source: OpenJDK, sun.security.provider.JavaKeyStore.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kiln {

/// The same store with this time (seconds) at every certificate. Nothing when it is not such a
/// store, holds private keys, or has another password than `password`.
[[nodiscard]] std::optional<std::string>
java_keystore_at(std::string_view store, std::string_view password, std::int64_t seconds);

} // namespace kiln
