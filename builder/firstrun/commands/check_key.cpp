// SPDX-License-Identifier: MIT
//
// The signing key's end, looked at daily: an expired key means unsigned CHECKSUMS, and no program
// of PAUSE says so.
#include "base/error.hpp"
#include "base/text.hpp"
#include "firstrun/commands/commands.hpp"
#include "firstrun/host/gnupg.hpp"
#include "firstrun/host/locations.hpp"
#include "firstrun/steps/signing_key.hpp"

#include <fmt/format.h>

#include <ctime>
#include <ostream>

namespace kiln::firstrun {

namespace {

constexpr std::int64_t kDay = 86400;
constexpr std::int64_t kWarnDays = 60;
constexpr const char* kJournalError = "<3>"; // priorities that journald reads
constexpr const char* kJournalWarning = "<4>";

} // namespace

int check_key(Host& host, std::ostream& err) {
    const Accounts accounts = Accounts::parse(
        host.read("/etc/passwd").value_or(""), host.read("/etc/group").value_or(""));
    Gnupg gpg(host, accounts.get("pause"), locations::kGnupg);
    const std::vector<SecretKey> keys = gpg.secret_keys();
    if (keys.size() != 1) {
        err << fmt::format(
            "{}first-run: there are {} signing keys in {}, not one\n",
            kJournalError,
            keys.size(),
            locations::kGnupg);
        return 1;
    }
    const SecretKey& key = keys.front();
    const std::int64_t now = std::time(nullptr);
    if (key.is_expired(now)) {
        err << fmt::format(
            "{}first-run: the signing key {} expired on {}: CHECKSUMS are written unsigned\n",
            kJournalError,
            key.id,
            format_rfc3339(key.expires));
        return 1;
    }
    if (key.expires != 0 && key.expires < now + kWarnDays * kDay) {
        err << fmt::format(
            "{}first-run: the signing key {} expires in {} days, on {}\n",
            kJournalWarning,
            key.id,
            (key.expires - now) / kDay,
            format_rfc3339(key.expires));
        return 1;
    }
    return 0;
}

} // namespace kiln::firstrun
