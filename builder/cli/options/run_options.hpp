// SPDX-License-Identifier: MIT
//
// What `kiln run` and `kiln accept` have in common: which image, which suite, how it is started.
#pragma once

#include "cli/command.hpp"
#include "recipe/recipe.hpp"
#include "run/session/session.hpp"

#include <array>
#include <string_view>

namespace kiln {

inline constexpr PositionalSpec kInstanceImagePositional{
    .name = "IMAGE",
    .doc = "a recipe's name or file (its results are taken), a qcow2 or raw disk"
           ", an OCI layout directory or a docker archive",
    .completes = Completes::file};

inline constexpr OptionSpec kDockerOption{
    .name = "--docker", .doc = "run the container image, with Docker or Podman"};
inline constexpr OptionSpec kVmOption{.name = "--vm", .doc = "run the disk image, with QEMU"};
inline constexpr OptionSpec kSuiteOption{
    .name = "--suite",
    .value = "FILE",
    .doc = "take this suite and not that of the recipe",
    .completes = Completes::file};
inline constexpr OptionSpec kRunRecipeOption{
    .name = "--recipe",
    .value = "RECIPE",
    .doc = "take the suite of this recipe",
    .completes = Completes::recipe};
inline constexpr OptionSpec kSuiteSetOption{
    .name = "--set",
    .value = "NAME=VALUE",
    .doc = "give a variable of the suite another text",
    .repeatable = true};
inline constexpr OptionSpec kPortOption{
    .name = "--port",
    .value = "NAME=N",
    .doc = "publish this port on port N of 127.0.0.1; otherwise a free one is taken",
    .repeatable = true};
inline constexpr OptionSpec kDataOption{
    .name = "--data",
    .value = "WHERE",
    .doc = "keep the data: a volume's name or a directory for a container, a disk file (made if "
           "missing) for a machine",
    .completes = Completes::file};
inline constexpr auto kFirmwares = std::to_array<std::string_view>({"bios", "uefi"});
inline constexpr OptionSpec kFirmwareOption{
    .name = "--firmware",
    .value = "KIND",
    .doc = "firmware of the machine; bios unless said otherwise",
    .choices = kFirmwares};
inline constexpr OptionSpec kEmulateOption{
    .name = "--emulate", .doc = "do not use KVM, even if it is there"};
inline constexpr OptionSpec kEngineOption{
    .name = "--engine",
    .value = "PROGRAM",
    .doc = "client of the container engine; otherwise docker, or podman if there is no docker"};
inline constexpr OptionSpec kNetworkOption{
    .name = "--network",
    .value = "NAME",
    .doc = "network of the container; with 'host' its ports keep their numbers"};
inline constexpr OptionSpec kKeepOption{
    .name = "--keep", .doc = "remove nothing at the end, and say what is left where"};

/// Finds image and suite, and reads the options that both commands have. Throws UsageError, and
/// Error with exit code 3 when recipe or suite has faults.
[[nodiscard]] SessionRequest session_request(const Arguments& arguments, Context& context);

/// Reads the suite that a recipe names, if it names one, for its faults alone.
void check_suite_of(const Recipe& recipe, Context& context);

/// Reads a suite; faults are reported, all of them, and end in an Error with exit code 3.
[[nodiscard]] Suite load_suite_file(const fs::path& path, const Variables& set, Context& context);

} // namespace kiln
