// SPDX-License-Identifier: MIT
//
// The command line of `kiln droplet create` as what it asks for.
#pragma once

#include "cli/commands/droplet/droplet_account.hpp"
#include "publish/droplet/create_droplet.hpp"
#include "publish/droplet/create_plan.hpp"

#include <array>

namespace kiln {

inline constexpr PositionalSpec kDropletNamePositional{
    .name = "NAME", .doc = "of the droplet, and of its host: www.example.org"};

namespace droplet_option {

inline constexpr OptionSpec kImage{
    .name = "--image",
    .value = "IMAGE",
    .doc = "id of an image, or the name under which kiln published it (the newest)"};
inline constexpr OptionSpec kRegion{
    .name = "--region", .value = "REGION", .doc = "where the droplet is to be, such as nyc3"};
inline constexpr OptionSpec kSize{
    .name = "--size", .value = "SIZE", .doc = "of the droplet, such as s-1vcpu-2gb"};
inline constexpr OptionSpec kSshKey{
    .name = "--ssh-key",
    .value = "KEY",
    .doc = "name, id or fingerprint of an SSH key of the account",
    .repeatable = true};
inline constexpr OptionSpec kTag{
    .name = "--tag", .value = "TAG", .doc = "a further tag of the droplet", .repeatable = true};
inline constexpr OptionSpec kProject{
    .name = "--project", .value = "PROJECT", .doc = "id or name of the project it goes into"};
inline constexpr OptionSpec kDomain{
    .name = "--domain",
    .value = "HOST",
    .doc = "full host name in a domain of the account, to be pointed to the droplet",
    .repeatable = true};
inline constexpr OptionSpec kVolume{
    .name = "--volume",
    .value = "NAME[:GB]",
    .doc = "volume to attach; created with that size if there is none of that name",
    .repeatable = true};
inline constexpr OptionSpec kPrivate{
    .name = "--private",
    .doc = "no public address, now or ever; nothing is waited for but the API"};
inline constexpr OptionSpec kAnswers{
    .name = "--answers",
    .value = "FILE",
    .doc = "first-run's answers in YAML ('-': standard input)",
    .completes = Completes::file};
inline constexpr OptionSpec kAnswer{
    .name = "--answer",
    .value = "KEY=FILE",
    .doc = "one of first-run's answers from a file of its own ('-': standard input)",
    .repeatable = true};
inline constexpr OptionSpec kUserData{
    .name = "--user-data",
    .value = "FILE",
    .doc = "user-data of your own instead of answers ('-': standard input)",
    .completes = Completes::file};
inline constexpr OptionSpec kNoWait{
    .name = "--no-wait", .doc = "end when the droplet is requested; the same command finishes it"};
inline constexpr OptionSpec kTimeout{
    .name = "--timeout",
    .value = "TIME",
    .doc = "how long to wait altogether: 30m, 2h (default: 2h)"};
inline constexpr OptionSpec kWaitFor{
    .name = "--wait-for",
    .value = "URL",
    .doc =
        "wait for a status 200 of that URL or path (default: /status with answers, else nothing)"};
inline constexpr OptionSpec kSshPort{
    .name = "--ssh-port", .value = "PORT", .doc = "of the droplet's ssh server (default: 22)"};

} // namespace droplet_option

inline constexpr std::array kCreateOptions{
    droplet_option::kImage,
    droplet_option::kRegion,
    droplet_option::kSize,
    droplet_option::kSshKey,
    droplet_option::kTag,
    droplet_option::kProject,
    droplet_option::kDomain,
    droplet_option::kVolume,
    droplet_option::kPrivate,
    droplet_option::kAnswers,
    droplet_option::kAnswer,
    droplet_option::kUserData,
    droplet_option::kNoWait,
    droplet_option::kTimeout,
    droplet_option::kWaitFor,
    droplet_option::kSshPort,
    kDropletDryRunOption,
    kApiUrlOption};

/// Reads files and standard input; asks nobody. Throws UsageError, and Error (exit code 3) for
/// answers that first-run would refuse.
[[nodiscard]] DropletWish droplet_wish(const Arguments& arguments, Context& context);

/// Throws UsageError.
[[nodiscard]] CreateOptions create_options(const Arguments& arguments);

} // namespace kiln
