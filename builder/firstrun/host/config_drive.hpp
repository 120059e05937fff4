// SPDX-License-Identifier: MIT
//
// A small file system that the machine's owner attaches, with answers or cloud-init's data on it.
#pragma once

#include "firstrun/answers/answers.hpp"
#include "firstrun/host/host.hpp"

namespace kiln::firstrun {

/// Looks for the labels config-2, cidata, CIDATA and pause-config; mounts read-only while reading.
[[nodiscard]] AnswerSource from_config_drive(Host& host, Faults& faults);

/// The first line says that the text is a cloud-init configuration (and no script or archive).
[[nodiscard]] bool is_cloud_config(std::string_view text);

} // namespace kiln::firstrun
