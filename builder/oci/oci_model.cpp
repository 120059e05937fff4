// SPDX-License-Identifier: MIT
#include "oci/oci_model.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace kiln {

namespace {

using Json = nlohmann::ordered_json;

Json keys_only(const std::set<std::string>& keys) {
    Json object = Json::object();
    for (const std::string& key : keys) {
        object[key] = Json::object();
    }
    return object;
}

Json healthcheck_json(const OciHealthcheck& check) {
    Json object;
    object["Test"] = check.test;
    const auto put = [&](const char* key, std::int64_t value) {
        if (value != 0) {
            object[key] = value;
        }
    };
    put("Interval", check.interval_ns);
    put("Timeout", check.timeout_ns);
    put("StartPeriod", check.start_period_ns);
    put("Retries", check.retries);
    return object;
}

} // namespace

std::string_view layer_media_type(LayerCompression compression) {
    switch (compression) {
    case LayerCompression::none:
        return media_type::kLayer;
    case LayerCompression::gzip:
        return media_type::kLayerGzip;
    case LayerCompression::zstd:
        break;
    }
    return media_type::kLayerZstd;
}

std::string canonical_json(const Json& value) {
    try {
        return value.dump(-1, ' ', false, Json::error_handler_t::strict);
    } catch (const nlohmann::json::exception& error) {
        throw Error(fmt::format("cannot write JSON: {}", error.what()));
    }
}

Json to_json_value(const OciDescriptor& descriptor) {
    Json object;
    object["mediaType"] = descriptor.media_type;
    object["digest"] = descriptor.digest.to_string();
    object["size"] = descriptor.size;
    if (!descriptor.annotations.empty()) {
        object["annotations"] = descriptor.annotations;
    }
    return object;
}

Json to_json_value(const OciImageConfig& config) {
    Json object = Json::object();
    const auto put = [&](const char* key, const auto& value, auto convert) {
        if (!value.empty()) {
            object[key] = convert(value);
        }
    };
    const auto as_is = [](const auto& value) { return value; };
    put("User", config.user, as_is);
    put("ExposedPorts", config.exposed_ports, keys_only);
    put("Env", config.env, as_is);
    put("Entrypoint", config.entrypoint, as_is);
    put("Cmd", config.cmd, as_is);
    if (config.healthcheck) {
        object["Healthcheck"] = healthcheck_json(*config.healthcheck);
    }
    put("Volumes", config.volumes, keys_only);
    put("WorkingDir", config.working_dir, as_is);
    put("Labels", config.labels, as_is);
    put("StopSignal", config.stop_signal, as_is);
    return object;
}

OciDescriptor descriptor_from_json(const JsonObject& value) {
    OciDescriptor descriptor;
    descriptor.media_type = value.text_or_empty("mediaType");
    const std::string text = value.text("digest");
    const auto digest = Digest::parse(text);
    if (!digest || !text.starts_with("sha256:")) {
        throw Error(fmt::format("'{}' is not a SHA-256 digest", printable(text)));
    }
    descriptor.digest = *digest;
    descriptor.size = value.number("size");
    descriptor.annotations = value.text_map("annotations");
    return descriptor;
}

OciDescriptor descriptor_from_json(const Json& value) {
    return descriptor_from_json(JsonObject(value, "descriptor"));
}

OciImageConfig config_from_json(const JsonObject& value) {
    OciImageConfig config;
    config.user = value.text_or_empty("User");
    config.exposed_ports = value.keys("ExposedPorts");
    config.env = value.texts_or_empty("Env");
    config.entrypoint = value.texts_or_empty("Entrypoint");
    config.cmd = value.texts_or_empty("Cmd");
    config.volumes = value.keys("Volumes");
    config.working_dir = value.text_or_empty("WorkingDir");
    config.labels = value.text_map("Labels");
    config.stop_signal = value.text_or_empty("StopSignal");
    if (value.has("Healthcheck")) {
        const JsonObject check = value.object("Healthcheck");
        config.healthcheck = OciHealthcheck{
            check.texts_or_empty("Test"),
            check.integer_or_zero("Interval"),
            check.integer_or_zero("Timeout"),
            check.integer_or_zero("StartPeriod"),
            check.integer_or_zero("Retries")};
    }
    return config;
}

} // namespace kiln
