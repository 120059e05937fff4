// SPDX-License-Identifier: MIT
//
// What a push would do, without doing it: questions go to the registry, what would change it does
// not, and gets the answer of a registry to which everything is right.
#pragma once

#include "base/http/http.hpp"

namespace kiln {

/// Whether a request to a registry would change it (tokens that are asked for do not).
[[nodiscard]] bool changes_registry(std::string_view method, std::string_view url);

class DryRunHttpClient final : public HttpClient {
  public:
    /// `below` must outlive this.
    explicit DryRunHttpClient(HttpClient& below) : below_(below) {}

    HttpResponse send(const HttpRequest& request, Sink& sink) override;

  private:
    HttpClient& below_;
};

} // namespace kiln
