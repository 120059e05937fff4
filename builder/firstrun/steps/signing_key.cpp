// SPDX-License-Identifier: MIT
//
// Step: the key that signs CHECKSUMS. It is made or imported in a separate directory, tried
// there, and put in its place whole. PAUSE would go on without a signature when the key is
// unusable, so an expired key ends the run.
#include "firstrun/steps/signing_key.hpp"

#include "base/error.hpp"
#include "base/io/file.hpp"
#include "base/text.hpp"
#include "firstrun/answers/answer_kinds.hpp"
#include "firstrun/host/gnupg.hpp"
#include "firstrun/host/journal.hpp"
#include "firstrun/host/locations.hpp"
#include "firstrun/steps/steps.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <ctime>

namespace kiln::firstrun {

using nlohmann::ordered_json;

std::optional<SigningKeyNote> read_signing_key(const Host& host) {
    const auto text = host.read(locations::kSigningKey);
    const ordered_json json = ordered_json::parse(text.value_or(""), nullptr, false);
    if (!json.is_object()) {
        return std::nullopt;
    }
    return SigningKeyNote{
        json.value("id", ""),
        json.value("fingerprint", ""),
        json.value("expires", std::int64_t{0})};
}

namespace {

/// The answered key; empty when none was answered.
std::string answered_key(const Context& context) {
    const std::string& answer = context.answers.text(Key::signing_key);
    if (answer.empty() || is_pem_text(answer)) {
        return answer;
    }
    auto text = context.host.read(answer);
    if (!text) {
        throw Error(fmt::format("signing_key: file '{}' not found", answer));
    }
    return std::move(*text);
}

/// The one key of the answer.
SecretKey inspect_answer(Context& context, const std::string& armored) {
    const std::vector<SecretKey> keys =
        keys_in(context.host, context.accounts.get("pause"), armored);
    if (keys.size() != 1) {
        throw Error(fmt::format(
                        "signing_key ({}) contains {} OpenPGP secret keys, expected one",
                        context.answers.source(Key::signing_key),
                        keys.size()))
            .with_hint("export one with 'gpg --export-secret-keys --armor ID'");
    }
    return keys.front();
}

[[noreturn]] void fail_expired(const std::string& id, std::int64_t expires) {
    throw Error(fmt::format(
                    "the signing key {} expired on {}: CHECKSUMS would be written unsigned",
                    id,
                    format_rfc3339(expires)))
        .with_hint("extend it with 'runuser -u pause -- gpg --homedir /data/state/gnupg "
                   "--quick-set-expire FINGERPRINT 2y' and remove /data/state/signing-key.json, or "
                   "set 'signing_key'");
}

void check_usable(Gnupg& gpg, const SecretKey& key) {
    if (key.is_expired(std::time(nullptr))) {
        fail_expired(key.id, key.expires);
    }
    if (const std::string fault = gpg.test_signature(key.id); !fault.empty()) {
        throw Error(
            fmt::format("a test signature by the key {} does not verify: {}", key.id, fault))
            .with_hint("the key must be able to sign and have no passphrase");
    }
}

void write_note(Context& context, const SecretKey& key) {
    const ordered_json note{
        {"id", key.id},
        {"fingerprint", key.fingerprint},
        {"user", key.user},
        {"expires", key.expires}};
    context.host.write_file(locations::kSigningKey, note.dump(2) + "\n", {}, 0644);
}

/// gpg makes files even to say that there is no key, so it is not asked about an empty directory.
std::vector<SecretKey> secret_keys_in(Context& context, const char* home) {
    if (context.host.list(home).empty()) {
        return {};
    }
    return Gnupg(context.host, context.accounts.get("pause"), home).secret_keys();
}

/// What a replaced directory is kept as: CHECKSUMS out there are signed by its key.
void keep_old(Context& context) {
    context.host.rename(
        locations::kNewGnupg, fmt::format("{}.before-{}", locations::kGnupg, std::time(nullptr)));
}

/// A run that was killed left either a key that nobody uses yet, or, between the exchange and the
/// renaming, the one that was used before.
void settle_leftover(Context& context) {
    if (!context.host.exists(locations::kNewGnupg)) {
        return;
    }
    const auto note = read_signing_key(context.host);
    Gnupg left(context.host, context.accounts.get("pause"), locations::kNewGnupg);
    // An agent in this directory would outlive it and disturb the next one of the same name.
    if (note && left.knows(note->fingerprint)) {
        keep_old(context);
    } else {
        context.host.remove_tree(locations::kNewGnupg);
    }
}

/// Puts the finished directory in its place.
void install(Context& context, bool had_key) {
    Host& host = context.host;
    for (const std::string& name : host.list(locations::kNewGnupg)) {
        if (name.starts_with("S.")) { // sockets of the agent, which knows the other name
            host.remove(fs::path(locations::kNewGnupg) / name);
        }
    }
    if (host.list(locations::kGnupg).empty()) {
        host.rename(locations::kNewGnupg, locations::kGnupg);
        return;
    }
    host.exchange(locations::kNewGnupg, locations::kGnupg);
    had_key ? keep_old(context) : host.remove_tree(locations::kNewGnupg);
}

std::string user_id(const Context& context) {
    const std::string& name = context.answers.text(Key::hostname);
    return fmt::format("PAUSE Batch Signing Key ({0}) <pause@{0}>", name);
}

/// Makes or imports a key; returns it.
SecretKey make_key(Context& context, const std::string& armored) {
    if (!armored.empty()) {
        if (const SecretKey key = inspect_answer(context, armored);
            key.is_expired(std::time(nullptr))) {
            fail_expired(key.id, key.expires);
        }
    }
    const Account& pause = context.accounts.get("pause");
    context.host.make_directory(locations::kNewGnupg, owner_of(pause), 0700);
    Gnupg gpg(context.host, pause, locations::kNewGnupg);
    const Finally end([&] { gpg.end_agent(); });
    if (armored.empty()) {
        gpg.generate(user_id(context));
    } else {
        gpg.import(armored);
    }
    const std::vector<SecretKey> keys = gpg.secret_keys();
    if (keys.size() != 1) {
        throw Error(fmt::format("gpg created {} secret keys, expected one", keys.size()));
    }
    check_usable(gpg, keys.front());
    return keys.front();
}

} // namespace

Reasons signing_key_needed(Context& context) {
    if (context.host.exists(locations::kNewGnupg)) {
        return {"a change of the signing key was interrupted"};
    }
    const auto note = read_signing_key(context.host);
    if (!note) {
        return {
            context.host.list(locations::kGnupg).empty()
                ? "no signing key found"
                : "the signing key has not been tested yet"};
    }
    if (context.host.list(locations::kGnupg).empty()) {
        return {fmt::format("the directory of the signing key {} is empty", note->id)};
    }
    if (const std::string armored = answered_key(context); !armored.empty()) {
        if (inspect_answer(context, armored).fingerprint != note->fingerprint) {
            return {"the answers set another signing key"};
        }
    }
    if (note->expires != 0 && note->expires <= std::time(nullptr)) {
        return {fmt::format("the signing key {} has expired", note->id)};
    }
    if (context.is_adopting()) {
        return {"the volume was written by another image: the key is tested again"};
    }
    return {};
}

namespace {

void replace_key(Context& context, const std::string& armored, bool had_key) {
    const auto note = read_signing_key(context.host);
    if (!had_key && note && armored.empty()) {
        throw Error(fmt::format("the signing key {} is missing", note->id))
            .with_hint("restore /data/state/gnupg from a backup, or set 'signing_key'; remove "
                       "/data/state/signing-key.json to create a new key");
    }
    const SecretKey made = make_key(context, armored);
    install(context, had_key);
    write_note(context, made);
}

} // namespace

void apply_signing_key(Context& context) {
    settle_leftover(context);
    Gnupg present(context.host, context.accounts.get("pause"), locations::kGnupg);
    const Finally end([&] { present.end_agent(); });
    const std::vector<SecretKey> keys = secret_keys_in(context, locations::kGnupg);
    const std::string armored = answered_key(context);
    if (keys.empty()) {
        replace_key(context, armored, false);
        return;
    }
    if (!armored.empty() &&
        inspect_answer(context, armored).fingerprint != keys.front().fingerprint) {
        replace_key(context, armored, true);
        return;
    }
    if (keys.size() != 1) {
        throw Error(fmt::format("there are {} secret keys in {}", keys.size(), locations::kGnupg))
            .with_hint("remove all but the one that signs CHECKSUMS");
    }
    check_usable(present, keys.front());
    write_note(context, keys.front());
}

} // namespace kiln::firstrun
