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
    .doc = "name or file of a recipe (uses its baked images), a qcow2 or raw disk, an OCI layout "
           "directory or a docker archive",
    .completes = Completes::file};

inline constexpr OptionSpec kDockerOption{
    .name = "--docker", .doc = "run the container image, with Docker or Podman"};
inline constexpr OptionSpec kVmOption{.name = "--vm", .doc = "run the disk image, with QEMU"};
inline constexpr OptionSpec kSuiteOption{
    .name = "--suite",
    .value = "FILE",
    .doc = "use this suite instead of the recipe's",
    .completes = Completes::file};
inline constexpr OptionSpec kRunRecipeOption{
    .name = "--recipe",
    .value = "RECIPE",
    .doc = "use the suite of this recipe",
    .completes = Completes::recipe};
inline constexpr OptionSpec kSuiteSetOption{
    .name = "--set",
    .value = "NAME=VALUE",
    .doc = "set a variable of the suite",
    .repeatable = true};
inline constexpr OptionSpec kPortOption{
    .name = "--port",
    .value = "NAME=N",
    .doc = "publish this port on port N of 127.0.0.1 (default: a free port)",
    .repeatable = true};
inline constexpr OptionSpec kDataOption{
    .name = "--data",
    .value = "WHERE",
    .doc = "keep data: name of a volume or a directory for a container, disk file (created if "
           "missing) for a VM",
    .completes = Completes::file};
inline constexpr auto kFirmwares = std::to_array<std::string_view>({"bios", "uefi"});
inline constexpr OptionSpec kFirmwareOption{
    .name = "--firmware",
    .value = "KIND",
    .doc = "firmware of the VM (default: bios)",
    .choices = kFirmwares};
inline constexpr OptionSpec kEmulateOption{
    .name = "--emulate", .doc = "do not use KVM, even if available"};
inline constexpr OptionSpec kEngineOption{
    .name = "--engine",
    .value = "PROGRAM",
    .doc =
        "client of the container engine (default: docker, or podman if docker is not installed)"};
inline constexpr OptionSpec kNetworkOption{
    .name = "--network",
    .value = "NAME",
    .doc = "network of the container; with 'host', ports are not remapped"};
inline constexpr OptionSpec kKeepOption{
    .name = "--keep", .doc = "do not remove anything at the end, and print what is left where"};

/// Finds image and suite, and reads the options that both commands have. Throws UsageError, and
/// Error with exit code 3 when recipe or suite has faults.
[[nodiscard]] SessionRequest session_request(const Arguments& arguments, Context& context);

/// Reads the suite that a recipe names, if it names one, for its faults alone.
void check_suite_of(const Recipe& recipe, Context& context);

/// Reads a suite; faults are reported, all of them, and end in an Error with exit code 3.
[[nodiscard]] Suite load_suite_file(const fs::path& path, const Variables& set, Context& context);

} // namespace kiln
