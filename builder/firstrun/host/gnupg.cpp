// SPDX-License-Identifier: MIT
#include "firstrun/host/gnupg.hpp"

#include "base/io/file.hpp"
#include "base/text.hpp"
#include "firstrun/host/locations.hpp"

#include <fmt/format.h>

namespace kiln::firstrun {

namespace {

// Fields of a colon line, from 0.
constexpr std::size_t kValidity = 1;
constexpr std::size_t kKeyId = 4;
constexpr std::size_t kExpires = 6;
constexpr std::size_t kUserId = 9; // of "fpr": the fingerprint

std::string field(const std::vector<std::string>& fields, std::size_t index) {
    return index < fields.size() ? fields[index] : std::string();
}

} // namespace

std::vector<SecretKey> parse_secret_keys(std::string_view listing) {
    std::vector<SecretKey> out;
    bool primary = false; // lines after "ssb" speak of a subkey
    for (const std::string& line : split_lines(listing)) {
        const std::vector<std::string> fields = split(line, ':');
        if (fields[0] == "sec") {
            SecretKey key;
            key.id = field(fields, kKeyId);
            const std::string validity = field(fields, kValidity);
            key.validity = validity.empty() ? '-' : validity.front();
            key.expires =
                static_cast<std::int64_t>(parse_unsigned(field(fields, kExpires)).value_or(0));
            out.push_back(std::move(key));
            primary = true;
        } else if (fields[0] == "ssb" || fields[0] == "pub" || fields[0] == "sub") {
            primary = false;
        } else if (fields[0] == "fpr" && primary && out.back().fingerprint.empty()) {
            out.back().fingerprint = field(fields, kUserId);
        } else if (fields[0] == "uid" && primary && out.back().user.empty()) {
            out.back().user = field(fields, kUserId);
        }
    }
    return out;
}

Command Gnupg::command(std::vector<std::string> args, std::string input) const {
    Command out{"gpg", {"--homedir", home_.string(), "--batch", "--no-tty", "--quiet"}};
    out.args.insert(out.args.end(), args.begin(), args.end());
    out.input = std::move(input);
    out.separate_stderr = true;
    out.timeout = std::chrono::seconds(300);
    return out;
}

std::vector<SecretKey> Gnupg::secret_keys() {
    const ProcessResult result =
        host_.query(command({"--with-colons", "--list-secret-keys"}), &user_);
    return result.ok() ? parse_secret_keys(result.output) : std::vector<SecretKey>();
}

bool Gnupg::knows(const std::string& fingerprint) {
    return host_.query(command({"--no-autostart", "--list-keys", fingerprint}), &user_).ok();
}

void Gnupg::generate(const std::string& user_id) {
    // The passphrase is empty: the daemon that signs has nobody to ask.
    host_.run(
        "create the signing key",
        command(
            {"--pinentry-mode",
             "loopback",
             "--passphrase",
             "",
             "--quick-generate-key",
             user_id,
             "rsa3072",
             "sign",
             "2y"}),
        &user_);
}

void Gnupg::import(const std::string& armored) {
    host_.run("import the signing key", command({"--import"}, armored), &user_);
}

std::string Gnupg::test_signature(const std::string& key_id) {
    const ProcessResult signature = host_.try_run(
        "sign a test text",
        command(
            {"--pinentry-mode", "error", "--local-user", key_id, "--clearsign"},
            "first-run tests the signing key\n"),
        &user_);
    if (!signature.ok()) {
        return join(last_lines(signature.errors, 3), "; ");
    }
    const ProcessResult verified =
        host_.query(command({"--status-fd", "1", "--verify"}, signature.output), &user_);
    return verified.ok() && verified.output.find("] VALIDSIG ") != std::string::npos
               ? ""
               : join(last_lines(verified.errors, 3), "; ");
}

void Gnupg::end_agent() noexcept {
    try {
        Command end{"gpgconf", {"--homedir", home_.string(), "--kill", "gpg-agent"}};
        host_.query(end, &user_);
    } catch (...) { // NOLINT(bugprone-empty-catch): an agent ends on its own when its home goes
    }
}

std::vector<SecretKey> keys_in(Host& host, const Account& user, const std::string& armored) {
    // gpg wants a home and leaves files in it, but with these options no agent.
    host.make_directory(locations::kRun, {}, 0755);
    host.make_directory(locations::kLookHome, owner_of(user), 0700);
    const Finally remove([&] {
        std::error_code ignored;
        fs::remove_all(host.real(locations::kLookHome), ignored);
    });
    Command show{
        "gpg",
        {"--homedir",
         locations::kLookHome,
         "--batch",
         "--no-tty",
         "--quiet",
         "--no-options",
         "--no-keyring",
         "--no-autostart",
         "--with-colons",
         "--show-keys"}};
    show.input = armored;
    show.separate_stderr = true;
    return parse_secret_keys(host.query(show, &user).output);
}

} // namespace kiln::firstrun
