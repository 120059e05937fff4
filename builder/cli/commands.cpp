// SPDX-License-Identifier: MIT
#include "cli/commands.hpp"

#include <algorithm>
#include <array>

namespace kiln {

std::span<const CommandSpec* const> all_commands() {
    static constexpr auto kCommands = std::to_array<const CommandSpec*>({
        &kInitCommand,
        &kCheckCommand,
        &kLockCommand,
        &kBakeCommand,
        &kArtifactLockCommand,
        &kArtifactBuildCommand,
        &kArtifactListCommand,
        &kArtifactPushCommand,
        &kArtifactPullCommand,
        &kCacheListCommand,
        &kCachePruneCommand,
        &kInspectCommand,
        &kLintCommand,
        &kRunCommand,
        &kAcceptCommand,
        &kPublishRegistryCommand,
        &kPublishDigitalOceanCommand,
        &kPublishResumeCommand,
        &kPublishCleanupCommand,
        &kPublishListCommand,
        &kImageListCommand,
        &kImageDeleteCommand,
        &kImagePruneCommand,
        &kDropletCreateCommand,
        &kDropletListCommand,
        &kDropletShowCommand,
        &kDropletDestroyCommand,
        &kPullCommand,
        &kSchemaCommand,
        &kCompletionCommand,
        &kHelpCommand,
        &kVersionCommand,
        &kManCommand,
    });
    return kCommands;
}

const CommandSpec* find_command(std::string_view name) {
    for (const CommandSpec* command : all_commands()) {
        if (command->name == name) {
            return command;
        }
    }
    return nullptr;
}

std::vector<std::string_view> command_words() {
    std::vector<std::string_view> out;
    for (const CommandSpec* command : all_commands()) {
        const std::string_view word = command->name.substr(0, command->name.find(' '));
        if (!command->hidden && std::find(out.begin(), out.end(), word) == out.end()) {
            out.push_back(word);
        }
    }
    return out;
}

std::vector<std::string_view> words_of_group(std::string_view word) {
    std::vector<std::string_view> out;
    for (const CommandSpec* command : all_commands()) {
        if (command->name.size() > word.size() && command->name.starts_with(word) &&
            command->name[word.size()] == ' ') {
            out.push_back(command->name.substr(word.size() + 1));
        }
    }
    return out;
}

} // namespace kiln
