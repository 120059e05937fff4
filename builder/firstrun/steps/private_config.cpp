// SPDX-License-Identifier: MIT
//
// Step: PrivatePAUSE.pm. The passwords in it are the truth; the database is made to agree with
// them.
#include "firstrun/steps/private_config.hpp"

#include "base/text.hpp"
#include "firstrun/host/locations.hpp"
#include "firstrun/host/passwords.hpp"
#include "firstrun/steps/mail.hpp"
#include "firstrun/steps/signing_key.hpp"
#include "firstrun/steps/steps.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace kiln::firstrun {

namespace {

constexpr std::size_t kPasswordLength = 32;
constexpr std::size_t kShortestPassword = 16;

/// The value of `  KEY => 'VALUE',`.
std::string quoted_value(std::string_view config, std::string_view key) {
    const std::string begin = fmt::format("  {} => '", key);
    for (const std::string& line : split_lines(config)) {
        if (line.starts_with(begin) && line.ends_with("',")) {
            return line.substr(begin.size(), line.size() - begin.size() - 2);
        }
    }
    return "";
}

bool is_password(std::string_view text) {
    return text.size() >= kShortestPassword && std::all_of(text.begin(), text.end(), [](char c) {
               return std::isalnum(static_cast<unsigned char>(c)) != 0;
           });
}

std::string perl_quote(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'' || c == '\\') {
            out += '\\';
        }
        out += c;
    }
    return out + "'";
}

class Config {
  public:
    void comment(std::string_view text) { text_ += fmt::format("# {}\n", text); }

    void line(std::string_view text) { text_ += fmt::format("{}\n", text); }

    void value(std::string_view key, std::string_view value) {
        text_ += fmt::format("  {} => {},\n", key, perl_quote(value));
    }

    void environment(std::string_view key, std::string_view value) {
        text_ += fmt::format("$ENV{{{}}} = {};\n", key, perl_quote(value));
    }

    [[nodiscard]] std::string take() { return std::move(text_); }

  private:
    std::string text_;
};

/// The answer, or with maildir an address that stays on this machine: PAUSE's own defaults are
/// mailing lists of the real one.
std::string address(const Answers& answers, Key key) {
    if (answers.has(key)) {
        return answers.text(key);
    }
    return key == Key::mail_admin ? answers.text(Key::admin_email)
                                  : fmt::format("pause@{}", answers.text(Key::hostname));
}

void add_values(
    Config& config,
    const Answers& answers,
    const DatabasePasswords& passwords,
    const std::string& signing_key) {
    config.value("AUTHEN_DATA_SOURCE_USER", "authuser");
    config.value("AUTHEN_DATA_SOURCE_PW", passwords.authen);
    config.value("MOD_DATA_SOURCE_USER", "moduser");
    config.value("MOD_DATA_SOURCE_PW", passwords.mod);
    config.value("CHECKSUMS_SIGNING_KEY", signing_key);
    config.value("SERVER_NAME", answers.text(Key::hostname));
    config.value("ADMIN", address(answers, Key::mail_admin));
    config.line(fmt::format("  ADMINS => [{}],", perl_quote(address(answers, Key::mail_admin))));
    config.value("UPLOAD", address(answers, Key::mail_upload));
    config.value("TO_CPAN_TESTERS", address(answers, Key::mail_testers));
    config.value("REPLY_TO_CPAN_TESTERS", address(answers, Key::mail_reply));
    config.value("P5P", address(answers, Key::mail_p5p));
    config.value("RUNDATA", "/home/pause/run/rundata");
    config.value("AUTHEN_BACKUP_DIR", "/data/home/db-backup");
    config.line(fmt::format("  ML_MIN_FILES => {},", answers.number(Key::minimum_files)));
    config.line(
        fmt::format("  ML_MIN_INDEX_LINES => {},", answers.number(Key::minimum_index_lines)));
    if (answers.has(Key::recaptcha_site_key)) {
        config.line("  RECAPTCHA_ENABLED => 1,");
        config.value("RECAPTCHA_SITE_KEY", answers.text(Key::recaptcha_site_key));
        config.value("RECAPTCHA_SECRET_KEY", answers.text(Key::recaptcha_secret_key));
    }
}

void add_mail(Config& config, const Answers& answers) {
    const std::string& mail = answers.text(Key::mail);
    if (mail == "maildir") {
        config.environment("EMAIL_SENDER_TRANSPORT", "Maildir");
        config.environment("EMAIL_SENDER_TRANSPORT_dir", "/home/pause/testmail");
    } else if (mail == "smtp") {
        const MailServer server = mail_server(answers);
        config.environment("EMAIL_SENDER_TRANSPORT", "SMTP");
        config.environment("EMAIL_SENDER_TRANSPORT_host", server.host);
        config.environment("EMAIL_SENDER_TRANSPORT_port", server.port);
        if (server.needs_tls()) {
            config.environment(
                "EMAIL_SENDER_TRANSPORT_ssl", server.speaks_tls_at_once() ? "ssl" : "starttls");
        }
        if (!server.user.empty()) {
            config.environment("EMAIL_SENDER_TRANSPORT_sasl_username", server.user);
            config.environment("EMAIL_SENDER_TRANSPORT_sasl_password", server.password);
        }
    } else {
        // Its sendmail is a program with rights of its own, which PAUSE's services cannot start.
        config.comment("Mail goes to postfix on this machine.");
        config.environment("EMAIL_SENDER_TRANSPORT", "SMTP");
        config.environment("EMAIL_SENDER_TRANSPORT_host", "127.0.0.1");
        config.environment("EMAIL_SENDER_TRANSPORT_port", "25");
    }
}

std::string signing_key_id(const Context& context) {
    const auto note = read_signing_key(context.host);
    return note ? note->id : std::string();
}

std::optional<DatabasePasswords> present_passwords(const Context& context) {
    const auto text = context.host.read(locations::kPrivateConfig);
    return text ? parse_passwords(*text) : std::nullopt;
}

} // namespace

std::optional<DatabasePasswords> parse_passwords(std::string_view config) {
    DatabasePasswords out{
        quoted_value(config, "MOD_DATA_SOURCE_PW"), quoted_value(config, "AUTHEN_DATA_SOURCE_PW")};
    if (!is_password(out.mod) || !is_password(out.authen)) {
        return std::nullopt;
    }
    return out;
}

std::string render_private_config(
    const Answers& answers, const DatabasePasswords& passwords, const std::string& signing_key) {
    Config config;
    config.comment("Written by first-run from the answers; rewritten when they change.");
    config.comment(fmt::format("Put your own settings into {}.", locations::kPrivateLocal));
    config.line("package PAUSE;");
    config.line("use strict;");
    config.line("our ($Config, $USE_RECENTFILE_HOOKS);");
    config.line("");
    config.comment("Under any host name.");
    config.line("$USE_RECENTFILE_HOOKS = 1;");
    config.line("");
    config.line("my %private = (");
    add_values(config, answers, passwords, signing_key);
    config.line(");");
    config.line("@{$Config}{keys %private} = values %private;");
    config.line("");
    add_mail(config, answers);
    config.line("");
    config.line(fmt::format("do '{0}' if -r '{0}';", locations::kPrivateLocal));
    config.line("1;");
    return config.take();
}

Reasons private_config_needed(Context& context) {
    const auto text = context.host.read(locations::kPrivateConfig);
    if (!text) {
        return {"PrivatePAUSE.pm is missing"};
    }
    const auto passwords = parse_passwords(*text);
    if (!passwords) {
        return {"PrivatePAUSE.pm has no passwords of first-run"};
    }
    const auto info = context.host.look(locations::kPrivateConfig);
    if (info && (info->mode != 0640 || info->owner != owner_of(context.accounts.get("pause")))) {
        return {"PrivatePAUSE.pm has another owner or mode"};
    }
    if (*text != render_private_config(context.answers, *passwords, signing_key_id(context))) {
        return {"PrivatePAUSE.pm differs from the answers"};
    }
    return {};
}

void apply_private_config(Context& context) {
    auto passwords = present_passwords(context);
    if (!passwords) {
        if (context.host.exists(locations::kComplete)) {
            context.host.remove(
                locations::kComplete); // the database does not know the new ones yet
        }
        passwords = {random_password(kPasswordLength), random_password(kPasswordLength)};
    }
    context.host.write_file(
        locations::kPrivateConfig,
        render_private_config(context.answers, *passwords, signing_key_id(context)),
        owner_of(context.accounts.get("pause")),
        0640);
}

} // namespace kiln::firstrun
