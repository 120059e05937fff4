// SPDX-License-Identifier: MIT
//
// The table of all commands.
#pragma once

#include "cli/command.hpp"

namespace kiln {

extern const CommandSpec kAcceptCommand;
extern const CommandSpec kArtifactBuildCommand;
extern const CommandSpec kArtifactListCommand;
extern const CommandSpec kArtifactLockCommand;
extern const CommandSpec kArtifactPullCommand;
extern const CommandSpec kArtifactPushCommand;
extern const CommandSpec kBakeCommand;
extern const CommandSpec kCacheListCommand;
extern const CommandSpec kCachePruneCommand;
extern const CommandSpec kCheckCommand;
extern const CommandSpec kCompletionCommand;
extern const CommandSpec kDropletCreateCommand;
extern const CommandSpec kDropletDestroyCommand;
extern const CommandSpec kDropletListCommand;
extern const CommandSpec kDropletShowCommand;
extern const CommandSpec kHelpCommand;
extern const CommandSpec kLockCommand;
extern const CommandSpec kImageDeleteCommand;
extern const CommandSpec kImageListCommand;
extern const CommandSpec kImagePruneCommand;
extern const CommandSpec kInitCommand;
extern const CommandSpec kInspectCommand;
extern const CommandSpec kLintCommand;
extern const CommandSpec kManCommand;
extern const CommandSpec kPublishCleanupCommand;
extern const CommandSpec kPublishDigitalOceanCommand;
extern const CommandSpec kPublishListCommand;
extern const CommandSpec kPublishRegistryCommand;
extern const CommandSpec kPublishResumeCommand;
extern const CommandSpec kPullCommand;
extern const CommandSpec kRunCommand;
extern const CommandSpec kSchemaCommand;
extern const CommandSpec kVersionCommand;

/// In the order in which help lists them.
[[nodiscard]] std::span<const CommandSpec* const> all_commands();

/// The command of that full name, or null.
[[nodiscard]] const CommandSpec* find_command(std::string_view name);

/// The first words of all commands that are not hidden, each once.
[[nodiscard]] std::vector<std::string_view> command_words();
/// The second words of a group's commands; empty when `word` is not a group.
[[nodiscard]] std::vector<std::string_view> words_of_group(std::string_view word);

} // namespace kiln
