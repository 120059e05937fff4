// SPDX-License-Identifier: MIT
//
// `mail: relay`: postfix queues on this machine and hands everything to one server. Its files lie
// on the root file system, so each new image gets them again.
#include "base/error.hpp"
#include "firstrun/steps/mail.hpp"

#include <fmt/format.h>

namespace kiln::firstrun {

namespace {

constexpr const char* kMainConfig = "/etc/postfix/main.cf";
/// In cron/cron-daily.pl and cron/cron-p6daily.pl of PAUSE, whatever its configuration says.
constexpr const char* kFixedSender = "upload@pause.perl.org";
constexpr const char* kSaslPassword = "/etc/postfix/sasl_passwd";

std::string wanted_config(const Context& context) {
    return render_postfix(
        mail_server(context.answers),
        context.answers.text(Key::hostname),
        context.answers.text(Key::mail_upload));
}

} // namespace

std::string
render_postfix(const MailServer& server, const std::string& hostname, const std::string& sender) {
    std::string out = fmt::format(
        "# Written by first-run from the answers.\n"
        "compatibility_level = 3.6\n"
        "myhostname = {}\n"
        "myorigin = $myhostname\n"
        "mydestination = localhost\n"
        "inet_interfaces = loopback-only\n"
        "mynetworks_style = host\n"
        "alias_maps =\n"
        "alias_database =\n"
        "mailbox_size_limit = 0\n"
        "relayhost = [{}]:{}\n"
        "smtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt\n"
        "smtp_tls_security_level = {}\n"
        "smtp_tls_wrappermode = {}\n"
        "# Two of PAUSE's nightly programs send under an address that is theirs alone.\n"
        "sender_canonical_maps = inline:{{ {}={} }}\n",
        hostname,
        server.host,
        server.port,
        server.needs_tls() ? "secure" : "may",
        server.speaks_tls_at_once() ? "yes" : "no",
        kFixedSender,
        sender);
    if (!server.user.empty()) {
        out += fmt::format(
            "smtp_sasl_auth_enable = yes\n"
            "smtp_sasl_password_maps = hash:{}\n"
            "smtp_sasl_security_options = noanonymous\n",
            kSaslPassword);
    }
    return out;
}

std::string render_sasl_password(const MailServer& server) {
    return fmt::format("[{}]:{} {}:{}\n", server.host, server.port, server.user, server.password);
}

Reasons relay_needed(Context& context) {
    Reasons reasons;
    const MailServer server = mail_server(context.answers);
    if (context.host.read(kMainConfig) != wanted_config(context)) {
        reasons.push_back(fmt::format("{} differs from the answers", kMainConfig));
    }
    if (!server.user.empty() && context.host.read(kSaslPassword) != render_sasl_password(server)) {
        reasons.push_back(fmt::format("{} differs from the answers", kSaslPassword));
    }
    return reasons;
}

void apply_relay(Context& context) {
    Host& host = context.host;
    if (!host.has_program("postmap")) {
        throw Error("mail 'relay' requires postfix, which is not in this image")
            .with_hint("set 'mail: smtp' with a mail server, or use an image with postfix");
    }
    if (!host.is_writable("/etc/postfix")) {
        throw Error("mail 'relay' requires a writable /etc/postfix")
            .with_hint("set 'mail: smtp', or run the container without --read-only");
    }
    const MailServer server = mail_server(context.answers);
    if (!server.user.empty()) {
        host.write_file(kSaslPassword, render_sasl_password(server), {}, 0600);
        host.run(
            "index the mail password", Command{"postmap", {fmt::format("hash:{}", kSaslPassword)}});
    }
    host.write_file(kMainConfig, wanted_config(context), {}, 0644);
    host.run("check postfix's configuration", Command{"postfix", {"check"}});
}

} // namespace kiln::firstrun
