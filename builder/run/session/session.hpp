// SPDX-License-Identifier: MIT
//
// One instance from its start to its end, with the scripts of its suite: what `kiln run` and `kiln
// accept` have in common.
#pragma once

#include "base/console.hpp"
#include "base/http/http.hpp"
#include "base/image_format.hpp"
#include "run/container.hpp"
#include "run/machine/machine.hpp"
#include "run/ports.hpp"
#include "run/scripts.hpp"
#include "run/session/ready.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace kiln {

struct SessionRequest {
    InstanceKind kind = InstanceKind::container;
    fs::path image;
    ImageFormat format = ImageFormat::raw;
    std::optional<Suite> suite;
    PortChoices ports;
    std::string data; ///< a volume's name, a directory or a disk; empty: nothing is kept
    Firmware firmware = Firmware::bios;
    std::string engine;  ///< client program; empty: the one that is installed
    std::string network; ///< of a container; empty: the engine's default
    bool emulate = false;
    bool keep = false;   ///< what was made stays
    bool detach = false; ///< so does the running container
    Environment env;     ///< of the caller
};

class Session {
  public:
    Session(SessionRequest request, Console& console, ProcessRunner& runner);
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session();

    /// Starts the instance and waits until it is ready. Throws Error.
    void open();
    /// Ends it and removes what must not stay. Interruption does not stop this. Throws Error.
    void close();

    [[nodiscard]] const Suite& suite() const noexcept { return suite_; }

    [[nodiscard]] const std::vector<PublishedPort>& ports() const noexcept { return ports_; }

    [[nodiscard]] Instance& instance() noexcept { return *instance_; }

    /// By which times of the suite are multiplied.
    [[nodiscard]] int slowness() const;
    [[nodiscard]] ScriptResult
    run_script(const std::string& name, const std::string& text, Milliseconds timeout);
    /// What the suite's `source` says of the image; throws Error when the script fails.
    [[nodiscard]] std::string find_source();
    /// What the suite's `login` prints; a warning when it fails.
    [[nodiscard]] std::vector<std::string> login_lines();

    /// How to get in, where the suite does not say; may be empty.
    [[nodiscard]] const std::string& shell_command() const noexcept { return shell_command_; }

    [[nodiscard]] const std::string& name() const noexcept { return name_; }

    /// Where logs and disks are with `keep`.
    [[nodiscard]] const fs::path& folder() const noexcept { return folder_.path(); }

  private:
    void make_container();
    void make_machine();
    void make_scripts();
    void wait_ready();
    ControlReply handle(std::string_view verb, const std::string& rest);

    SessionRequest request_;
    Console& console_;
    ProcessRunner& runner_;
    CurlHttpClient http_;
    Suite suite_;
    TempDir folder_;
    std::string name_;
    std::string shell_command_;
    std::vector<PublishedPort> ports_;
    std::unique_ptr<Instance> instance_;
    std::unique_ptr<Scripts> scripts_;
};

/// The recorded tree beside an image of that kind, or an empty path.
[[nodiscard]] fs::path find_manifest(const fs::path& image, InstanceKind kind);

} // namespace kiln
