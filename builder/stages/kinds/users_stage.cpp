// SPDX-License-Identifier: MIT
#include "recipe/yaml/patterns.hpp"
#include "stages/accounts.hpp"
#include "stages/kinds.hpp"

#include <fmt/format.h>

#include <array>
#include <vector>

namespace kiln {

namespace {

constexpr Shape kId = integer_between(0, 65533);
constexpr Shape kUserNames = list_of(&kUserName);
constexpr auto kGroupFields = std::to_array<Field>({
    {"name", &kUserName, Need::required, "the group"},
    {"gid", &kId, Need::required, "numeric id"},
    {"members", &kUserNames, Need::optional, "members of the group", {}, "none"},
});
constexpr Shape kGroup = object_of(kGroupFields, "group");
constexpr Shape kGroups = list_of(&kGroup);
constexpr auto kUserFields = std::to_array<Field>({
    {"name", &kUserName, Need::required, "the user"},
    {"uid", &kId, Need::required, "numeric id"},
    {"group",
     &kUserName,
     Need::optional,
     "primary group",
     {},
     "a group with the user's name and id, or the existing one"},
    {"groups", &kUserNames, Need::optional, "further groups", {}, "none"},
    {"home",
     &kAbsolutePath,
     Need::optional,
     "home directory",
     {},
     "/home/NAME, or the existing one"},
    {"create_home",
     &kBoolean,
     Need::optional,
     "create the home directory from /etc/skel, unless it exists",
     {},
     "true for a new user, and when `home` is given"},
    {"home_mode", &kFileMode, Need::optional, "permission bits of the home directory", "0700"},
    {"shell", &kAbsolutePath, Need::optional, "login shell", {}, "/bin/bash, or the existing one"},
    {"gecos", &kTextOrEmpty, Need::optional, "full name", {}, "empty, or the existing one"},
});
constexpr Shape kUser = object_of(kUserFields, "user");
constexpr Shape kUsers = list_of(&kUser);
constexpr auto kFields = std::to_array<Field>({
    {"groups", &kGroups, Need::optional, "groups to create", {}, "none"},
    {"users", &kUsers, Need::optional, "users to create; passwords are locked", {}, "none"},
});

std::span<const Value> list_at(const Value& options, std::string_view key) {
    const Value* list = options.find(key);
    return list == nullptr ? std::span<const Value>() : list->as_list();
}

class UsersStage final : public Stage {
  public:
    explicit UsersStage(const StageSpec& spec) : spec_(spec) {}

    void run(StageContext& context, const StageInputs&) const override {
        AccountFiles accounts(context.tree, context.settings.epoch);
        for (const Value& group : list_at(spec_.options, "groups")) {
            accounts.add_group({group.at("name").as_string(), id(group, "gid")});
        }
        std::vector<const Value*> with_home;
        for (const Value& user : list_at(spec_.options, "users")) {
            const bool is_new = !accounts.user_id(user.at("name").as_string());
            place_user(accounts, user);
            const Value* create_home = user.find("create_home");
            if (create_home == nullptr ? is_new || user.contains("home")
                                       : create_home->as_boolean()) {
                with_home.push_back(&user);
            }
        }
        for (const Value& group : list_at(spec_.options, "groups")) {
            for (const std::string& member : group.strings_or_empty("members")) {
                accounts.add_member(group.at("name").as_string(), member);
            }
        }
        accounts.save();
        for (const Value* user : with_home) {
            make_home(context, *accounts.user(user->at("name").as_string()), *user);
        }
    }

  private:
    static std::uint32_t id(const Value& value, std::string_view key) {
        return static_cast<std::uint32_t>(value.at(key).as_integer());
    }

    /// Makes the user, or gives one that exists what the recipe says of it; the rest stays.
    static void place_user(AccountFiles& accounts, const Value& user) {
        const std::string& name = user.at("name").as_string();
        accounts.require_number(name, id(user, "uid"));
        const auto existing = accounts.user(name);
        User wanted = existing.value_or(User{
            .name = name,
            .uid = id(user, "uid"),
            .gid = 0,
            .gecos = "",
            .home = "/home/" + name,
            .shell = "/bin/bash"});
        user.copy_given("gecos", wanted.gecos);
        user.copy_given("home", wanted.home);
        user.copy_given("shell", wanted.shell);
        if (!existing || user.contains("group")) {
            wanted.gid = primary_group(accounts, user);
        }
        if (existing) {
            accounts.change_user(wanted);
        } else {
            accounts.add_user(wanted);
        }
        for (const std::string& further : user.strings_or_empty("groups")) {
            accounts.add_member(further, name);
        }
    }

    static std::uint32_t primary_group(AccountFiles& accounts, const Value& user) {
        const std::string& name = user.at("name").as_string();
        std::string group = name;
        user.copy_given("group", group);
        if (!user.contains("group")) {
            accounts.add_group({group, id(user, "uid")});
        }
        const auto gid = accounts.group_id(group);
        if (!gid) {
            throw Error(
                fmt::format("user '{}': group '{}' does not exist in the tree", name, group));
        }
        return *gid;
    }

    /// As useradd -m does: a home that exists is nobody's to fill or to give away.
    static void make_home(const StageContext& context, const User& user, const Value& options) {
        if (context.tree.look_through(user.home)) {
            context.console.notice(fmt::format(
                "user '{}': '{}' already exists; not copying from /etc/skel",
                user.name,
                user.home));
            return;
        }
        const Ownership owner{user.uid, user.gid, id(options, "home_mode")};
        context.tree.make_directory(user.home, owner);
        copy_skeleton(context.tree, "/etc/skel", user.home, user);
    }

    /// Everything of a folder, the user's, with modes; links as they are.
    static void copy_skeleton(
        const TreeRoot& tree, const std::string& from, const std::string& to, const User& user) {
        for (const std::string& name : tree.names(from)) {
            const std::string model = fmt::format("{}/{}", from, name);
            const std::string copy = fmt::format("{}/{}", to, name);
            const auto info = tree.look(model);
            const Ownership owner{user.uid, user.gid, info ? info->st_mode & 07777U : 0};
            if (!info) {
                continue;
            }
            if (S_ISDIR(info->st_mode)) {
                tree.make_directory(copy, owner);
                copy_skeleton(tree, model, copy, user);
            } else if (S_ISLNK(info->st_mode)) {
                tree.make_link(copy, tree.link_target(model), owner);
            } else if (S_ISREG(info->st_mode)) {
                // No larger than people's settings are.
                tree.write_file(copy, tree.read_text(model), owner);
            }
        }
    }

    const StageSpec& spec_;
};

} // namespace

constexpr Shape kUsersOptions = object_of(kFields);

std::unique_ptr<Stage> make_users_stage(const StageSpec& spec) {
    return std::make_unique<UsersStage>(spec);
}

} // namespace kiln
