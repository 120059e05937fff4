// SPDX-License-Identifier: MIT
//
// A running copy of an image, whatever runs it. Containers and machines are distinguished here and
// nowhere above.
#pragma once

#include "base/io/file.hpp"
#include "base/process/process.hpp"
#include "run/suite.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace kiln {

/// Waiting times are so many times as long where a processor is emulated (docs/accept.md).
inline constexpr int kEmulationSlowness = 4;
inline constexpr std::uint16_t kSshPort = 22;

/// A port of the image and where it is reached on 127.0.0.1.
struct PublishedPort {
    std::string name;
    std::uint16_t port = 0; ///< of the image
    std::uint16_t host = 0;
    bool operator==(const PublishedPort&) const = default;
};

class Instance {
  public:
    Instance() = default;
    Instance(const Instance&) = delete;
    Instance& operator=(const Instance&) = delete;
    virtual ~Instance() = default;

    [[nodiscard]] virtual InstanceKind kind() const = 0;

    /// No virtualisation by the processor: everything takes several times as long.
    [[nodiscard]] virtual bool is_emulated() const { return false; }

    /// For the first time, or again after it has ended, with its root and its data.
    virtual void start() = 0;
    /// Asks it to end and waits. Throws Error when it does not within the suite's time.
    virtual void stop() = 0;
    /// Ends it as a power cut would.
    virtual void kill() = 0;
    /// A fresh root from `image` (or from the present one, when empty), with the same data. Ends
    /// the instance first if need be, and starts it.
    virtual void renew(const fs::path& image) = 0;
    [[nodiscard]] virtual bool is_running() = 0;

    /// Tries to connect a shell, if that takes more than a running instance. True once `inside`
    /// works.
    virtual bool open_inside() { return true; }

    /// Why the last try of open_inside() failed, as far as that is known.
    [[nodiscard]] virtual std::string inside_trouble() const { return {}; }

    /// Ends it and removes all that would stay behind, unless that is to be kept. Idempotent.
    virtual void remove() = 0;

    /// What the container's programs or the serial console have said.
    [[nodiscard]] virtual std::string log() = 0;

    /// The part of it that belongs to the last start().
    [[nodiscard]] virtual std::string log_since_start() { return log(); }

    /// How messages call it: "log of the container", "serial console".
    [[nodiscard]] virtual std::string log_name() const = 0;
    /// Shell text that runs `"$@"` inside as root and ends with its status.
    [[nodiscard]] virtual std::string inside_script() const = 0;
    /// Runs a shell text inside, for instances whose inside_script() is empty: nothing but kiln
    /// reaches their inside. Safe to call while another thread is in another method.
    virtual ProcessResult
    run_inside(const std::string& text, const std::string& input, std::chrono::seconds limit);
    /// Lines for people: what is left with --keep or --detach, and how to get rid of it.
    [[nodiscard]] virtual std::vector<std::string> cleanup_hints() const = 0;
};

} // namespace kiln
