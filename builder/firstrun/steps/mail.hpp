// SPDX-License-Identifier: MIT
//
// The mail transport of the answers, and its proof: a message through the real server.
#pragma once

#include "firstrun/steps/steps.hpp"

#include <string>

namespace kiln::firstrun {

struct MailServer {
    std::string host;
    std::string port;
    std::string user;
    std::string password;

    [[nodiscard]] bool speaks_tls_at_once() const { return port == "465"; }

    /// TLS is required: the port says so, or a password would cross the network in clear.
    [[nodiscard]] bool needs_tls() const;
};

[[nodiscard]] MailServer mail_server(const Answers& answers);

/// The configuration file that curl reads from its standard input.
[[nodiscard]] std::string
render_mail_test(const MailServer& server, const Answers& answers, const std::string& message_file);

// For `mail: relay`: postfix on this machine, which queues. `sender` is the address of PAUSE's
// mails.
[[nodiscard]] std::string
render_postfix(const MailServer& server, const std::string& hostname, const std::string& sender);
[[nodiscard]] std::string render_sasl_password(const MailServer& server);
Reasons relay_needed(Context& context);
void apply_relay(Context& context);

} // namespace kiln::firstrun
