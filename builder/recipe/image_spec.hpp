// SPDX-License-Identifier: MIT
//
// Image definitions (images/*.yaml): the form in which a baked tree is shipped.
#pragma once

#include "base/image_format.hpp"
#include "recipe/yaml/shape.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace kiln {

struct DiskImageSpec {
    std::vector<ImageFormat> formats; ///< of disks
    std::uint64_t free_bytes = 0;     ///< left free in the root file system
    std::uint64_t esp_bytes = 0;      ///< of the EFI system partition
    std::string label;                ///< of the root file system
    bool compress = true;             ///< clusters of the qcow2
};

/// Milliseconds throughout; nothing when the engine's default holds.
struct HealthcheckSpec {
    std::vector<std::string> test;
    std::optional<std::int64_t> interval_ms;
    std::optional<std::int64_t> timeout_ms;
    std::optional<std::int64_t> start_period_ms;
    std::optional<std::int64_t> retries;
};

/// What a container engine does with the image unless told otherwise (OCI image-spec config.md).
struct OciConfigSpec {
    std::vector<std::string> entrypoint;
    std::vector<std::string> cmd;
    std::map<std::string, std::string> env;
    std::vector<std::string> ports; ///< "8080" or "8080/tcp"
    std::vector<std::string> volumes;
    std::string workdir;
    std::string user;
    std::map<std::string, std::string> labels;
    std::string stop_signal;
    std::optional<HealthcheckSpec> healthcheck;

    /// Takes over what `config` (of shape oci_config_shape()) gives: `env` and `labels` by key,
    /// all else whole.
    void apply(const Value& config);
};

struct OciImageSpec {
    std::vector<ImageFormat> formats; ///< of containers
    std::string compression;          ///< "gzip", "zstd" or "none"
    OciConfigSpec config;
};

struct ImageSpec {
    std::string name;
    std::variant<DiskImageSpec, OciImageSpec> form;
    SourcePos pos;
    fs::path file; ///< the definition
};

[[nodiscard]] const Shape& oci_config_shape();
[[nodiscard]] const Shape& disk_image_shape();
[[nodiscard]] const Shape& oci_image_shape();

/// Reads a definition from its tree. Nothing when a fault was reported.
[[nodiscard]] std::optional<ImageSpec>
read_image(const YamlNode& tree, const fs::path& file, Diagnostics& diags);

/// JSON Schema of image definition files.
[[nodiscard]] nlohmann::ordered_json image_schema();

} // namespace kiln
