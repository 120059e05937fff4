// SPDX-License-Identifier: MIT
//
// The answers that first-run takes: one row a key. Reading, checking, what is remembered, what plan
// and status print and the table of docs/first-run.md all follow from the rows.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace kiln::firstrun {

/// In the order of the table.
enum class Key {
    hostname,
    https_port,
    volume,
    database_volume,
    volume_size,
    database_volume_size,
    volume_wait,
    admin_user,
    admin_email,
    admin_password,
    mail,
    mail_host,
    mail_port,
    mail_user,
    mail_password,
    mail_admin,
    mail_upload,
    mail_testers,
    mail_reply,
    mail_p5p,
    mail_cron,
    certificate,
    certificate_file,
    certificate_key,
    certificate_names,
    acme_directory,
    acme_email,
    acme_ca,
    signing_key,
    git_remote,
    deploy_key,
    recaptcha_site_key,
    recaptcha_secret_key,
    authorized_keys,
    minimum_files,
    minimum_index_lines,
};

inline constexpr std::size_t kKeyCount = 36;

/// What a value must look like.
enum class Kind {
    host_name,
    host_list, ///< separated by spaces or commas, or a YAML list
    lines,     ///< a YAML list, or text with one entry a line
    address,   ///< a mail address
    number,
    port,
    size,
    pause_id,
    choice,
    volume,
    path,
    text,
    url,
    git_url,
    pem, ///< PEM or armored text, or the path of a file with it
    password,
};

enum class Secret { no, yes };
/// Whether an answer goes into the file on the data volume that later images read. What is only
/// used to make something that the volume then holds (a key, a user) is not remembered.
enum class Remembered { no, yes };

struct KeySpec {
    Key key;
    std::string_view name;
    Kind kind;
    std::string_view default_value;
    Secret secret;
    Remembered remembered;
    std::string_view choices; ///< separated by spaces, for Kind::choice
    std::string_view meaning;
};

[[nodiscard]] std::span<const KeySpec, kKeyCount> answer_table();
[[nodiscard]] const KeySpec& spec_of(Key key);
/// Nothing when there is no key of that name.
[[nodiscard]] const KeySpec* find_spec(std::string_view name);
[[nodiscard]] std::span<const std::string_view, kKeyCount> key_names();

} // namespace kiln::firstrun
