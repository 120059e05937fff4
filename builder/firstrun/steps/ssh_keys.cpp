// SPDX-License-Identifier: MIT
//
// Step (machine): the host keys of sshd, kept on the data volume and copied to /etc/ssh of each
// image, and root's own keys from the answers.
#include "base/text.hpp"
#include "firstrun/host/locations.hpp"
#include "firstrun/steps/steps.hpp"

#include <fmt/format.h>

#include <array>

namespace kiln::firstrun {

namespace {

constexpr std::array<const char*, 3> kTypes{"rsa", "ecdsa", "ed25519"};
constexpr const char* kEtcSsh = "/etc/ssh";
constexpr const char* kRootSsh = "/root/.ssh";
constexpr const char* kAuthorizedKeys = "/root/.ssh/authorized_keys";
constexpr std::string_view kBegin = "# begin of the keys that first-run keeps";
constexpr std::string_view kEnd = "# end of the keys that first-run keeps";

struct Pair {
    fs::path secret;
    fs::path open;
};

Pair pair_in(const fs::path& folder, const char* type) {
    const fs::path secret = folder / fmt::format("ssh_host_{}_key", type);
    return {secret, fs::path(secret.string() + ".pub")};
}

void make_key(Context& context, const char* type) {
    const Pair pair = pair_in(locations::kSsh, type);
    const fs::path temporary = fs::path(locations::kSsh) / ".new";
    const fs::path temporary_open = fs::path(locations::kSsh) / ".new.pub";
    Host& host = context.host;
    for (const fs::path& left : {temporary, temporary_open}) {
        if (host.exists(left)) {
            host.remove(left);
        }
    }
    host.run(
        fmt::format("create the {} host key", type),
        Command{
            "ssh-keygen", {"-q", "-t", type, "-N", "", "-C", "pause", "-f", temporary.string()}});
    host.rename(temporary_open, pair.open);
    host.rename(temporary, pair.secret); // last: this one decides whether the key is there
}

/// The file of authorized keys with first-run's part as the answers have it.
std::string wanted_keys(const Context& context) {
    std::string out;
    bool ours = false;
    for (const std::string& line : split_lines(context.host.read(kAuthorizedKeys).value_or(""))) {
        if (line == kBegin || line == kEnd) {
            ours = line == kBegin;
        } else if (!ours) {
            out += line + "\n";
        }
    }
    if (context.answers.has(Key::authorized_keys)) {
        out +=
            fmt::format("{}\n{}\n{}\n", kBegin, context.answers.text(Key::authorized_keys), kEnd);
    }
    return out;
}

bool copies_differ(const Context& context, const char* type) {
    const Pair kept = pair_in(locations::kSsh, type);
    const Pair used = pair_in(kEtcSsh, type);
    return context.host.read(kept.secret) != context.host.read(used.secret) ||
           context.host.read(kept.open) != context.host.read(used.open);
}

} // namespace

Reasons ssh_keys_needed(Context& context) {
    Reasons reasons;
    for (const char* type : kTypes) {
        if (!context.host.exists(pair_in(locations::kSsh, type).secret)) {
            reasons.push_back(fmt::format("no {} host key found", type));
        } else if (copies_differ(context, type)) {
            reasons.push_back(fmt::format("/etc/ssh has another {} host key", type));
        }
    }
    if (context.host.read(kAuthorizedKeys).value_or("") != wanted_keys(context)) {
        reasons.emplace_back("root's authorized keys differ from the answers");
    }
    return reasons;
}

void apply_ssh_keys(Context& context) {
    Host& host = context.host;
    for (const char* type : kTypes) {
        const Pair kept = pair_in(locations::kSsh, type);
        if (!host.exists(kept.secret)) {
            make_key(context, type);
        }
        if (copies_differ(context, type)) {
            const Pair used = pair_in(kEtcSsh, type);
            host.write_file(used.secret, host.read(kept.secret).value_or(""), {}, 0600);
            host.write_file(used.open, host.read(kept.open).value_or(""), {}, 0644);
        }
    }
    const std::string keys = wanted_keys(context);
    if (host.read(kAuthorizedKeys).value_or("") != keys) {
        host.make_directory(kRootSsh, {}, 0700);
        host.write_file(kAuthorizedKeys, keys, {}, 0600);
    }
}

} // namespace kiln::firstrun
