// SPDX-License-Identifier: MIT
//
// Suites (recipes/accept/*.yaml): how an image runs and what must hold when it does, as typed
// values. Reading only; docs/accept.md describes the format, whose shape has the defaults.
#pragma once

#include "recipe/variables.hpp"
#include "recipe/yaml/shape.hpp"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

using Milliseconds = std::chrono::milliseconds;

enum class InstanceKind { container, vm };

[[nodiscard]] std::string_view kind_name(InstanceKind kind);

/// A port of the image by its name in the suite.
struct SuitePort {
    std::string name;
    std::uint16_t port = 0;
};

/// When an instance counts as ready: all that is given must hold.
struct ReadySpec {
    std::string port; ///< name of a port; empty: none is asked
    bool tls = false;
    std::string path; ///< empty: a connection is enough
    std::vector<int> statuses;
    std::string console; ///< what the serial console must have printed; machines only
    std::string run;     ///< a script that must succeed
    Milliseconds within{};
};

struct ContainerSpec {
    std::map<std::string, std::string> environment;
    std::string volume;             ///< absolute path of the data; empty: none
    std::uint64_t memory_bytes = 0; ///< 0: no limit
    std::vector<std::string> command;
    std::vector<std::string> options; ///< further ones of `docker run`
    Milliseconds stop{};
};

/// How programs are run inside a machine.
enum class MachineShell { ssh, serial, none };

struct MachineSpec {
    std::uint64_t memory_bytes = 0;
    unsigned cpus = 0;
    MachineShell inside = MachineShell::ssh;
    std::uint64_t root_bytes = 0;            ///< size of the root disk; 0: the image's
    std::uint64_t data_bytes = 0;            ///< size of a blank data disk; 0: none
    std::map<std::string, std::string> seed; ///< text by file name
    bool outgoing = false;                   ///< the guest may open connections to the outside
    Milliseconds stop{};
};

/// A script that others may come after.
struct SetupSpec {
    std::string name;
    std::vector<std::string> after;
    Milliseconds timeout{};
    std::string run;
};

struct CheckSpec {
    std::string id;
    std::string title;
    std::optional<InstanceKind> only;
    std::vector<std::string> sources; ///< empty: any
    std::vector<std::string> after;   ///< names of setups
    Milliseconds timeout{};
    std::string run;
};

struct Suite {
    std::string name;
    std::string summary;
    Variables variables;
    std::vector<SuitePort> ports;
    ReadySpec ready;
    ContainerSpec container;
    MachineSpec machine;
    std::string source; ///< script; empty: the image has no source word
    std::string login;  ///< script; empty: nothing is known
    std::vector<SetupSpec> setups;
    std::vector<CheckSpec> checks;

    [[nodiscard]] const SuitePort* find_port(std::string_view port_name) const;
    [[nodiscard]] const SetupSpec* find_setup(std::string_view setup_name) const;
};

/// What holds of an image without a suite: the defaults of all keys.
[[nodiscard]] Suite default_suite();

/// Stands in `machine.seed` where the suite wrote ${ssh_key}; the key is made when a machine is.
inline constexpr std::string_view kSshKeyMark = "\x01ssh_key\x01";

/// Reads the suite at `path` and checks all of it. `set` overrides variables. Faults go to
/// `diags`; nothing is returned when there is any. Throws SystemError when the file cannot be read
/// and UsageError when `set` names a variable that the suite does not have.
[[nodiscard]] std::optional<Suite>
load_suite(const fs::path& path, const Variables& set, Diagnostics& diags);

[[nodiscard]] const Shape& suite_shape();
[[nodiscard]] nlohmann::ordered_json suite_schema();

} // namespace kiln
