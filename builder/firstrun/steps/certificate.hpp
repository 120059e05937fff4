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

/// "CN=pause.example.org" as in RFC 2253; "unreadable" when it is not a PEM certificate.
[[nodiscard]] std::string certificate_subject(Host& host, const std::string& certificate);

/// The names of the site that the certificate does not hold, of those that the answers give;
/// wildcards count. openssl is asked.
[[nodiscard]] std::vector<std::string>
names_not_covered(Host& host, const Answers& answers, const std::string& certificate);

/// The pair as it is now, to go back to.
struct SavedPair {
    std::string certificate; ///< its text; empty when there is none, as the next one
    std::string key;
    std::optional<CertificateNote> note;
};

[[nodiscard]] SavedPair save_pair(const Host& host);
/// Puts the files and the note back, as files of their own and not as links.
void restore_pair(Context& context, const SavedPair& saved);

/// "notAfter=Nov 24 18:00:00 2036 GMT" to seconds since 1970; 0 when it is not such a text.
[[nodiscard]] std::int64_t parse_not_after(std::string_view text);

/// What the web server includes: the host in links ($public_host), where plain http is redirected
/// to ($secure_host), its names and the pair.
[[nodiscard]] std::string render_server_config(const Answers& answers);

/// The present pair works, whatever it came from.
[[nodiscard]] bool has_working_pair(const Context& context);

} // namespace kiln::firstrun
