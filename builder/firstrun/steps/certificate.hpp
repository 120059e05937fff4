// SPDX-License-Identifier: MIT
//
// TLS certificates: what a PEM file holds, and the pair that the web server uses.
#pragma once

#include "firstrun/steps/steps.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace kiln::firstrun {

/// What first-run knows of the present pair without asking openssl.
struct CertificateNote {
    std::string kind; ///< self-signed, files, acme
    std::vector<std::string> names;
    std::int64_t expires = 0;
};

[[nodiscard]] std::optional<CertificateNote> read_certificate_note(const Host& host);
void write_certificate_note(Context& context, const CertificateNote& note);

/// Asks openssl whether the key fits the certificate and when that expires. `fault` says what is
/// wrong with the pair.
struct PairCheck {
    std::string fault;
    std::int64_t expires = 0;
};

[[nodiscard]] PairCheck
check_pair(Host& host, const std::string& certificate, const std::string& key);

/// "notAfter=Nov 24 18:00:00 2036 GMT" to seconds since 1970; 0 when it is not such a text.
[[nodiscard]] std::int64_t parse_not_after(std::string_view text);

/// What the web server includes: the host in links ($public_host), where plain http is redirected
/// to ($secure_host), its names and the pair.
[[nodiscard]] std::string render_server_config(const Answers& answers);

/// The present pair works, whatever it came from.
[[nodiscard]] bool has_working_pair(const Context& context);

} // namespace kiln::firstrun
