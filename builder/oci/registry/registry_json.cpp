// SPDX-License-Identifier: MIT
#include "oci/registry/registry_json.hpp"

#include "base/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace kiln {

OciDescriptor remote_descriptor(const nlohmann::ordered_json& value, std::uint64_t most) {
    // get<std::uint64_t>() makes 2^64 - 1 of -1 and something of 1e300.
    const nlohmann::ordered_json& size = value.at("size");
    if (!size.is_number_unsigned()) {
        throw Error(fmt::format("'{}' is not a size in bytes", size.dump()));
    }
    OciDescriptor out = descriptor_from_json(value);
    if (out.size > most) {
        throw Error(fmt::format(
            "{} has a declared size of {} bytes, the limit is {}",
            out.digest.to_string(),
            out.size,
            format_size(most)));
    }
    return out;
}

} // namespace kiln
