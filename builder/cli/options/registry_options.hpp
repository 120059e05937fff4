// SPDX-License-Identifier: MIT
//
// What the commands that move images between this host and a registry have in common.
#pragma once

#include "base/http/http_trace.hpp"
#include "cli/command.hpp"
#include "cli/options/input_options.hpp"
#include "oci/registry/registry.hpp"

#include <memory>

namespace kiln {

inline constexpr OptionSpec kTransfersOption{
    .name = "--jobs",
    .value = "N",
    .doc = "blobs that are moved at the same time; otherwise 4",
    .letter = 'j'};

/// Where the login for a registry comes from, for the help of commands that need one.
inline constexpr std::string_view kRegistryLoginHelp =
    R"(Logins come from KILN_REGISTRY_USER and KILN_REGISTRY_PASSWORD (or
KILN_REGISTRY_PASSWORD_FILE) for the registry KILN_REGISTRY_HOST, or from what 'docker login' and
'podman login' left, credential helpers included. SSL_CERT_FILE names the certificates of a
registry's own authority.)";

/// --jobs, or 4: more do not make a connection faster.
[[nodiscard]] unsigned transfers_of(const Arguments& arguments);

/// Parameters of a query that are no secrets: what is asked for, not what proves something.
[[nodiscard]] std::vector<std::string_view> shown_parameters();

/// Shows every request as a debug message. `http` and `console` must outlive it.
[[nodiscard]] std::unique_ptr<HttpClient> with_debug_messages(HttpClient& http, Console& console);

/// A client with the login for the repository. `http` must outlive it.
[[nodiscard]] RegistryClient
registry_client(HttpClient& http, const RegistryRepository& repository, Context& context);

} // namespace kiln
