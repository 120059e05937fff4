// SPDX-License-Identifier: MIT
//
// The keys of a suite, as data.
#include "recipe/yaml/patterns.hpp"
#include "run/suite.hpp"

#include <nlohmann/json.hpp>

#include <array>

namespace kiln {

namespace {

constexpr std::int64_t kMiB = std::int64_t{1} << 20U;
constexpr std::int64_t kTiB = std::int64_t{1} << 40U;

/// A name that can end an environment variable.
constexpr Pattern kPortNamePattern{
    "a port's name",
    "^[a-z][a-z0-9_]{0,31}$",
    "lower-case letters, digits and '_', beginning with a letter, at most 32"};
constexpr Pattern kUrlPathPattern{
    "a path of a URL", "^/[^\\x00-\\x20\\x7f]*$", "begins with '/', no spaces"};
constexpr Pattern kSeedNamePattern{
    "a file name",
    "^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$",
    "letters, digits, '.', '_' and '-', at most 64"};

constexpr Shape kVariables = map_of(kVariableNamePattern, &kTextOrEmpty);
constexpr Shape kPortNumber = integer_between(1, 65535);
constexpr Shape kPortMap = map_of(kPortNamePattern, &kPortNumber);
constexpr Shape kPortName = text_like(kPortNamePattern);
constexpr Shape kUrlPath = text_like(kUrlPathPattern);
constexpr Shape kStatus = integer_between(100, 599);
constexpr Shape kStatuses = list_of(&kStatus, false);
constexpr Shape kTime{.kind = ShapeKind::duration, .minimum = 1, .maximum = 24 * 3600 * 1000};

constexpr auto kReadyFields = std::to_array<Field>({
    {"port", &kPortName, Need::optional, "name of a port that must accept connections"},
    {"tls", &kBoolean, Need::optional, "connect with TLS", "false"},
    {"path", &kUrlPath, Need::optional, "path to request by HTTP"},
    {"status", &kStatuses, Need::optional, "accepted HTTP status codes", "[200]"},
    {"console",
     &kLine,
     Need::optional,
     "text that must appear on the serial console of a VM; ignored for containers"},
    {"run", &kText, Need::optional, "script that must succeed; retried until the time limit"},
    {"within", &kTime, Need::optional, "time limit", "5m"},
});
constexpr Shape kReady = object_of(kReadyFields, "ready");

constexpr Shape kEnvironment = map_of(kEnvironmentNamePattern, &kTextOrEmpty);
constexpr Shape kMemory{.kind = ShapeKind::size, .minimum = 16 * kMiB, .maximum = kTiB};
constexpr auto kContainerFields = std::to_array<Field>({
    {"environment", &kEnvironment, Need::optional, "environment variables"},
    {"volume", &kAbsolutePath, Need::optional, "data directory: a volume is mounted there"},
    {"memory", &kMemory, Need::optional, "memory limit", {}, "none"},
    {"command", &kTextList, Need::optional, "arguments to use instead of the image's own"},
    {"options",
     &kTextList,
     Need::optional,
     "further options of `docker run`, such as `--read-only`"},
    {"stop", &kTime, Need::optional, "time limit for a clean stop", "30s"},
});
constexpr Shape kContainer = object_of(kContainerFields, "container");

constexpr Shape kCpus = integer_between(1, 64);
constexpr auto kShells = std::to_array<std::string_view>({"ssh", "serial", "none"});
constexpr Shape kShell = choice_of(kShells);
constexpr Shape kDiskSize{.kind = ShapeKind::size, .minimum = kMiB, .maximum = 16 * kTiB};
constexpr Shape kSeedFiles = map_of(kSeedNamePattern, &kTextOrEmpty);
constexpr auto kMachineFields = std::to_array<Field>({
    {"memory", &kMemory, Need::optional, "memory size", "1GiB"},
    {"cpus", &kCpus, Need::optional, "number of CPUs", "2"},
    {"inside", &kShell, Need::optional, "how programs are run inside the VM, see below", "ssh"},
    {"root_disk",
     &kDiskSize,
     Need::optional,
     "size of the root disk, if larger than the image",
     {},
     "the image's own"},
    {"data_disk", &kDiskSize, Need::optional, "size of a blank second disk", {}, "none"},
    {"seed", &kSeedFiles, Need::optional, "further files on the seed drive: text by name"},
    {"outgoing",
     &kBoolean,
     Need::optional,
     "allow outgoing connections; otherwise only the published ports work",
     "false"},
    {"stop",
     &kTime,
     Need::optional,
     "time limit for a clean shutdown after an ACPI power-off request",
     "2m"},
});
constexpr Shape kMachine = object_of(kMachineFields, "vm");

constexpr Shape kNames = list_of(&kName, false);
constexpr auto kSetupFields = std::to_array<Field>({
    {"setup", &kName, Need::required, "unique name of the setup"},
    {"after", &kNames, Need::optional, "earlier setups that must have passed"},
    {"timeout", &kTime, Need::optional, "time limit", "60s"},
    {"run", &kText, Need::required, "script"},
});
constexpr Shape kSetup = object_of(kSetupFields, "setup");
constexpr Shape kSetups = list_of(&kSetup);

constexpr auto kKinds = std::to_array<std::string_view>({"vm", "container"});
constexpr Shape kKind = choice_of(kKinds);
constexpr Shape kKindList = list_of(&kKind, false);
constexpr auto kCheckFields = std::to_array<Field>({
    {"check", &kName, Need::required, "unique id of the check"},
    {"title", &kLine, Need::required, "one-line description of what is checked"},
    {"only",
     &kKindList,
     Need::optional,
     "kinds of instance that the check applies to",
     "[vm, container]"},
    {"source",
     &kNames,
     Need::optional,
     "required output of the suite's `source` script",
     {},
     "anything"},
    {"after", &kNames, Need::optional, "setups that must have passed"},
    {"timeout", &kTime, Need::optional, "time limit", "60s"},
    {"run", &kText, Need::required, "script"},
});
constexpr Shape kCheck = object_of(kCheckFields, "check");
constexpr Shape kChecks = list_of(&kCheck);

constexpr auto kSuiteFields = std::to_array<Field>({
    {"kiln", &kFormatVersion, Need::required, "version of this format: 1"},
    {"suite", &kName, Need::required, "name of the suite"},
    {"summary", &kLine, Need::optional, "one-line description"},
    {"variables", &kVariables, Need::optional, "values for scripts and for `${name}`"},
    {"ports", &kPortMap, Need::optional, "TCP ports of the image to publish, by name"},
    {"ready", &kReady, Need::optional, "when an instance is ready"},
    {"container", &kContainer, Need::optional, "how a container is run"},
    {"vm", &kMachine, Need::optional, "how a VM is run"},
    {"source",
     &kText,
     Need::optional,
     "script whose last word of output names the source that the image is made from"},
    {"login", &kText, Need::optional, "script that prints how to log in, for `kiln run`"},
    {"setup", &kSetups, Need::optional, "setups shared by several checks"},
    {"checks", &kChecks, Need::optional, "checks"},
});
constexpr Shape kSuiteFile = object_of(kSuiteFields, "suite");

} // namespace

const Shape& suite_shape() {
    return kSuiteFile;
}

nlohmann::ordered_json suite_schema() {
    return schema_of(kSuiteFile, "kiln suite");
}

} // namespace kiln
