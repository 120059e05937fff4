// SPDX-License-Identifier: MIT
//
// Step: mail. A transport that fails later stops all uploads (the daemon that picks them up dies on
// the first mail), so a new one must carry a test message now.
#include "firstrun/steps/mail.hpp"

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/text.hpp"
#include "firstrun/host/locations.hpp"

#include <fmt/format.h>
#include <poll.h>

namespace kiln::firstrun {

namespace {

constexpr int kTries = 3;
constexpr int kPauseMilliseconds = 2000;
constexpr int kCannotResolve = 6; // exit codes of curl
constexpr int kCannotConnect = 7;
constexpr const char* kTestMessage = "/run/pause/test-message";

bool is_maildir(const Context& context) {
    return context.answers.text(Key::mail) == "maildir";
}

/// All that the proof depends on; root alone may read it.
std::string tested_settings(const Context& context) {
    const MailServer server = mail_server(context.answers);
    return fmt::format(
        "{}\n{}\n{}\n{}\n{}\n{}\n{}\n",
        context.answers.text(Key::mail),
        server.host,
        server.port,
        server.user,
        server.password,
        context.answers.text(Key::mail_upload),
        context.answers.text(Key::mail_admin));
}

std::string curl_quote(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
        }
        out += c;
    }
    return out + "\"";
}

std::string test_message(const Answers& answers) {
    return fmt::format(
        "From: PAUSE <{}>\r\nTo: {}\r\nSubject: PAUSE on {} can send mail\r\n\r\n"
        "first-run sent this message to prove the mail transport.\r\n",
        answers.text(Key::mail_upload),
        answers.text(Key::mail_admin),
        answers.text(Key::hostname));
}

ProcessResult send(Context& context) {
    const MailServer server = mail_server(context.answers);
    Command curl{"curl", {"--silent", "--show-error", "--max-time", "60", "--config", "-"}};
    curl.input = render_mail_test(server, context.answers, kTestMessage);
    curl.separate_stderr = true;
    ProcessResult result;
    for (int attempt = 1; attempt <= kTries; ++attempt) {
        result = context.host.try_run("send a test message", curl);
        const bool may_come =
            result.exit_status == kCannotResolve || result.exit_status == kCannotConnect;
        if (!may_come || attempt == kTries) {
            break;
        }
        throw_if_interrupted();
        ::poll(nullptr, 0, kPauseMilliseconds); // the network of a booting machine
    }
    return result;
}

void prove(Context& context) {
    if (context.host.read(locations::kMailTested) == tested_settings(context)) {
        return;
    }
    context.host.write_file(kTestMessage, test_message(context.answers), {}, 0600);
    const ProcessResult result = send(context);
    context.host.remove(kTestMessage);
    if (!result.ok()) {
        const MailServer server = mail_server(context.answers);
        throw Error(fmt::format(
                        "the mail server '{}' port {} did not accept a test message to {}",
                        server.host,
                        server.port,
                        context.answers.text(Key::mail_admin)))
            .with_details(last_lines(result.errors, 3))
            .with_hint("correct the answers mail_host, mail_port, mail_user, mail_password, or set "
                       "'mail: maildir' to keep all mail on this host");
    }
    context.host.write_file(locations::kMailTested, tested_settings(context), {}, 0600);
}

} // namespace

bool MailServer::needs_tls() const {
    const bool is_here = host == "localhost" || host == "127.0.0.1" || host == "::1";
    return port == "465" || port == "587" || (!user.empty() && !is_here);
}

MailServer mail_server(const Answers& answers) {
    const bool relay = answers.text(Key::mail) == "relay";
    return {
        answers.text(Key::mail_host),
        answers.has(Key::mail_port) ? answers.text(Key::mail_port) : (relay ? "465" : "25"),
        answers.text(Key::mail_user),
        answers.text(Key::mail_password)};
}

std::string render_mail_test(
    const MailServer& server, const Answers& answers, const std::string& message_file) {
    std::string out = fmt::format(
        "url = {}\nmail-from = {}\nmail-rcpt = {}\nupload-file = {}\n",
        curl_quote(fmt::format(
            "{}://{}:{}/{}",
            server.speaks_tls_at_once() ? "smtps" : "smtp",
            server.host,
            server.port,
            answers.text(Key::hostname))),
        curl_quote(answers.text(Key::mail_upload)),
        curl_quote(answers.text(Key::mail_admin)),
        curl_quote(message_file));
    if (server.needs_tls()) {
        out += "ssl-reqd\n";
    }
    if (!server.user.empty()) {
        out += fmt::format(
            "user = {}\n", curl_quote(fmt::format("{}:{}", server.user, server.password)));
    }
    return out;
}

Reasons mail_needed(Context& context) {
    if (is_maildir(context)) {
        return {};
    }
    Reasons reasons;
    if (context.host.read(locations::kMailTested) != tested_settings(context)) {
        reasons.push_back(fmt::format(
            "the transport '{}' has not been tested with these answers",
            context.answers.text(Key::mail)));
    }
    if (context.answers.text(Key::mail) == "relay") {
        for (std::string& reason : relay_needed(context)) {
            reasons.push_back(std::move(reason));
        }
    }
    return reasons;
}

void apply_mail(Context& context) {
    prove(context);
    if (context.answers.text(Key::mail) == "relay") {
        apply_relay(context);
    }
}

} // namespace kiln::firstrun
