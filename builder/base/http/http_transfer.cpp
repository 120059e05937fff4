// SPDX-License-Identifier: MIT
#include "base/http/http_transfer.hpp"

#include "base/interrupt.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

namespace kiln {

namespace {

constexpr std::size_t kErrorBodyLimit = std::size_t{64} << 10U;

template <typename Value> void set(CURL* curl, CURLoption option, Value value) {
    if constexpr (std::is_same_v<Value, bool> || std::is_enum_v<Value>) {
        set(curl, option, static_cast<long>(value));
    } else if (const CURLcode code = curl_easy_setopt(curl, option, value); code != CURLE_OK) {
        throw Error(fmt::format(
            "cannot set libcurl option {}: {}",
            static_cast<int>(option),
            curl_easy_strerror(code)));
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
    case CURLE_SEND_FAIL_REWIND: // a kept connection was closed; libcurl cannot rewind the body
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

} // namespace

void Transfer::set_limits(const HttpOptions& options) {
    set(curl_, CURLOPT_NOSIGNAL, true);
    set(curl_, CURLOPT_ERRORBUFFER, error_text_.data());
    set(curl_, CURLOPT_CONNECTTIMEOUT, static_cast<long>(options.connect_timeout.count()));
    set(curl_, CURLOPT_LOW_SPEED_LIMIT, static_cast<long>(options.stall_bytes_per_second));
    stall_seconds_ = static_cast<long>(options.stall_timeout.count());
    set(curl_, CURLOPT_LOW_SPEED_TIME, stall_seconds_);
    set(curl_, CURLOPT_TIMEOUT_MS, static_cast<long>(hop_.time_left.count()));
    // A name server that does not answer holds nobody who gives up.
    set(curl_, CURLOPT_QUICK_EXIT, true);
    headers_left_ = options.most_headers;
    header_bytes_left_ = options.most_header_bytes;
}

void Transfer::set_servers(const HttpOptions& options) {
    const bool is_direct =
        !options.proxy || hop_.url.is_loopback() || request_.purpose == HttpPurpose::local;
    const std::string proxy = is_direct ? std::string() : options.proxy(request_.purpose, hop_.url);
    // "" instead of null: libcurl then does not look at http_proxy, no_proxy and similar variables.
    set(curl_, CURLOPT_PROXY, proxy.c_str());
    set(curl_, CURLOPT_NOPROXY, options.no_proxy.c_str());
    // A proxy sees neither the headers for the server behind a tunnel nor gives its own as the
    // server's.
    set(curl_, CURLOPT_HEADEROPT, static_cast<long>(CURLHEADER_SEPARATE));
    set(curl_, CURLOPT_SUPPRESS_CONNECT_HEADERS, true);
    if (!options.ca_file.empty()) {
        set(curl_, CURLOPT_CAINFO, options.ca_file.c_str());
    }
    if (options.any_certificate) {
        set(curl_, CURLOPT_SSL_VERIFYPEER, false);
        set(curl_, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    set(curl_, CURLOPT_PROTOCOLS_STR, hop_.url.scheme().c_str());
    // libcurl would send our headers to whatever host an answer names: we follow ourselves.
    set(curl_, CURLOPT_FOLLOWLOCATION, false);
}

void Transfer::set_request(const HttpOptions& options) {
    const std::string agent =
        options.user_agent.empty() ? std::string("kiln/" KILN_VERSION) : options.user_agent;
    set(curl_, CURLOPT_USERAGENT, agent.c_str());
    set(curl_, CURLOPT_URL, hop_.url.text().c_str());
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
}

void Transfer::set_headers() {
    // libcurl's own additions would make small uploads slow and requests harder to sign.
    std::vector<std::string> lines{"Expect:"};
    if (request_.body == nullptr && request_.method != "GET" && request_.method != "HEAD") {
        lines.emplace_back("Content-Length: 0"); // some servers refuse to guess it (status 411)
    }
    for (const HttpHeader& header : hop_.headers) {
        lines.push_back(fmt::format("{}: {}", header.name, header.value));
    }
    for (const std::string& line : lines) {
        // A line break in a value would be a header, or a request, of its own.
        if (std::any_of(line.begin(), line.end(), [](unsigned char c) { return c < ' '; })) {
            throw failed("a request header contains control characters", false, ExitCode::failed);
        }
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
    set_servers(options);
    set_request(options);
    set_headers();
    set_callbacks();
    response_.url = hop_.url.text();
    return end(curl_easy_perform(curl_));
}

TransferError Transfer::failed(std::string_view why, bool transient, ExitCode code) const {
    const bool fetches = request_.method == "GET" || request_.method == "HEAD";
    return {
        fmt::format(
            "cannot {} '{}': {}", fetches ? "fetch" : "send to", redact_url(hop_.url.text()), why),
        transient,
        code};
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
    if (code != CURLE_OK && !has_enough_) {
        const std::string_view text =
            error_text_.front() == '\0' ? curl_easy_strerror(code) : error_text_.data();
        throw failed(excerpt(trim(text)), is_transient(code), ExitCode::failed);
    }
    if (is_file_) {
        response_.status = 200;
    } else if (!has_headers_) { // libcurl takes what it got for all of them
        throw failed(
            "the server closed the connection before the end of the headers",
            true,
            ExitCode::failed);
    }
    if (response_.status < 300) {
        guarded([this] { announce(); });
        if (failure_) {
            std::rethrow_exception(failure_);
        }
    }
    return std::move(response_);
}

void Transfer::count_header(std::string_view line) {
    if (headers_left_ == 0 || line.size() > header_bytes_left_) {
        throw failed("the server sent too many headers", false, ExitCode::remote_refused);
    }
    --headers_left_;
    header_bytes_left_ -= line.size();
}

void Transfer::take_header(std::string_view line) {
    throw_if_interrupted();
    if (is_file_) {
        return; // libcurl makes up headers for files
    }
    count_header(line);
    line = trim(line);
    if (line.starts_with("HTTP/")) {
        // A new answer, after "100 Continue".
        has_headers_ = false;
        response_ = HttpResponse();
        response_.url = hop_.url.text();
        const std::size_t space = line.find(' ');
        const std::string_view number =
            space == std::string_view::npos ? std::string_view() : line.substr(space + 1, 3);
        response_.status = static_cast<int>(parse_unsigned(number).value_or(0));
        return;
    }
    has_headers_ = has_headers_ || line.empty();
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
    } else if (response_.status < 200) { // such as 101, to a protocol that nobody asked for
        throw failed(
            fmt::format("the server closed the transfer with status {}", response_.status),
            false,
            ExitCode::remote_refused);
    } else if (response_.status == 206) {
        // "bytes 100-199/200": believe what the server says, not what was asked for.
        const std::string_view range = response_.header("content-range").value_or("");
        const std::size_t begin = range.find_first_of("0123456789");
        const std::size_t dash = range.find('-');
        const auto offset = begin != std::string_view::npos && dash > begin
                                ? parse_unsigned(range.substr(begin, dash - begin))
                                : std::nullopt;
        if (!offset) {
            throw failed(
                "the server sent partial content without a Content-Range header",
                false,
                ExitCode::failed);
        }
        response_.body_offset = *offset;
    }
    if (request_.on_response) {
        request_.on_response(response_);
    }
}

void Transfer::take_body(Bytes bytes) {
    throw_if_interrupted();
    if (response_.status < 300) {
        announce();
        sink_.write(bytes);
        return;
    }
    const std::size_t room = kErrorBodyLimit - response_.error_body.size();
    response_.error_body += as_text(bytes).substr(0, room);
    has_enough_ = bytes.size() > room;
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
    return taken && !transfer->has_enough_
               ? bytes.size()
               : bytes.size() + 1; // any other number stops the transfer
}

std::size_t Transfer::on_read(char* data, std::size_t size, std::size_t count, void* self) {
    auto* transfer = static_cast<Transfer*>(self);
    std::size_t got = 0;
    const std::span buffer(data, size * count);
    const bool ok = transfer->guarded([&] {
        got = transfer->request_.body->read(std::as_writable_bytes(buffer));
        transfer->sent_ += got;
        if (transfer->sent_ == transfer->request_.body_size) {
            transfer->wait_for_answer();
        }
    });
    return ok ? got : CURL_READFUNC_ABORT;
}

/// Nothing moves while a server reads what it got once more, or copies it to where it is kept:
/// that is not a stalled transfer yet.
void Transfer::wait_for_answer() {
    constexpr std::uint64_t kBytesPerSecond = std::uint64_t{16} << 20U;
    const auto patience = static_cast<long>(request_.body_size / kBytesPerSecond);
    set(curl_, CURLOPT_LOW_SPEED_TIME, stall_seconds_ + patience);
}

int Transfer::on_progress(void*, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return interrupt_requested() ? 1 : 0;
}

} // namespace kiln
