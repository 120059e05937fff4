// SPDX-License-Identifier: MIT
//
// The account files of a tree (passwd, group, shadow, gshadow) as data: read, added to, written
// back. No program of the tree runs, so the result depends on nothing but the arguments.
#pragma once

#include "tree/tree_root.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace kiln {

struct Group {
    std::string name;
    std::uint32_t gid = 0;
};

struct User {
    std::string name;
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::string gecos;
    std::string home;
    std::string shell;
};

class AccountFiles {
  public:
    /// Reads the files below /etc of the tree, which must outlive this; missing ones count as
    /// empty, links are followed in the tree. `epoch` gives the day that shadow(5) calls the last
    /// password change.
    AccountFiles(const TreeRoot& tree, std::int64_t epoch);

    [[nodiscard]] std::optional<std::uint32_t> user_id(const std::string& name) const;
    [[nodiscard]] std::optional<std::uint32_t> group_id(const std::string& name) const;
    /// The user as passwd has it.
    [[nodiscard]] std::optional<User> user(const std::string& name) const;
    /// Throws Error when the user exists with another number.
    void require_number(const std::string& name, std::uint32_t uid) const;
    /// Gives a user that exists another group, full name, home and shell, as usermod(8) does; its
    /// files stay where they are.
    void change_user(const User& user);

    /// Adding what exists with the same number does nothing; with another number, or a number that
    /// somebody else has, it is an Error.
    void add_group(const Group& group);
    /// The password is locked.
    void add_user(const User& user);
    /// Makes a user a member of a group; both must exist.
    void add_member(const std::string& group, const std::string& user);
    /// shadow(5): never a day after the epoch's.
    void clamp_password_days();

    /// Writes back what changed, modes and owners as Debian has them.
    void save();

  private:
    using Fields = std::vector<std::string>;

    struct Table {
        std::vector<Fields> rows;
        bool changed = false;
        [[nodiscard]] Fields* find(const std::string& name);
        [[nodiscard]] const Fields* find(const std::string& name) const;
        void append(Fields row);
    };

    [[nodiscard]] Table load(const char* name) const;
    void store(const char* name, Table& table, unsigned mode, std::uint32_t gid) const;
    static void
    check_id(const Table& table, const std::string& name, std::uint32_t id, const char* what);

    const TreeRoot& tree_;
    std::string day_;
    Table passwd_;
    Table group_;
    Table shadow_;
    Table gshadow_;
};

} // namespace kiln
