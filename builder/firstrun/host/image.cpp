// SPDX-License-Identifier: MIT
#include "firstrun/host/image.hpp"

#include "base/error.hpp"
#include "firstrun/host/locations.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace kiln::firstrun {

using nlohmann::ordered_json;

namespace {

std::optional<Image> read(const Host& host, const char* path) {
    const auto text = host.read(path);
    if (!text) {
        return std::nullopt;
    }
    const ordered_json json = ordered_json::parse(*text, nullptr, false);
    try {
        Image out;
        out.name = json.value("name", out.name);
        out.id = json.value("id", out.id);
        out.schema = json.value("schema", out.schema);
        out.standin = json.value("standin", false);
        return out;
    } catch (const ordered_json::exception&) {
        throw Error(fmt::format("'{}' was changed since first-run wrote it", path))
            .with_hint("if you edited it, undo or correct the change; if the volume was damaged, "
                       "restore a backup");
    }
}

} // namespace

Image read_image(const Host& host) {
    return read(host, locations::kImage).value_or(Image());
}

std::optional<Image> read_volume_image(const Host& host) {
    return read(host, locations::kVolumeImage);
}

std::string render_image(const Image& image) {
    const ordered_json json{
        {"name", image.name},
        {"id", image.id},
        {"schema", image.schema},
        {"standin", image.standin}};
    return json.dump(2) + "\n";
}

} // namespace kiln::firstrun
