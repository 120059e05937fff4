// SPDX-License-Identifier: MIT
#include "stages/accounts.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace kiln {

namespace {

constexpr std::int64_t kSecondsPerDay = 86400;
constexpr std::size_t kIdField = 2;         ///< in passwd and group alike
constexpr std::size_t kGidField = 3;        ///< in passwd
constexpr std::size_t kGecosField = 4;      ///< in passwd
constexpr std::size_t kHomeField = 5;       ///< in passwd
constexpr std::size_t kShellField = 6;      ///< in passwd
constexpr std::size_t kLastChangeField = 2; ///< in shadow
constexpr std::size_t kMembersField = 3;    ///< in group and gshadow
constexpr std::uint32_t kShadowGroup = 42;  ///< Debian's static gid

/// Lines may have fewer fields than they should: blank ones, and NIS's "+".
const std::string& field(const std::vector<std::string>& row, std::size_t number) {
    static const std::string kNone;
    return number < row.size() ? row[number] : kNone;
}

std::optional<std::uint32_t> id_in(const std::vector<std::string>* row) {
    const auto id = row == nullptr ? std::nullopt : parse_unsigned(field(*row, kIdField));
    if (!id || *id > UINT32_MAX) {
        return std::nullopt;
    }
    return static_cast<std::uint32_t>(*id);
}

} // namespace

AccountFiles::AccountFiles(const TreeRoot& tree, std::int64_t epoch)
    : tree_(tree), day_(std::to_string(epoch / kSecondsPerDay)), passwd_(load("passwd")),
      group_(load("group")), shadow_(load("shadow")), gshadow_(load("gshadow")) {}

AccountFiles::Fields* AccountFiles::Table::find(const std::string& name) {
    const auto it = std::find_if(
        rows.begin(), rows.end(), [&](const Fields& row) { return field(row, 0) == name; });
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
    const std::string path = fmt::format("/etc/{}", name);
    if (tree_.look_through(path)) {
        for (const std::string& line : split_lines(tree_.read_text(path))) {
            table.rows.push_back(split(line, ':'));
        }
    }
    return table;
}

std::optional<std::uint32_t> AccountFiles::user_id(const std::string& name) const {
    const Fields* row = passwd_.find(name);
    return id_in(row);
}

std::optional<std::uint32_t> AccountFiles::group_id(const std::string& name) const {
    const Fields* row = group_.find(name);
    return id_in(row);
}

void AccountFiles::check_id(
    const Table& table, const std::string& name, std::uint32_t id, const char* what) {
    for (const Fields& row : table.rows) {
        if (field(row, kIdField) == std::to_string(id) && field(row, 0) != name) {
            throw Error(fmt::format(
                "cannot assign id {2} to {0} '{1}': already used by '{3}'",
                what,
                name,
                id,
                field(row, 0)));
        }
    }
}

void AccountFiles::add_group(const Group& group) {
    if (const auto existing = group_id(group.name)) {
        if (*existing != group.gid) {
            throw Error(fmt::format(
                "group '{}' already has gid {}, but the recipe sets {}",
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

std::optional<User> AccountFiles::user(const std::string& name) const {
    const Fields* row = passwd_.find(name);
    const auto uid = id_in(row);
    if (!uid) {
        return std::nullopt;
    }
    const auto gid = parse_unsigned(field(*row, kGidField)).value_or(0);
    return User{
        .name = name,
        .uid = *uid,
        .gid = static_cast<std::uint32_t>(gid),
        .gecos = field(*row, kGecosField),
        .home = field(*row, kHomeField),
        .shell = field(*row, kShellField)};
}

void AccountFiles::change_user(const User& user) {
    Fields* row = passwd_.find(user.name);
    KILN_CHECK(row != nullptr);
    row->resize(std::max(row->size(), kShellField + 1));
    row->at(kGidField) = std::to_string(user.gid);
    row->at(kGecosField) = user.gecos;
    row->at(kHomeField) = user.home;
    row->at(kShellField) = user.shell;
    passwd_.changed = true;
}

void AccountFiles::require_number(const std::string& name, std::uint32_t uid) const {
    const auto existing = user_id(name);
    if (existing && *existing != uid) {
        throw Error(fmt::format(
            "user '{}' already has uid {}, but the recipe sets {}", name, *existing, uid));
    }
}

void AccountFiles::add_user(const User& user) {
    require_number(user.name, user.uid);
    if (user_id(user.name)) {
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
    if (!group_id(group) || !user_id(user)) {
        throw Error(
            fmt::format("cannot add user '{}' to group '{}': no such user or group", user, group));
    }
    for (Table* table : {&group_, &gshadow_}) {
        Fields* row = table->find(group);
        if (row == nullptr) {
            continue; // without the package passwd there is no gshadow
        }
        auto members = split(field(*row, kMembersField), ',');
        std::erase(members, "");
        if (std::find(members.begin(), members.end(), user) == members.end()) {
            members.push_back(user);
            row->resize(std::max(row->size(), kMembersField + 1));
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
    tree_.write_through(fmt::format("/etc/{}", name), text, {0, gid, mode});
    table.changed = false;
}

void AccountFiles::save() {
    store("passwd", passwd_, 0644, 0);
    store("group", group_, 0644, 0);
    store("shadow", shadow_, 0640, kShadowGroup);
    store("gshadow", gshadow_, 0640, kShadowGroup);
}

} // namespace kiln
