// SPDX-License-Identifier: MIT
//
// `first-run acme`: certbot gets or renews the certificate by files in the web server's webroot.
// The present pair stays in use until a new one was checked; if the web server refuses it, the
// links go back.
#include "base/error.hpp"
#include "base/text.hpp"
#include "firstrun/commands/commands.hpp"
#include "firstrun/host/answer_sources.hpp"
#include "firstrun/host/locations.hpp"
#include "firstrun/host/web_server.hpp"
#include "firstrun/steps/certificate.hpp"

#include <fmt/format.h>

#include <ostream>

namespace kiln::firstrun {

namespace {

constexpr const char* kProduction = "https://acme-v02.api.letsencrypt.org/directory";
constexpr const char* kStaging = "https://acme-staging-v02.api.letsencrypt.org/directory";
constexpr const char* kWork = "/run/pause/certbot";

std::string directory(const Answers& answers) {
    if (answers.has(Key::acme_directory)) {
        return answers.text(Key::acme_directory);
    }
    return answers.text(Key::certificate) == "acme-staging" ? kStaging : kProduction;
}

/// Certificates of different servers live side by side: a test server's one must not be taken for
/// one that needs no renewal.
std::string certificate_name(const Answers& answers) {
    const std::string& name = answers.text(Key::hostname);
    const std::string server = directory(answers);
    if (server == kProduction) {
        return name;
    }
    if (server == kStaging) {
        return name + "-staging";
    }
    std::string host = server.substr(server.find("://") + 3);
    host = host.substr(0, host.find('/'));
    for (char& c : host) {
        c = c == ':' ? '-' : c;
    }
    return fmt::format("{}-{}", name, host);
}

Command certbot(const Answers& answers) {
    Command out{
        "certbot",
        {"certonly",
         "--webroot",
         "--webroot-path",
         locations::kAcmeWebroot,
         "--config-dir",
         locations::kLetsEncrypt,
         "--work-dir",
         kWork,
         "--logs-dir",
         kWork,
         "--server",
         directory(answers),
         "--email",
         answers.text(Key::acme_email),
         "--cert-name",
         certificate_name(answers),
         "--agree-tos",
         "--no-eff-email",
         "--non-interactive",
         "--keep-until-expiring",
         "--renew-with-new-domains",
         "--domains",
         join(answers.site_names(), ",")}};
    if (answers.has(Key::acme_ca)) {
        out.env["REQUESTS_CA_BUNDLE"] = answers.text(Key::acme_ca);
    }
    out.timeout = std::chrono::seconds(900);
    return out;
}

struct Links {
    std::string certificate;
    std::string key;
};

Links wanted_links(const Answers& answers) {
    const fs::path live = fs::path(locations::kLetsEncrypt) / "live" / certificate_name(answers);
    return {(live / "fullchain.pem").string(), (live / "privkey.pem").string()};
}

void deploy(Context& context, const Links& links) {
    Host& host = context.host;
    const PairCheck pair = check_pair(
        host, host.read(links.certificate).value_or(""), host.read(links.key).value_or(""));
    if (!pair.fault.empty()) {
        throw Error(fmt::format("the certificate from certbot is not usable: {}", pair.fault));
    }
    const auto note = read_certificate_note(host);
    const bool is_linked = host.link_target(locations::kCertificate) == links.certificate &&
                           host.link_target(locations::kCertificateKey) == links.key;
    if (is_linked && note && note->kind == "acme" && note->expires == pair.expires) {
        return; // nothing new
    }
    const SavedPair saved = save_pair(context.host);
    // The key first: until both links are set the pair does not fit, but nginx holds its own copy.
    host.link(links.key, locations::kCertificateKey);
    host.link(links.certificate, locations::kCertificate);
    host.write_file(locations::kServerConfig, render_server_config(context.answers), {}, 0644);
    write_certificate_note(context, {"acme", context.answers.site_names(), pair.expires});
    if (reload_web_server(host)) {
        context.report.notice(
            fmt::format("the certificate is valid until {}", format_rfc3339(pair.expires)));
        return;
    }
    if (!is_linked) {
        restore_pair(context, saved);
    }
    throw Error("the web server rejected the new certificate")
        .with_hint("the previous one is still in use; run 'nginx -t' for details");
}

} // namespace

void acme(Host& host, const Environment& env, Mode mode, std::ostream& err) {
    const Answers answers = gather_answers(host, env, mode);
    Report report(err);
    if (!answers.text(Key::certificate).starts_with("acme")) {
        report.notice(
            fmt::format("the certificate is '{}': nothing to do", answers.text(Key::certificate)));
        return;
    }
    const Accounts accounts = Accounts::parse(
        host.read("/etc/passwd").value_or(""), host.read("/etc/group").value_or(""));
    Context context{host, answers, accounts, read_image(host), mode, report};
    host.make_directory(locations::kRun, {}, 0755);
    host.make_directory(kWork, {}, 0700);
    try {
        host.run("get a certificate", certbot(answers));
    } catch (Error& error) {
        error.set_hint_if_empty(fmt::format(
            "the current certificate stays in use; port 80 of {} must be reachable from {}",
            join(answers.site_names(), ", "),
            directory(answers)));
        throw;
    }
    deploy(context, wanted_links(answers));
}

} // namespace kiln::firstrun
