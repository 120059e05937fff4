// SPDX-License-Identifier: MIT
#include "firstrun/host/accounts.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace kiln::firstrun {

namespace {

constexpr std::size_t kPasswdFields = 7;
constexpr std::size_t kGroupFields = 4;

} // namespace

Accounts Accounts::parse(std::string_view passwd, std::string_view group) {
    Accounts out;
    for (const std::string& line : split_lines(passwd)) {
        const std::vector<std::string> fields = split(line, ':');
        if (fields.size() != kPasswdFields) {
            continue;
        }
        const auto uid = parse_unsigned(fields[2]);
        const auto gid = parse_unsigned(fields[3]);
        if (uid && gid) {
            out.accounts_[fields[0]] = Account{
                fields[0], static_cast<uid_t>(*uid), static_cast<gid_t>(*gid), fields[5], {}};
        }
    }
    for (const std::string& line : split_lines(group)) {
        const std::vector<std::string> fields = split(line, ':');
        const auto gid = fields.size() == kGroupFields ? parse_unsigned(fields[2]) : std::nullopt;
        if (!gid) {
            continue;
        }
        for (const std::string& member : split(fields[3], ',')) {
            if (const auto it = out.accounts_.find(member); it != out.accounts_.end()) {
                it->second.groups.push_back(static_cast<gid_t>(*gid));
            }
        }
    }
    return out;
}

const Account& Accounts::get(std::string_view name) const {
    const auto it = accounts_.find(name);
    if (it == accounts_.end()) {
        throw Error(fmt::format("the image has no user '{}'", name))
            .with_hint("the image is not a PAUSE image, or its /etc/passwd was replaced");
    }
    return it->second;
}

std::string Accounts::name_of(uid_t uid) const {
    const auto it = std::find_if(accounts_.begin(), accounts_.end(), [&](const auto& entry) {
        return entry.second.uid == uid;
    });
    return it == accounts_.end() ? std::to_string(uid) : it->first;
}

} // namespace kiln::firstrun
