// SPDX-License-Identifier: MIT
#include "firstrun/answers/answer_table.hpp"

#include <algorithm>

namespace kiln::firstrun {

namespace {

using enum Kind;

constexpr auto kOpen = Secret::no;
constexpr auto kSecret = Secret::yes;
constexpr auto kKeep = Remembered::yes;
constexpr auto kDrop = Remembered::no;

constexpr std::array<KeySpec, kKeyCount> kTable{{
    {Key::hostname,
     "hostname",
     host_name,
     "",
     kOpen,
     kKeep,
     "",
     "public host name of the site (default: pause.localdomain, in a container localhost)"},
    {Key::https_port,
     "https_port",
     port,
     "443",
     kOpen,
     kKeep,
     "",
     "public https port, if a container's is published on another one"},
    {Key::volume,
     "volume",
     volume,
     "label=pause-data",
     kOpen,
     kDrop,
     "",
     "data volume: label=L, a device, vg=NAME, digitalocean=NAME, or root"},
    {Key::database_volume,
     "database_volume",
     volume,
     "",
     kOpen,
     kKeep,
     "",
     "a second volume for the databases, named the same way"},
    {Key::volume_size,
     "volume_size",
     size,
     "50G",
     kOpen,
     kDrop,
     "",
     "size of the logical volume to create with vg="},
    {Key::database_volume_size,
     "database_volume_size",
     size,
     "4G",
     kOpen,
     kDrop,
     "",
     "the same for the database volume"},
    {Key::volume_wait,
     "volume_wait",
     number,
     "30",
     kOpen,
     kDrop,
     "",
     "seconds to wait for a volume"},
    {Key::admin_user,
     "admin_user",
     pause_id,
     "ADMIN",
     kOpen,
     kKeep,
     "",
     "PAUSE id of the first administrator"},
    {Key::admin_email,
     "admin_email",
     address,
     "root@localhost",
     kOpen,
     kKeep,
     "",
     "mail address of the administrator"},
    {Key::admin_password,
     "admin_password",
     password,
     "",
     kSecret,
     kDrop,
     "",
     "password of the administrator (generated)"},
    {Key::mail,
     "mail",
     choice,
     "maildir",
     kOpen,
     kKeep,
     "maildir smtp relay",
     "transport: maildir keeps all mail on the machine"},
    {Key::mail_host, "mail_host", host_name, "", kOpen, kKeep, "", "mail server"},
    {Key::mail_port,
     "mail_port",
     port,
     "",
     kOpen,
     kKeep,
     "",
     "port of the mail server (smtp 25, relay 465); TLS on 465, STARTTLS on 587"},
    {Key::mail_user, "mail_user", text, "", kOpen, kKeep, "", "user at the mail server"},
    {Key::mail_password,
     "mail_password",
     password,
     "",
     kSecret,
     kKeep,
     "",
     "password at the mail server"},
    {Key::mail_admin,
     "mail_admin",
     address,
     "",
     kOpen,
     kKeep,
     "",
     "ADMIN and ADMINS; required unless maildir, like the next five"},
    {Key::mail_upload, "mail_upload", address, "", kOpen, kKeep, "", "UPLOAD"},
    {Key::mail_testers, "mail_testers", address, "", kOpen, kKeep, "", "TO_CPAN_TESTERS"},
    {Key::mail_reply, "mail_reply", address, "", kOpen, kKeep, "", "REPLY_TO_CPAN_TESTERS"},
    {Key::mail_p5p, "mail_p5p", address, "", kOpen, kKeep, "", "P5P"},
    {Key::mail_cron,
     "mail_cron",
     address,
     "",
     kOpen,
     kKeep,
     "",
     "recipient of the output of cron jobs"},
    {Key::certificate,
     "certificate",
     choice,
     "self-signed",
     kOpen,
     kKeep,
     "self-signed files acme acme-staging",
     "where the TLS certificate comes from"},
    {Key::certificate_file,
     "certificate_file",
     pem,
     "",
     kOpen,
     kDrop,
     "",
     "with files: the certificate and its chain"},
    {Key::certificate_key,
     "certificate_key",
     pem,
     "",
     kSecret,
     kDrop,
     "",
     "with files: the private key"},
    {Key::certificate_names,
     "certificate_names",
     host_list,
     "",
     kOpen,
     kKeep,
     "",
     "names in the certificate (the hostname)"},
    {Key::acme_directory,
     "acme_directory",
     url,
     "",
     kOpen,
     kKeep,
     "",
     "ACME server (Let's Encrypt)"},
    {Key::acme_email,
     "acme_email",
     address,
     "",
     kOpen,
     kKeep,
     "",
     "address of the ACME account; required with acme"},
    {Key::acme_ca,
     "acme_ca",
     path,
     "",
     kOpen,
     kKeep,
     "",
     "CA bundle that signs the ACME server itself"},
    {Key::signing_key,
     "signing_key",
     pem,
     "",
     kSecret,
     kDrop,
     "",
     "armored OpenPGP secret key that signs CHECKSUMS (generated)"},
    {Key::git_remote,
     "git_remote",
     git_url,
     "",
     kOpen,
     kKeep,
     "",
     "where PAUSE-git is pushed to (a local bare repository)"},
    {Key::deploy_key, "deploy_key", pem, "", kSecret, kDrop, "", "ssh private key for git_remote"},
    {Key::recaptcha_site_key,
     "recaptcha_site_key",
     text,
     "",
     kOpen,
     kKeep,
     "",
     "reCAPTCHA, both keys or none"},
    {Key::recaptcha_secret_key,
     "recaptcha_secret_key",
     text,
     "",
     kSecret,
     kKeep,
     "",
     "reCAPTCHA, both keys or none"},
    {Key::authorized_keys,
     "authorized_keys",
     lines,
     "",
     kOpen,
     kKeep,
     "",
     "ssh keys of root in the VM"},
    {Key::minimum_files, "minimum_files", number, "0", kOpen, kKeep, "", "ML_MIN_FILES"},
    {Key::minimum_index_lines,
     "minimum_index_lines",
     number,
     "0",
     kOpen,
     kKeep,
     "",
     "ML_MIN_INDEX_LINES"},
}};

consteval bool is_in_order() {
    for (std::size_t i = 0; i < kTable.size(); ++i) {
        if (static_cast<std::size_t>(kTable.at(i).key) != i) {
            return false;
        }
    }
    return true;
}

static_assert(is_in_order());

consteval std::array<std::string_view, kKeyCount> names() {
    std::array<std::string_view, kKeyCount> out;
    std::transform(
        kTable.begin(), kTable.end(), out.begin(), [](const KeySpec& row) { return row.name; });
    return out;
}

constexpr std::array<std::string_view, kKeyCount> kNames = names();

} // namespace

std::span<const KeySpec, kKeyCount> answer_table() {
    return kTable;
}

const KeySpec& spec_of(Key key) {
    return kTable.at(static_cast<std::size_t>(key));
}

const KeySpec* find_spec(std::string_view name) {
    const auto* const it = std::find_if(
        kTable.begin(), kTable.end(), [&](const KeySpec& row) { return row.name == name; });
    return it == kTable.end() ? nullptr : it;
}

std::span<const std::string_view, kKeyCount> key_names() {
    return kNames;
}

} // namespace kiln::firstrun
