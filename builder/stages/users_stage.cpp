// SPDX-License-Identifier: MIT
#include "recipe/patterns.hpp"
#include "stages/accounts.hpp"
#include "stages/kinds.hpp"

#include <fmt/format.h>

#include <array>

namespace kiln {

namespace {

constexpr Shape kId = integer_between(0, 65533);
constexpr Shape kUserNames = list_of(&kUserName);
constexpr auto kGroupFields = std::to_array<Field>({
    {"name", &kUserName, Need::required, "the group"},
    {"gid", &kId, Need::required, "its number"},
    {"members", &kUserNames, Need::optional, "users that belong to it", "none"},
});
constexpr Shape kGroup = object_of(kGroupFields, "group");
constexpr Shape kGroups = list_of(&kGroup);
constexpr auto kUserFields = std::to_array<Field>({
    {"name", &kUserName, Need::required, "the user"},
    {"uid", &kId, Need::required, "its number"},
    {"group", &kUserName, Need::optional, "primary group", "one of the user's own name and number"},
    {"groups", &kUserNames, Need::optional, "further groups", "none"},
    {"home", &kAbsolutePath, Need::optional, "home directory", "/home/NAME"},
    {"create_home", &kBoolean, Need::optional, "make the home directory from /etc/skel", "true"},
    {"home_mode", &kFileMode, Need::optional, "its permission bits", "0700"},
    {"shell", &kAbsolutePath, Need::optional, "login shell", "/bin/bash"},
    {"gecos", &kTextOrEmpty, Need::optional, "full name", "empty"},
});
constexpr Shape kUser = object_of(kUserFields, "user");
constexpr Shape kUsers = list_of(&kUser);
constexpr auto kFields = std::to_array<Field>({
    {"groups", &kGroups, Need::optional, "groups to make", "none"},
    {"users", &kUsers, Need::optional, "users to make; passwords are locked", "none"},
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
        for (const Value& user : list_at(spec_.options, "users")) {
            add_user(accounts, user);
        }
        for (const Value& group : list_at(spec_.options, "groups")) {
            for (const std::string& member : group.strings_or_empty("members")) {
                accounts.add_member(group.at("name").as_string(), member);
            }
        }
        accounts.save();
        for (const Value& user : list_at(spec_.options, "users")) {
            if (user.boolean_or("create_home", true)) {
                make_home(context, accounts, user);
            }
        }
    }

  private:
    static std::uint32_t id(const Value& value, std::string_view key) {
        return static_cast<std::uint32_t>(value.at(key).as_integer());
    }

    static std::string home_of(const Value& user) {
        return user.string_or("home", "/home/" + user.at("name").as_string());
    }

    static void add_user(AccountFiles& accounts, const Value& user) {
        const std::string& name = user.at("name").as_string();
        const std::string group = user.string_or("group", name);
        if (!user.contains("group")) {
            accounts.add_group({group, id(user, "uid")});
        }
        const auto gid = accounts.group_id(group);
        if (!gid) {
            throw Error(fmt::format("user '{}': the tree has no group '{}'", name, group));
        }
        accounts.add_user(
            {name,
             id(user, "uid"),
             *gid,
             user.string_or("gecos", ""),
             home_of(user),
             user.string_or("shell", "/bin/bash")});
        for (const std::string& further : user.strings_or_empty("groups")) {
            accounts.add_member(further, name);
        }
    }

    static void
    make_home(const StageContext& context, const AccountFiles& accounts, const Value& user) {
        const std::string& name = user.at("name").as_string();
        const Ownership owner{
            *accounts.user_id(name),
            *accounts.group_id(user.string_or("group", name)),
            static_cast<std::uint32_t>(user.integer_or("home_mode", 0700))};
        const std::string home = home_of(user);
        context.tree.make_directory(home, owner);
        for (const std::string& file : context.tree.names("/etc/skel")) {
            const std::string model = "/etc/skel/" + file;
            const auto info = context.tree.look(model);
            if (info && S_ISREG(info->st_mode)) {
                context.tree.write_file(
                    fmt::format("{}/{}", home, file),
                    context.tree.read_text(model), // no larger than people's settings are
                    {owner.uid, owner.gid, 0644});
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
