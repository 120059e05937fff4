// SPDX-License-Identifier: MIT
//
// The words of the OCI image specification 1.1 as values, and their JSON in the one canonical form
// that kiln writes. No input or output.
#pragma once

#include "base/io/digest.hpp"
#include "base/json_object.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

namespace media_type {
inline constexpr std::string_view kIndex = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view kManifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view kConfig = "application/vnd.oci.image.config.v1+json";
/// Docker's forms of the same, which registries still hold.
inline constexpr std::string_view kDockerManifest =
    "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view kDockerList =
    "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr std::string_view kDockerConfig = "application/vnd.docker.container.image.v1+json";
/// Of artifacts without a config: the text "{}".
inline constexpr std::string_view kEmpty = "application/vnd.oci.empty.v1+json";
inline constexpr std::string_view kLayer = "application/vnd.oci.image.layer.v1.tar";
inline constexpr std::string_view kLayerGzip = "application/vnd.oci.image.layer.v1.tar+gzip";
inline constexpr std::string_view kLayerZstd = "application/vnd.oci.image.layer.v1.tar+zstd";
} // namespace media_type

namespace annotation {
inline constexpr std::string_view kRefName = "org.opencontainers.image.ref.name";
/// The name that podman and containerd give the image; Docker takes RepoTags.
inline constexpr std::string_view kImageName = "io.containerd.image.name";
} // namespace annotation

enum class LayerCompression { none, gzip, zstd };

[[nodiscard]] std::string_view layer_media_type(LayerCompression compression);

struct OciDescriptor {
    std::string media_type;
    Digest digest;
    std::uint64_t size = 0; ///< bytes of the blob
    std::map<std::string, std::string> annotations = {};
};

/// Docker's extension of the config; podman ignores it. Times are nanoseconds, 0 for the default.
struct OciHealthcheck {
    std::vector<std::string> test; ///< {"CMD", program, ...}
    std::int64_t interval_ns = 0;
    std::int64_t timeout_ns = 0;
    std::int64_t start_period_ns = 0;
    std::int64_t retries = 0;
};

/// How a container of the image runs: the "config" object. What is empty is left out.
struct OciImageConfig {
    std::string user;
    std::set<std::string> exposed_ports; ///< "80/tcp"
    std::vector<std::string> env;        ///< "NAME=value"
    std::vector<std::string> entrypoint;
    std::vector<std::string> cmd;
    std::set<std::string> volumes;
    std::string working_dir;
    std::map<std::string, std::string> labels;
    std::string stop_signal;
    std::optional<OciHealthcheck> healthcheck;
};

/// The text of every JSON file that kiln puts into an image.
/// REPRO: key order as inserted, no blanks, UTF-8 as it is. Throws Error when it is no UTF-8.
[[nodiscard]] std::string canonical_json(const nlohmann::ordered_json& value);

[[nodiscard]] nlohmann::ordered_json to_json_value(const OciDescriptor& descriptor);
[[nodiscard]] nlohmann::ordered_json to_json_value(const OciImageConfig& config);
/// Both throw Error when a field is missing or of a wrong type; unknown fields are ignored.
[[nodiscard]] OciDescriptor descriptor_from_json(const JsonObject& value);
[[nodiscard]] OciDescriptor descriptor_from_json(const nlohmann::ordered_json& value);
[[nodiscard]] OciImageConfig config_from_json(const JsonObject& value);

} // namespace kiln
