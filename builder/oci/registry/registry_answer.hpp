// SPDX-License-Identifier: MIT
//
// Small things that the registry client and its login share. A part of oci/registry/registry.hpp.
#pragma once

#include "base/error.hpp"
#include "base/http/http.hpp"
#include "base/io/digest.hpp"
#include "base/io/stream.hpp"
#include "oci/registry/registry.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace kiln {

/// Bytes of a manifest, a token, an artifact's config: what is kept in memory. The
/// distribution-spec asks registries to take manifests of 4 MiB.
inline constexpr std::size_t kLargestAnswer = std::size_t{4} << 20U;

/// Keeps a small body in memory; throws Error (exit code 5) when it is larger than kLargestAnswer.
class AnswerSink final : public LimitedSink {
  public:
    AnswerSink();
};

/// "registry 'HOST' WHAT: status 404, CODE message": the registry's own words, cut and printable.
[[nodiscard]] RegistryRefusal
refused(const std::string& host, std::string_view what, const HttpResponse& response);

/// Throws Error (exit code 5) when the answer names a digest (Docker-Content-Digest) that is not
/// `wanted`; `what` is for the message.
void require_digest(
    const std::string& host,
    const std::string& what,
    const HttpResponse& response,
    const Digest& wanted);

[[nodiscard]] std::string percent_encoded(std::string_view text);

} // namespace kiln
