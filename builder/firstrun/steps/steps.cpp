// SPDX-License-Identifier: MIT
#include "firstrun/steps/steps.hpp"

#include "firstrun/host/locations.hpp"

#include <fmt/format.h>

#include <array>

namespace kiln::firstrun {

namespace {

// The mail server is asked before anything slow or lasting is made; database accounts need the
// passwords of the private configuration, which names the signing key.
constexpr std::array<Step, 12> kSteps{{
    {"directories",
     Where::everywhere,
     "directories on the data volume",
     directories_needed,
     apply_directories},
    {"hostname", Where::machine, "host name, hosts, mailname", hostname_needed, apply_hostname},
    {"ssh-keys",
     Where::machine,
     "host keys of sshd, keys of root",
     ssh_keys_needed,
     apply_ssh_keys},
    {"mail", Where::everywhere, "mail transport", mail_needed, apply_mail},
    {"signing-key",
     Where::everywhere,
     "signing key for CHECKSUMS",
     signing_key_needed,
     apply_signing_key},
    {"private-config",
     Where::everywhere,
     "PrivatePAUSE.pm",
     private_config_needed,
     apply_private_config},
    {"database",
     Where::everywhere,
     "MariaDB's data, schemas, accounts, administrator",
     database_needed,
     apply_database},
    {"git", Where::everywhere, "the repository of the index files", git_needed, apply_git},
    {"index-files",
     Where::everywhere,
     "files that mirrors expect",
     index_files_needed,
     apply_index_files},
    {"certificate",
     Where::everywhere,
     "TLS certificate and the web server's names",
     certificate_needed,
     apply_certificate},
    {"cron", Where::everywhere, "recipient of cron's mail", cron_needed, apply_cron},
    {"finish",
     Where::everywhere,
     "answers and stamps for the next boot",
     finish_needed,
     apply_finish},
}};

} // namespace

std::span<const Step> steps() {
    return kSteps;
}

bool Context::is_adopting() const {
    const auto last = read_volume_image(host);
    return !last || last->id != image.id;
}

void need_file(const Context& context, Reasons& reasons, const fs::path& path) {
    if (!context.host.exists(path)) {
        reasons.push_back(fmt::format("{} is missing", path.string()));
    }
}

} // namespace kiln::firstrun
