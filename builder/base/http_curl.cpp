// SPDX-License-Identifier: MIT
#include "base/handle.hpp"
#include "base/http.hpp"
#include "base/interrupt.hpp"
#include "base/text.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <array>
#include <exception>
#include <mutex>
#include <type_traits>

namespace kiln {

namespace {

using CurlHandle = Handle<CURL, curl_easy_cleanup>;
using CurlList = Handle<curl_slist, curl_slist_free_all>;

constexpr std::size_t kErrorBodyLimit = std::size_t{64} << 10U;

void init_curl_once() {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

template <typename Value> void set(CURL* curl, CURLoption option, Value value) {
    if constexpr (std::is_same_v<Value, bool> || std::is_enum_v<Value>) {
        set(curl, option, static_cast<long>(value));
    } else if (const CURLcode code = curl_easy_setopt(curl, option, value); code != CURLE_OK) {
        throw Error(fmt::format(
            "libcurl refuses option {}: {}", static_cast<int>(option), curl_easy_strerror(code)));
    }
}

bool is_transient(CURLcode code) {
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_BAD_CONTENT_ENCODING:
        return true;
    default:
        return false;
    }
}

/// One request on its way; what libcurl's callbacks see.
class Transfer {
  public:
    Transfer(CURL* curl, const HttpRequest& request, Sink& sink)
        : curl_(curl), request_(request), sink_(sink), is_file_(request.url.starts_with("file:")) {}

    HttpResponse run(const HttpOptions& options);

  private:
    void set_limits(const HttpOptions& options);
    void set_request();
    void set_callbacks();
    void take_header(std::string_view line);
    void take_body(Bytes bytes);
    void announce();
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
    Sink& sink_;
    bool is_file_;
    HttpResponse response_;
    bool announced_ = false;
    std::exception_ptr failure_;
    CurlList headers_;
    std::array<char, CURL_ERROR_SIZE> error_text_{};
};

void Transfer::set_limits(const HttpOptions& options) {
    set(curl_, CURLOPT_NOSIGNAL, true);
    set(curl_, CURLOPT_ERRORBUFFER, error_text_.data());
    set(curl_, CURLOPT_CONNECTTIMEOUT, static_cast<long>(options.connect_timeout.count()));
    set(curl_, CURLOPT_LOW_SPEED_LIMIT, static_cast<long>(options.stall_bytes_per_second));
    set(curl_, CURLOPT_LOW_SPEED_TIME, static_cast<long>(options.stall_timeout.count()));
    // "" instead of null: libcurl then does not look at http_proxy and its kin.
    set(curl_, CURLOPT_PROXY, options.proxy.c_str());
    if (!options.ca_file.empty()) {
        set(curl_, CURLOPT_CAINFO, options.ca_file.c_str());
    }
    if (options.any_certificate) {
        set(curl_, CURLOPT_SSL_VERIFYPEER, false);
        set(curl_, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    const std::string agent =
        options.user_agent.empty() ? std::string("kiln/" KILN_VERSION) : options.user_agent;
    set(curl_, CURLOPT_USERAGENT, agent.c_str());
    set(curl_, CURLOPT_PROTOCOLS_STR, "http,https,file");
    set(curl_, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    set(curl_, CURLOPT_FOLLOWLOCATION, request_.follow_redirects && request_.method == "GET");
    set(curl_, CURLOPT_MAXREDIRS, 5L);
}

void Transfer::set_request() {
    set(curl_, CURLOPT_URL, request_.url.c_str());
    if (request_.method == "HEAD") {
        set(curl_, CURLOPT_NOBODY, true);
    } else if (request_.body != nullptr) {
        set(curl_, CURLOPT_UPLOAD, true);
        set(curl_, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request_.body_size));
    }
    if (request_.method != "GET" && request_.method != "HEAD") {
        set(curl_, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
    }
    if (request_.offset > 0) {
        set(curl_, CURLOPT_RANGE, fmt::format("{}-", request_.offset).c_str());
    }
    // libcurl's own additions would make small uploads slow and requests harder to sign.
    std::vector<std::string> lines{"Expect:"};
    for (const HttpHeader& header : request_.headers) {
        lines.push_back(fmt::format("{}: {}", header.name, header.value));
    }
    for (const std::string& line : lines) {
        curl_slist* longer = curl_slist_append(headers_.get(), line.c_str());
        KILN_CHECK(longer != nullptr);
        static_cast<void>(headers_.release());
        headers_.reset(longer);
    }
    set(curl_, CURLOPT_HTTPHEADER, headers_.get());
}

void Transfer::set_callbacks() {
    set(curl_, CURLOPT_HEADERFUNCTION, &Transfer::on_header);
    set(curl_, CURLOPT_HEADERDATA, static_cast<void*>(this));
    set(curl_, CURLOPT_WRITEFUNCTION, &Transfer::on_body);
    set(curl_, CURLOPT_WRITEDATA, static_cast<void*>(this));
    set(curl_, CURLOPT_READFUNCTION, &Transfer::on_read);
    set(curl_, CURLOPT_READDATA, static_cast<void*>(this));
    set(curl_, CURLOPT_NOPROGRESS, false);
    set(curl_, CURLOPT_XFERINFOFUNCTION, &Transfer::on_progress);
    set(curl_, CURLOPT_XFERINFODATA, static_cast<void*>(this));
}

HttpResponse Transfer::run(const HttpOptions& options) {
    set_limits(options);
    set_request();
    set_callbacks();
    return end(curl_easy_perform(curl_));
}

HttpResponse Transfer::end(CURLcode code) {
    if (failure_) {
        std::rethrow_exception(failure_);
    }
    if (code == CURLE_ABORTED_BY_CALLBACK) {
        throw_if_interrupted();
    }
    // libcurl's answer to a file: URL that does not exist or cannot be opened.
    if (is_file_ && code == CURLE_FILE_COULDNT_READ_FILE) {
        response_.status = 404;
        return std::move(response_);
    }
    if (code != CURLE_OK) {
        const std::string_view text =
            error_text_.front() == '\0' ? curl_easy_strerror(code) : error_text_.data();
        throw TransferError(
            fmt::format("cannot fetch '{}': {}", redact_url(request_.url), trim(text)),
            is_transient(code));
    }
    if (is_file_) {
        response_.status = 200;
    }
    if (response_.status < 400) {
        guarded([this] { announce(); });
        if (failure_) {
            std::rethrow_exception(failure_);
        }
    }
    return std::move(response_);
}

void Transfer::take_header(std::string_view line) {
    if (is_file_) {
        return; // libcurl makes up headers for files
    }
    line = trim(line);
    if (line.starts_with("HTTP/")) {
        // A new answer: that of a redirect's target, or after "100 Continue".
        response_ = HttpResponse();
        const std::size_t space = line.find(' ');
        const std::string_view number =
            space == std::string_view::npos ? std::string_view() : line.substr(space + 1, 3);
        response_.status = static_cast<int>(parse_unsigned(number).value_or(0));
        return;
    }
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos) {
        response_.headers.push_back(
            {std::string(line.substr(0, colon)), std::string(trim(line.substr(colon + 1)))});
    }
}

void Transfer::announce() {
    if (announced_) {
        return;
    }
    announced_ = true;
    if (is_file_) {
        response_.status = 200;
        response_.body_offset = request_.offset;
    } else if (response_.status == 206) {
        // "bytes 100-199/200": believe what the server says, not what was asked for.
        const std::string_view range = response_.header("content-range").value_or("");
        const std::size_t begin = range.find_first_of("0123456789");
        const std::size_t dash = range.find('-');
        const auto offset = begin != std::string_view::npos && dash > begin
                                ? parse_unsigned(range.substr(begin, dash - begin))
                                : std::nullopt;
        if (!offset) {
            throw TransferError(
                fmt::format(
                    "cannot fetch '{}': part of it was sent without saying which",
                    redact_url(request_.url)),
                false);
        }
        response_.body_offset = *offset;
    }
    if (request_.on_response) {
        request_.on_response(response_);
    }
}

void Transfer::take_body(Bytes bytes) {
    throw_if_interrupted();
    if (response_.status >= 400) {
        const std::size_t room = kErrorBodyLimit - response_.error_body.size();
        response_.error_body += as_text(bytes).substr(0, room);
        return;
    }
    announce();
    sink_.write(bytes);
}

std::size_t Transfer::on_header(char* data, std::size_t size, std::size_t count, void* self) {
    auto* transfer = static_cast<Transfer*>(self);
    const std::string_view line(data, size * count);
    return transfer->guarded([&] { transfer->take_header(line); }) ? line.size() : 0;
}

std::size_t Transfer::on_body(char* data, std::size_t size, std::size_t count, void* self) {
    auto* transfer = static_cast<Transfer*>(self);
    const std::string_view bytes(data, size * count);
    const bool taken = transfer->guarded([&] { transfer->take_body(as_byte_span(bytes)); });
    return taken ? bytes.size() : bytes.size() + 1; // any other number stops the transfer
}

std::size_t Transfer::on_read(char* data, std::size_t size, std::size_t count, void* self) {
    auto* transfer = static_cast<Transfer*>(self);
    std::size_t got = 0;
    const std::span buffer(data, size * count);
    const bool ok = transfer->guarded(
        [&] { got = transfer->request_.body->read(std::as_writable_bytes(buffer)); });
    return ok ? got : CURL_READFUNC_ABORT;
}

int Transfer::on_progress(void*, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return interrupt_requested() ? 1 : 0;
}

} // namespace

/// Handles that are not in use; each keeps its open connections.
struct CurlHttpClient::Idle {
    std::mutex mutex;
    std::vector<CurlHandle> handles;

    CurlHandle take() {
        {
            const std::lock_guard lock(mutex);
            if (!handles.empty()) {
                CurlHandle handle = std::move(handles.back());
                handles.pop_back();
                curl_easy_reset(handle.get());
                return handle;
            }
        }
        CurlHandle handle(curl_easy_init());
        KILN_CHECK(handle != nullptr);
        return handle;
    }

    void give_back(CurlHandle handle) {
        const std::lock_guard lock(mutex);
        handles.push_back(std::move(handle));
    }
};

CurlHttpClient::CurlHttpClient(HttpOptions options)
    : options_(std::move(options)), idle_(std::make_unique<Idle>()) {
    init_curl_once();
}

CurlHttpClient::~CurlHttpClient() = default;

HttpResponse CurlHttpClient::send(const HttpRequest& request, Sink& sink) {
    throw_if_interrupted();
    CurlHandle handle = idle_->take();
    HttpResponse response = Transfer(handle.get(), request, sink).run(options_);
    idle_->give_back(std::move(handle));
    return response;
}

} // namespace kiln
