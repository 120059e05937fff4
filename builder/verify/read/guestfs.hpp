// SPDX-License-Identifier: MIT
//
// The libguestfs appliance: a small virtual machine with a separate kernel that looks at disk
// images. The second opinion on images that kiln wrote, and the first on images that it did not.
// Needs neither root nor KVM. One start costs about 10 s without KVM: start it once per command.
#pragma once

#include "base/console.hpp"
#include "base/handle.hpp"
#include "base/image_format.hpp"
#include "base/io/file.hpp"
#include "base/io/paths.hpp"

#include <guestfs.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

using GuestfsHandle = Handle<guestfs_h, guestfs_close>;

/// A disk image given to the appliance.
struct GuestDrive {
    enum class Access {
        read_only, ///< what the appliance writes (journal replay) goes to a throw-away overlay
        read_write,
    };

    fs::path path;
    ImageFormat format = ImageFormat::raw; ///< never guessed: a raw guest could pose as qcow2
    Access access = Access::read_only;
};

struct ApplianceOptions {
    std::vector<GuestDrive> drives; ///< the first is "/dev/sda", the second "/dev/sdb", ...
    /// Where the appliance is kept between starts; building it takes about 10 s. Made if missing.
    fs::path cache_dir = cache_root() / "appliance";
    int memory_mib = 768;
    /// Adds an empty sparse disk of this size, through which the appliance hands over bulk data:
    /// about six times as quick as libguestfs' own channel. 0: none.
    std::uint64_t scratch_bytes = 0;
};

/// What a host must have before an appliance can start. Throws Error with a hint that names the
/// Debian package when something is missing.
struct ApplianceHost {
    fs::path boot_dir = "/boot"; ///< searched for vmlinuz-*
    fs::path modules_dir = "/lib/modules";
    /// PATH to look for qemu and supermin in, instead of that of every child.
    std::optional<std::string> path = {};
};

void check_appliance_host(const ApplianceHost& host);

/// What runs the appliance's processor.
enum class Acceleration { kvm, emulation };

/// A running appliance; the destructor ends it. Not for use from several threads at a time.
class Appliance {
  public:
    /// Starts it with the given drives, with KVM where that works. Throws Error.
    Appliance(const ApplianceOptions& options, Console& console);
    Appliance(const Appliance&) = delete;
    Appliance& operator=(const Appliance&) = delete;
    ~Appliance() = default;

    [[nodiscard]] guestfs_h* get() const noexcept { return handle_.get(); }

    [[nodiscard]] Console& console() const noexcept { return console_; }

    /// Throws Error "cannot WHAT: REASON OF LIBGUESTFS" when `status` is -1; passes others on.
    template <typename Number> Number check(Number status, std::string_view what) const {
        if (status == -1) {
            fail(what);
        }
        return status;
    }

    /// Takes over a string of libguestfs; throws as check() does when it is null.
    [[nodiscard]] std::string text(char* result, std::string_view what) const;
    /// Takes over a string; empty when it is null (absence is normal).
    [[nodiscard]] static std::string text_or_empty(char* result);
    /// Takes over a null-terminated list of strings; throws when it is null.
    [[nodiscard]] std::vector<std::string> list(char** result, std::string_view what) const;
    /// Runs a shell command inside the appliance, with file systems mounted below /sysroot.
    [[nodiscard]] std::string shell(const std::string& command, std::string_view what) const;

    /// The name of drive `number` (from 0) for the API: "/dev/sda".
    [[nodiscard]] static std::string api_device(std::size_t number);
    /// Its name inside the appliance, for shell(); a partition's number may follow. The kernel's
    /// own names differ from the API's.
    [[nodiscard]] static std::string inner_device(std::size_t number);
    /// The scratch disk's name for shell(), and its file on this host.
    [[nodiscard]] static std::string scratch_device();

    [[nodiscard]] fs::path scratch_file() const { return temp_.path() / "scratch"; }

    /// Ends the appliance and reports failures of a read-write drive. Throws Error.
    void shutdown();

    /// The last error of libguestfs as an Error. Interrupted when interruption was requested.
    [[noreturn]] void fail(std::string_view what) const;

  private:
    /// A new handle, started; false when libguestfs cannot.
    [[nodiscard]] bool launch(const ApplianceOptions& options, Acceleration acceleration);
    void configure(const ApplianceOptions& options, Acceleration acceleration);
    void add_drive(const GuestDrive& drive, const std::string& label);
    void add_scratch(std::uint64_t size);

    Console& console_;
    TempDir temp_;
    GuestfsHandle handle_; // ends before its temporary directory goes
};

} // namespace kiln
