// SPDX-License-Identifier: MIT
//
// JSON that a registry sent; see base/http/remote_json.hpp for how it is read.
#pragma once

#include "base/http/remote_json.hpp"
#include "oci/oci_model.hpp"

#include <cstdint>

namespace kiln {

/// descriptor_from_json() for use in read_remote_json(); throws Error also when the size is not a
/// unsigned number or more than `most`.
[[nodiscard]] OciDescriptor
remote_descriptor(const nlohmann::ordered_json& value, std::uint64_t most);

} // namespace kiln
