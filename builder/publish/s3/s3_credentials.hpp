// SPDX-License-Identifier: MIT
//
// Keys for S3 services, from where people keep them. Never an argument of kiln.
#pragma once

#include "base/environment.hpp"
#include "publish/s3/s3_signature.hpp"

#include <optional>

namespace kiln {

/// The first of these of which both are set:
/// - SPACES_ACCESS_KEY_ID and SPACES_SECRET_ACCESS_KEY (the names that doctl's and terraform's
///   documentation has);
/// - AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
/// In place of a secret, SPACES_SECRET_ACCESS_KEY_FILE or AWS_SECRET_ACCESS_KEY_FILE names a file
/// with it as its first line. Throws UsageError when of a pair only one half is set, Error when a
/// file cannot be read or is empty.
[[nodiscard]] std::optional<S3Credentials> find_s3_credentials(const Environment& env);

} // namespace kiln
