// SPDX-License-Identifier: MIT
#include "formats/oci_model.hpp"

#include "base/error.hpp"

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

/// The value of a key that may be missing or null.
template <typename T> T get_or_default(const Json& object, const char* key) {
    const auto it = object.find(key);
    return it == object.end() || it->is_null() ? T() : it->get<T>();
}

std::set<std::string> read_keys(const Json& object, const char* key) {
    std::set<std::string> keys;
    if (const auto it = object.find(key); it != object.end() && it->is_object()) {
        for (const auto& item : it->items()) {
            keys.insert(item.key());
        }
    }
    return keys;
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

Json parse_json(std::string_view text, std::string_view what) {
    try {
        return Json::parse(text);
    } catch (const nlohmann::json::exception& error) {
        throw Error(fmt::format("malformed JSON in '{}': {}", what, error.what()));
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

OciDescriptor descriptor_from_json(const Json& value) {
    try {
        OciDescriptor descriptor;
        descriptor.media_type = get_or_default<std::string>(value, "mediaType");
        const auto text = value.at("digest").get<std::string>();
        const auto digest = Digest::parse(text);
        if (!digest || !text.starts_with("sha256:")) {
            throw Error(fmt::format("'{}' is no SHA-256 digest", text));
        }
        descriptor.digest = *digest;
        descriptor.size = value.at("size").get<std::uint64_t>();
        descriptor.annotations =
            get_or_default<std::map<std::string, std::string>>(value, "annotations");
        return descriptor;
    } catch (const nlohmann::json::exception& error) {
        throw Error(fmt::format("malformed descriptor: {}", error.what()));
    }
}

OciImageConfig config_from_json(const Json& value) {
    using Strings = std::vector<std::string>;
    try {
        OciImageConfig config;
        config.user = get_or_default<std::string>(value, "User");
        config.exposed_ports = read_keys(value, "ExposedPorts");
        config.env = get_or_default<Strings>(value, "Env");
        config.entrypoint = get_or_default<Strings>(value, "Entrypoint");
        config.cmd = get_or_default<Strings>(value, "Cmd");
        config.volumes = read_keys(value, "Volumes");
        config.working_dir = get_or_default<std::string>(value, "WorkingDir");
        config.labels = get_or_default<std::map<std::string, std::string>>(value, "Labels");
        config.stop_signal = get_or_default<std::string>(value, "StopSignal");
        if (const auto it = value.find("Healthcheck"); it != value.end() && it->is_object()) {
            config.healthcheck = OciHealthcheck{
                get_or_default<Strings>(*it, "Test"),
                get_or_default<std::int64_t>(*it, "Interval"),
                get_or_default<std::int64_t>(*it, "Timeout"),
                get_or_default<std::int64_t>(*it, "StartPeriod"),
                get_or_default<std::int64_t>(*it, "Retries")};
        }
        return config;
    } catch (const nlohmann::json::exception& error) {
        throw Error(fmt::format("malformed image config: {}", error.what()));
    }
}

} // namespace kiln
