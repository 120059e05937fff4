// SPDX-License-Identifier: MIT
#include "stages/accounts.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace kiln {

namespace {

constexpr std::int64_t kSecondsPerDay = 86400;
constexpr std::size_t kIdField = 2;         ///< in passwd and group alike
constexpr std::size_t kLastChangeField = 2; ///< in shadow
constexpr std::size_t kMembersField = 3;    ///< in group and gshadow
constexpr std::uint32_t kShadowGroup = 42;  ///< Debian's static gid

} // namespace

AccountFiles::AccountFiles(fs::path root, std::int64_t epoch)
    : root_(std::move(root)), day_(std::to_string(epoch / kSecondsPerDay)), passwd_(load("passwd")),
      group_(load("group")), shadow_(load("shadow")), gshadow_(load("gshadow")) {}

AccountFiles::Fields* AccountFiles::Table::find(const std::string& name) {
    const auto it = std::find_if(
        rows.begin(), rows.end(), [&](const Fields& row) { return row.at(0) == name; });
    return it == rows.end() ? nullptr : &*it;
}

const AccountFiles::Fields* AccountFiles::Table::find(const std::string& name) const {
    return const_cast<Table*>(this)->find(name);
}

void AccountFiles::Table::append(Fields row) {
    rows.push_back(std::move(row));
    changed = true;
}

AccountFiles::Table AccountFiles::load(const char* name) const {
    Table table;
    const fs::path path = root_ / "etc" / name;
    if (fs::exists(path)) {
        for (const std::string& line : split_lines(read_text_file(path))) {
            table.rows.push_back(split(line, ':'));
        }
    }
    return table;
}

std::optional<std::uint32_t> AccountFiles::user_id(const std::string& name) const {
    const Fields* row = passwd_.find(name);
    return row == nullptr ? std::nullopt
                          : std::optional(static_cast<std::uint32_t>(
                                parse_unsigned(row->at(kIdField)).value_or(0)));
}

std::optional<std::uint32_t> AccountFiles::group_id(const std::string& name) const {
    const Fields* row = group_.find(name);
    return row == nullptr ? std::nullopt
                          : std::optional(static_cast<std::uint32_t>(
                                parse_unsigned(row->at(kIdField)).value_or(0)));
}

void AccountFiles::check_id(
    const Table& table, const std::string& name, std::uint32_t id, const char* what) {
    for (const Fields& row : table.rows) {
        if (row.at(kIdField) == std::to_string(id) && row.at(0) != name) {
            throw Error(fmt::format(
                "{} '{}' cannot have the number {}: '{}' has it", what, name, id, row.at(0)));
        }
    }
}

void AccountFiles::add_group(const Group& group) {
    if (const auto existing = group_id(group.name)) {
        if (*existing != group.gid) {
            throw Error(fmt::format(
                "group '{}' has the number {} already, the recipe says {}",
                group.name,
                *existing,
                group.gid));
        }
        return;
    }
    check_id(group_, group.name, group.gid, "group");
    group_.append({group.name, "x", std::to_string(group.gid), ""});
    gshadow_.append({group.name, "!", "", ""});
}

void AccountFiles::add_user(const User& user) {
    if (const auto existing = user_id(user.name)) {
        if (*existing != user.uid) {
            throw Error(fmt::format(
                "user '{}' has the number {} already, the recipe says {}",
                user.name,
                *existing,
                user.uid));
        }
        return;
    }
    check_id(passwd_, user.name, user.uid, "user");
    passwd_.append(
        {user.name,
         "x",
         std::to_string(user.uid),
         std::to_string(user.gid),
         user.gecos,
         user.home,
         user.shell});
    shadow_.append({user.name, "!", day_, "", "", "", "", "", ""});
}

void AccountFiles::add_member(const std::string& group, const std::string& user) {
    for (Table* table : {&group_, &gshadow_}) {
        Fields* row = table->find(group);
        if (row == nullptr || !user_id(user)) {
            throw Error(fmt::format(
                "cannot put user '{}' into group '{}': no such user or group", user, group));
        }
        auto members = split(row->at(kMembersField), ',');
        std::erase(members, "");
        if (std::find(members.begin(), members.end(), user) == members.end()) {
            members.push_back(user);
            row->at(kMembersField) = join(members, ",");
            table->changed = true;
        }
    }
}

void AccountFiles::clamp_password_days() {
    const auto limit = parse_unsigned(day_).value_or(0);
    for (Fields& row : shadow_.rows) {
        if (row.size() > kLastChangeField &&
            parse_unsigned(row[kLastChangeField]).value_or(0) > limit) {
            row[kLastChangeField] = day_;
            shadow_.changed = true;
        }
    }
}

void AccountFiles::store(const char* name, Table& table, unsigned mode, std::uint32_t gid) const {
    if (!table.changed) {
        return;
    }
    std::string text;
    for (const Fields& row : table.rows) {
        text += join(row, ":") + "\n";
    }
    const fs::path path = root_ / "etc" / name;
    AtomicFile file(path, mode);
    file.write_text(text);
    if (::fchown(file.fd(), 0, gid) != 0) {
        throw SystemError(fmt::format("cannot set the owner of '{}'", path.string()));
    }
    file.commit();
    table.changed = false;
}

void AccountFiles::save() {
    store("passwd", passwd_, 0644, 0);
    store("group", group_, 0644, 0);
    store("shadow", shadow_, 0640, kShadowGroup);
    store("gshadow", gshadow_, 0640, kShadowGroup);
}

} // namespace kiln
