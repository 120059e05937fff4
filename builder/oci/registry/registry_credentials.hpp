// SPDX-License-Identifier: MIT
//
// Logins of registries, from where people keep them: the environment, the files of `docker login`
// and `podman login`, and the credential helpers that these files name.
#pragma once

#include "base/environment.hpp"
#include "base/process/process.hpp"

#include <optional>
#include <string>

namespace kiln {

struct RegistryRepository;

/// Never printed, logged or put on a command line.
struct RegistryCredentials {
    std::string user;
    std::string password;
    /// A token that is exchanged for others ("identity token"), in the place of user and password.
    std::string identity_token = {};
};

/// The first of these that has a login for the repository:
/// - KILN_REGISTRY_USER with KILN_REGISTRY_PASSWORD, or the first line of the file
///   KILN_REGISTRY_PASSWORD_FILE, when KILN_REGISTRY_HOST is its host;
/// - $REGISTRY_AUTH_FILE, $XDG_RUNTIME_DIR/containers/auth.json, $DOCKER_CONFIG/config.json,
///   ~/.docker/config.json. In each: the helper of credHelpers for the host, else that of
///   credsStore, else auths, by the longest part of HOST/NAME that has an entry.
/// Helpers are the programs docker-credential-NAME in the absolute folders of the caller's PATH;
/// they get the caller's environment (without the variables above) and the host on standard input.
/// Throws UsageError when a user is set without a host, since a login must not go to whatever
/// registry a recipe names, and Error when a file cannot be understood or a helper fails.
[[nodiscard]] std::optional<RegistryCredentials> find_registry_credentials(
    const RegistryRepository& repository, const Environment& env, ProcessRunner& processes);

} // namespace kiln
