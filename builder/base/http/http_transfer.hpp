// SPDX-License-Identifier: MIT
//
// One HTTP request to one URL by libcurl. A part of CurlHttpClient, which follows redirects; others
// use base/http/http.hpp.
#pragma once

#include "base/handle.hpp"
#include "base/http/http.hpp"

#include <curl/curl.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string_view>
#include <vector>

namespace kiln {

using CurlHandle = Handle<CURL, curl_easy_cleanup>;
using CurlList = Handle<curl_slist, curl_slist_free_all>;

/// Where the request is now; redirects change it.
struct Hop {
    Url url;
    std::vector<HttpHeader> headers;
    std::chrono::milliseconds time_left{0};
};

/// One request to one URL; what libcurl's callbacks see.
class Transfer {
  public:
    Transfer(CURL* curl, const HttpRequest& request, const Hop& hop, Sink& sink)
        : curl_(curl), request_(request), hop_(hop), sink_(sink),
          is_file_(hop.url.scheme() == "file") {}

    HttpResponse run(const HttpOptions& options);

  private:
    void set_limits(const HttpOptions& options);
    void set_servers(const HttpOptions& options);
    void set_request(const HttpOptions& options);
    void set_headers();
    void set_callbacks();
    void count_header(std::string_view line);
    void take_header(std::string_view line);
    void take_body(Bytes bytes);
    [[nodiscard]] TransferError failed(std::string_view why, bool transient, ExitCode code) const;
    void announce();
    void wait_for_answer();
    HttpResponse end(CURLcode code);

    /// Runs `body`; an exception is kept for after the C call and the transfer is stopped.
    template <typename Body> bool guarded(Body&& body) noexcept {
        try {
            body();
            return true;
        } catch (...) {
            failure_ = std::current_exception();
            return false;
        }
    }

    static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
    static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
    static std::size_t on_read(char* data, std::size_t size, std::size_t count, void* self);
    static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t);

    CURL* curl_;
    const HttpRequest& request_;
    const Hop& hop_;
    Sink& sink_;
    bool is_file_;
    std::size_t headers_left_ = 0;
    std::size_t header_bytes_left_ = 0;
    std::uint64_t sent_ = 0; ///< bytes of the request's body
    long stall_seconds_ = 0;
    bool has_enough_ = false; ///< of an answer whose rest nobody wants
    HttpResponse response_;
    bool has_headers_ = false; ///< all of the last answer's
    bool announced_ = false;
    std::exception_ptr failure_;
    CurlList headers_;
    std::array<char, CURL_ERROR_SIZE> error_text_{};
};

} // namespace kiln
