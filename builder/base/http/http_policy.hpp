// SPDX-License-Identifier: MIT
//
// Where a request may go, by what it is for: servers choose redirects, upload locations and token
// realms, and none of their choices may reach a file of the host, carry a login to somebody else,
// or give up encryption. Pure functions; base/http/http_curl.cpp and the registry client obey them.
#pragma once

#include "base/http/http.hpp"
#include "base/http/url.hpp"

#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

namespace kiln {

/// Throws TransferError unless a request for that purpose may begin at the URL.
void require_allowed(HttpPurpose purpose, const Url& url);

/// Throws TransferError (exit code 5) unless the server at `from` may send a request on to `to`:
/// never a file:, never from https: to http:; from a registry to https: only, and to this machine
/// only when it is on this machine itself.
void require_allowed_hop(HttpPurpose purpose, const Url& from, const Url& to);

/// Resolves a reference that the server at `from` chose and calls require_allowed_hop(); throws
/// TransferError (exit code 5) also when it is not a URL. A login that is part of `from` is kept
/// within its origin.
[[nodiscard]] Url
follow_reference(HttpPurpose purpose, const Url& from, std::string_view reference);

/// The headers that a request may keep when it is sent on: all within an origin, else only those
/// that hold nothing of the user's.
[[nodiscard]] std::vector<HttpHeader>
headers_after_hop(const std::vector<HttpHeader>& headers, const Url& from, const Url& to);

/// How long an answer of that size may take altogether (0: the size is not known).
[[nodiscard]] std::chrono::milliseconds time_limit(const HttpOptions& options, std::uint64_t bytes);

} // namespace kiln
