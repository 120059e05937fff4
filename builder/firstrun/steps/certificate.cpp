// SPDX-License-Identifier: MIT
//
// Step: a certificate that lets the web server start. Self-signed or from files; an ACME
// certificate is fetched later, by `first-run acme`, when the network is up, and until then the
// self-signed one serves.
#include "firstrun/steps/certificate.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "firstrun/answers/answer_kinds.hpp"
#include "firstrun/host/locations.hpp"
#include "firstrun/host/web_server.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <ctime>

namespace kiln::firstrun {

using nlohmann::ordered_json;

namespace {

constexpr std::int64_t kDay = 86400;
constexpr std::int64_t kRenewBefore = 30 * kDay;
constexpr std::size_t kLongestCommonName = 64;
constexpr const char* kNewKey = "/data/state/tls/.new-key.pem";
constexpr const char* kNewCertificate = "/data/state/tls/.new-cert.pem";

Command openssl(std::vector<std::string> args, std::string input) {
    Command out{"openssl", std::move(args)};
    out.input = std::move(input);
    out.separate_stderr = true;
    return out;
}

} // namespace

std::optional<CertificateNote> read_certificate_note(const Host& host) {
    const auto text = host.read(locations::kCertificateInfo);
    const ordered_json json = ordered_json::parse(text.value_or(""), nullptr, false);
    if (!json.is_object()) {
        return std::nullopt;
    }
    return CertificateNote{
        json.value("kind", ""),
        json.value("names", std::vector<std::string>()),
        json.value("expires", std::int64_t{0})};
}

void write_certificate_note(Context& context, const CertificateNote& note) {
    const ordered_json json{{"kind", note.kind}, {"names", note.names}, {"expires", note.expires}};
    context.host.write_file(locations::kCertificateInfo, json.dump(2) + "\n", {}, 0644);
}

std::int64_t parse_not_after(std::string_view text) {
    const std::size_t equals = text.find("notAfter=");
    if (equals == std::string_view::npos) {
        return 0;
    }
    const std::string value(text.substr(equals + 9));
    std::tm parts{};
    return ::strptime(value.c_str(), "%b %d %H:%M:%S %Y", &parts) == nullptr ? 0 : ::timegm(&parts);
}

PairCheck check_pair(Host& host, const std::string& certificate, const std::string& key) {
    const ProcessResult of_certificate =
        host.query(openssl({"x509", "-noout", "-pubkey", "-enddate"}, certificate));
    if (!of_certificate.ok()) {
        return {"the certificate is not in PEM format", 0};
    }
    const ProcessResult of_key = host.query(openssl({"pkey", "-pubout", "-passin", "pass:"}, key));
    if (!of_key.ok()) {
        return {"the key is not a PEM private key without passphrase", 0};
    }
    PairCheck out{"", parse_not_after(of_certificate.output)};
    const std::string_view public_key = trim(of_key.output);
    if (of_certificate.output.find(public_key) == std::string::npos) {
        out.fault = "the private key does not match the certificate";
    } else if (out.expires <= std::time(nullptr)) {
        out.fault = fmt::format("the certificate expired on {}", format_rfc3339(out.expires));
    }
    return out;
}

std::string certificate_subject(Host& host, const std::string& certificate) {
    const ProcessResult said =
        host.query(openssl({"x509", "-noout", "-subject", "-nameopt", "RFC2253"}, certificate));
    const std::string_view line = trim(said.output);
    return said.ok() && line.starts_with("subject=") ? std::string(line.substr(8)) : "unreadable";
}

std::vector<std::string>
names_not_covered(Host& host, const Answers& answers, const std::string& certificate) {
    std::vector<std::string> out;
    for (const std::string& name : answers.site_names()) {
        if (name == answers.text(Key::hostname) && answers.is_default(Key::hostname)) {
            continue; // nobody asked for it
        }
        const char* option = is_ip_address(name) ? "-checkip" : "-checkhost";
        const ProcessResult said =
            host.query(openssl({"x509", "-noout", option, name}, certificate));
        // It ends with 0 in both cases.
        if (said.output.find("does NOT match") != std::string::npos) {
            out.push_back(name);
        }
    }
    return out;
}

SavedPair save_pair(const Host& host) {
    return {
        host.read(locations::kCertificate).value_or(""),
        host.read(locations::kCertificateKey).value_or(""),
        read_certificate_note(host)};
}

void restore_pair(Context& context, const SavedPair& saved) {
    context.host.write_file(locations::kCertificateKey, saved.key, {}, 0600);
    context.host.write_file(locations::kCertificate, saved.certificate, {}, 0644);
    if (saved.note) {
        write_certificate_note(context, *saved.note);
    }
}

std::string render_server_config(const Answers& answers) {
    // Links in mails lead to $public_host: a client must not be able to choose it where a name is
    // known.
    const bool is_named = !answers.is_default(Key::hostname);
    return fmt::format(
        "# Written by first-run.\nset $public_host {};\nset $secure_host {};\nserver_name {};\n"
        "ssl_certificate {};\nssl_certificate_key {};\n",
        is_named ? answers.at_https_port(answers.text(Key::hostname)) : "$http_host",
        answers.at_https_port(is_named ? answers.text(Key::hostname) : "$host"),
        join(answers.site_names(), " "),
        locations::kCertificate,
        locations::kCertificateKey);
}

bool has_working_pair(const Context& context) {
    return read_certificate_note(context.host).has_value() &&
           context.host.read(locations::kCertificate) &&
           context.host.read(locations::kCertificateKey);
}

namespace {

std::string alternative_names(const std::vector<std::string>& names) {
    std::string out;
    for (const std::string& name : names) {
        out += fmt::format(
            "{}{}:{}", out.empty() ? "" : ",", is_ip_address(name) ? "IP" : "DNS", name);
    }
    return out;
}

/// The text of an answer that is a path or the text itself.
std::string pem_of(const Context& context, Key key) {
    const std::string& answer = context.answers.text(key);
    if (is_pem_text(answer)) {
        return answer.ends_with('\n') ? answer : answer + "\n";
    }
    auto text = context.host.read(answer);
    if (!text) {
        throw Error(fmt::format("{}: file '{}' not found", spec_of(key).name, answer));
    }
    return std::move(*text);
}

/// Both files change places while the note is away, so that a run killed between them is seen.
void install_pair(Context& context, const std::string& certificate, const std::string& key) {
    Host& host = context.host;
    if (host.exists(locations::kCertificateInfo)) {
        host.remove(locations::kCertificateInfo);
    }
    host.write_file(locations::kCertificateKey, key, {}, 0600);
    host.write_file(locations::kCertificate, certificate, {}, 0644);
}

void make_self_signed(Context& context) {
    Host& host = context.host;
    const std::vector<std::string> names = context.answers.site_names();
    const std::string common =
        names.front().size() <= kLongestCommonName ? names.front() : std::string("pause");
    host.write_file(kNewKey, "", {}, 0600); // openssl keeps the mode of the file it finds
    host.run(
        "create the self-signed certificate",
        openssl(
            {"req",      "-x509",
             "-newkey",  "ec",
             "-pkeyopt", "ec_paramgen_curve:prime256v1",
             "-noenc",   "-sha256",
             "-days",    "3650",
             "-subj",    fmt::format("/CN={}", common),
             "-addext",  fmt::format("subjectAltName={}", alternative_names(names)),
             "-addext",  "basicConstraints=critical,CA:FALSE",
             "-keyout",  kNewKey,
             "-out",     kNewCertificate},
            ""));
    const std::string certificate = host.read(kNewCertificate).value_or("");
    const std::string key = host.read(kNewKey).value_or("");
    const PairCheck pair = check_pair(host, certificate, key);
    if (!pair.fault.empty()) {
        throw Error(fmt::format("the self-signed certificate: {}", pair.fault));
    }
    install_pair(context, certificate, key);
    host.remove(kNewKey);
    host.remove(kNewCertificate);
    // Last: with the note the step is done, and nothing would clean up after a kill.
    write_certificate_note(context, {"self-signed", names, pair.expires});
}

void take_files(Context& context) {
    if (!context.answers.has(Key::certificate_file)) {
        throw Error("certificate 'files' requires the answers 'certificate_file' and "
                    "'certificate_key': the volume does not contain a pair yet");
    }
    const std::string certificate = pem_of(context, Key::certificate_file);
    const std::string key = pem_of(context, Key::certificate_key);
    const PairCheck pair = check_pair(context.host, certificate, key);
    if (!pair.fault.empty()) {
        throw Error(fmt::format("certificate 'files': {}", pair.fault))
            .with_hint(fmt::format(
                "certificate_file comes from {}, certificate_key from {}",
                context.answers.source(Key::certificate_file),
                context.answers.source(Key::certificate_key)));
    }
    install_pair(context, certificate, key);
    write_certificate_note(context, {"files", context.answers.site_names(), pair.expires});
}

bool wants_files(const Context& context) {
    return context.answers.text(Key::certificate) == "files";
}

std::string reason_for_files(const Context& context, const CertificateNote& note) {
    if (note.kind != "files") {
        return fmt::format("the certificate is {}, not from files", note.kind);
    }
    if (context.answers.has(Key::certificate_file) &&
        (context.host.read(locations::kCertificate) != pem_of(context, Key::certificate_file) ||
         context.host.read(locations::kCertificateKey) != pem_of(context, Key::certificate_key))) {
        return "the answers set another certificate";
    }
    return "";
}

/// Self-signed, and ACME until it has its certificate.
std::string reason_for_self_signed(const Context& context, const CertificateNote& note) {
    const bool wants_acme = context.answers.text(Key::certificate).starts_with("acme");
    if (note.kind == "acme" && wants_acme) {
        return "";
    }
    if (note.kind != "self-signed") {
        return fmt::format("the certificate comes from {}", note.kind);
    }
    if (note.names != context.answers.site_names()) {
        return "the certificate has other names";
    }
    if (note.expires < std::time(nullptr) + kRenewBefore) {
        return fmt::format("the certificate expires on {}", format_rfc3339(note.expires));
    }
    return "";
}

std::string pair_reason(const Context& context) {
    const auto note = read_certificate_note(context.host);
    if (!note || !has_working_pair(context)) {
        return "no certificate found";
    }
    return wants_files(context) ? reason_for_files(context, *note)
                                : reason_for_self_signed(context, *note);
}

void warn_of_missing_names(Context& context) {
    const std::string certificate = context.host.read(locations::kCertificate).value_or("");
    const std::vector<std::string> missing =
        names_not_covered(context.host, context.answers, certificate);
    if (!missing.empty()) {
        context.report.warning(fmt::format(
            "the certificate does not cover {}: clients that use such a name will reject it",
            join(missing, ", ")));
    }
}

void replace_pair_and_names(Context& context) {
    if (!pair_reason(context).empty()) {
        wants_files(context) ? take_files(context) : make_self_signed(context);
    }
    const std::string config = render_server_config(context.answers);
    if (context.host.read(locations::kServerConfig) != config) {
        context.host.write_file(locations::kServerConfig, config, {}, 0644);
    }
}

/// The new pair and configuration; what was there comes back when the web server refuses them.
void replace_under_web_server(Context& context) {
    Host& host = context.host;
    const SavedPair pair = save_pair(host);
    const std::string config = host.read(locations::kServerConfig).value_or("");
    // A run that is killed before the reload leaves this behind, and the next one reloads.
    host.make_directory(locations::kRun, {}, 0755);
    host.write_file(locations::kReloadWebServer, "", {}, 0644);
    replace_pair_and_names(context);
    const bool is_taken = reload_web_server(host);
    if (!is_taken && pair.note) {
        restore_pair(context, pair);
        host.write_file(locations::kServerConfig, config, {}, 0644);
    }
    host.remove(locations::kReloadWebServer);
    if (!is_taken) {
        throw Error("the web server rejected the new certificate or names")
            .with_hint("the ones before are still in use; 'nginx -t' says more");
    }
}

} // namespace

Reasons certificate_needed(Context& context) {
    Reasons reasons;
    if (std::string reason = pair_reason(context); !reason.empty()) {
        reasons.push_back(std::move(reason));
    }
    if (context.host.read(locations::kServerConfig) != render_server_config(context.answers)) {
        reasons.emplace_back("the web server's names differ from the answers");
    }
    if (context.host.exists(locations::kReloadWebServer)) {
        reasons.emplace_back("the web server has not read its certificate again");
    }
    return reasons;
}

void apply_certificate(Context& context) {
    if (is_web_server_running(context.host)) {
        replace_under_web_server(context);
    } else {
        replace_pair_and_names(context);
        if (context.host.exists(locations::kReloadWebServer)) {
            context.host.remove(locations::kReloadWebServer);
        }
    }
    if (wants_files(context)) {
        warn_of_missing_names(context);
    }
}

} // namespace kiln::firstrun
