// SPDX-License-Identifier: MIT
//
// The machine that first-run works on. Every effect goes through this class, is numbered, and can
// be traced (FIRST_RUN_TRACE=1) or be the last one before a SIGKILL (FIRST_RUN_KILL_AT=N): that is
// how the tests interrupt a run at every place. Paths are those of the running system; tests put a
// directory before them.
#pragma once

#include "firstrun/host/launcher.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kiln::firstrun {

namespace fs = std::filesystem;

/// Counts the effects; ends the process before a chosen one.
class Operations {
  public:
    Operations() = default;
    explicit Operations(const Environment& env);

    /// Called before each effect.
    void next(std::string_view what);

    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }

  private:
    std::uint64_t count_ = 0;
    std::uint64_t kill_at_ = 0;
    bool trace_ = false;
};

struct Owner {
    uid_t uid = 0;
    gid_t gid = 0;

    bool operator==(const Owner&) const = default;
};

[[nodiscard]] inline Owner owner_of(const Account& account) {
    return {account.uid, account.gid};
}

struct FileInfo {
    enum class Type { file, directory, link, block_device, other };
    Type type = Type::other;
    Owner owner;
    unsigned mode = 0; ///< permission bits
    std::uint64_t size = 0;
    std::int64_t mtime = 0;
};

struct MountRequest {
    std::string source;
    fs::path target;
    std::string type;
    unsigned long flags = 0;
};

class Host {
  public:
    Host(fs::path root, Launcher& launcher, Operations operations)
        : root_(std::move(root)), launcher_(launcher), operations_(operations) {}

    // Looking. Nothing here changes the machine.

    [[nodiscard]] std::optional<FileInfo> look(const fs::path& path) const; ///< lstat

    [[nodiscard]] bool exists(const fs::path& path) const { return look(path).has_value(); }

    /// The text of a regular file; nothing when there is none. Other failures throw.
    [[nodiscard]] std::optional<std::string> read(const fs::path& path) const;
    /// Names in a directory, sorted; empty when there is none.
    [[nodiscard]] std::vector<std::string> list(const fs::path& path) const;
    [[nodiscard]] std::string link_target(const fs::path& path) const; ///< "" when it is not a link
    [[nodiscard]] bool is_mount_point(const fs::path& path) const;
    [[nodiscard]] bool is_writable(const fs::path& path) const; ///< the file system allows it
    [[nodiscard]] std::uint64_t free_bytes(const fs::path& path) const;
    /// A program that only reports.
    ProcessResult query(const Command& command, const Account* user = nullptr);
    [[nodiscard]] bool has_program(std::string_view name) const;
    /// The place of `path` below the root directory that tests use.
    [[nodiscard]] fs::path real(const fs::path& path) const;

    // Effects.

    /// Makes the directory (not its parents) or gives it this owner and mode.
    void make_directory(const fs::path& path, Owner owner, unsigned mode);
    /// Of a regular file with no other name; anything else is left alone. Follows no link.
    void change_owner(const fs::path& path, Owner owner);
    /// Written to a neighbour, synced, renamed. Follows no link.
    void write_file(const fs::path& path, std::string_view text, Owner owner, unsigned mode);
    void append_line(const fs::path& path, std::string_view line, unsigned mode);
    /// A symbolic link, replacing what is there at once.
    void link(const std::string& target, const fs::path& path);
    /// What is behind the name, and was perhaps written by another program, is on the disk
    /// before.
    void rename(const fs::path& from, const fs::path& to);
    /// Swaps two names at once; both must be on one file system. As durable as rename().
    void exchange(const fs::path& one, const fs::path& other);
    void remove(const fs::path& path); ///< a file or link, or nothing
    void remove_tree(const fs::path& path);
    /// Throws ProcessError ("what failed ...") unless it ends well. Returns its output.
    std::string run(std::string_view what, const Command& command, const Account* user = nullptr);
    ProcessResult
    try_run(std::string_view what, const Command& command, const Account* user = nullptr);
    std::unique_ptr<Server>
    start(std::string_view what, const Command& command, const Account* user, const fs::path& log);
    /// Throws SystemError with the error number of mount(2).
    void mount(const MountRequest& request);
    void unmount(const fs::path& target) noexcept;
    void set_host_name(const std::string& name);

    /// An effect that none of the above is.
    void note(std::string_view what) { operations_.next(what); }

    [[nodiscard]] std::uint64_t operation_count() const noexcept { return operations_.count(); }

  private:
    fs::path root_;
    Launcher& launcher_;
    Operations operations_;
};

} // namespace kiln::firstrun
