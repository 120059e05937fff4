// SPDX-License-Identifier: MIT
//
// What a stage may see while it works on a tree. A stage knows nothing of images, of other stages
// or of where the tree is stored.
#pragma once

#include "base/console.hpp"
#include "base/file.hpp"
#include "base/process.hpp"

#include <cstdint>
#include <map>
#include <string>

namespace kiln {

/// A user or group whose number the recipe fixes, so that it does not depend on the order in which
/// packages ask for one.
struct FixedUser {
    std::uint32_t uid = 0;
    std::string group; ///< primary group; must be among the fixed or base groups
    std::string home = "/nonexistent";
    std::string shell = "/usr/sbin/nologin";
    std::string gecos;
};

struct FixedIds {
    std::map<std::string, FixedUser> users;
    std::map<std::string, std::uint32_t> groups;
};

/// The same for every stage of a bake; part of every stage's key.
struct BakeSettings {
    std::int64_t epoch = 0; ///< source date epoch, seconds
    std::string architecture = "amd64";
    FixedIds ids;
};

/// Paths (relative to the tree) whose modification time comes from an input, such as a package's
/// archive, and is kept if the file still has it. Everything else gets the source date epoch.
using KeptTimes = std::map<std::string, std::int64_t, std::less<>>;

struct StageContext {
    fs::path root; ///< the tree, mounted; writable
    const BakeSettings& settings;
    ProcessRunner& sandbox; ///< runs commands inside the tree
    Console& console;
    Job& job;
    KeptTimes& kept_times;
    unsigned jobs = 1;
};

} // namespace kiln
