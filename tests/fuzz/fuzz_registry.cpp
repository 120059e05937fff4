// SPDX-License-Identifier: MIT
//
// Any bytes as the answers of a registry, its token server and whoever it redirects to: a result
// with the digest that was asked for, or an Error in text that a terminal shows. No request goes
// where a registry may not send one, and no login to somebody else.
//
// The input is what to do, for which registry, and the answers in their order, separated by zero
// bytes: "0" to "5" (see run()), "0" to "3" (1: on this machine, 2: with a login), then each as
// "STATUS\nNAME: VALUE\n...\n\nBODY". "x" as status: the transfer breaks off. In bodies "@3" is
// for digest and size of the third answer's body, if that comes later, and "@K" for the key of the
// artifact that is wanted, both as members of an object.
#include "artifact/lookup/artifact_registry.hpp"
#include "base/error.hpp"
#include "base/http/http_policy.hpp"
#include "base/text.hpp"
#include "oci/registry/registry.hpp"
#include "oci/registry/registry_challenge.hpp"
#include "support/fake_http_client.hpp"
#include "support/url_judge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <sstream>

namespace kiln {
namespace {

constexpr std::string_view kBlob = "data";
/// "u:p" in base64.
constexpr std::string_view kLogin = "Basic dTpw";

const Digest& wanted_key() {
    static const Digest kKey = sha256("the key of what went in");
    return kKey;
}

struct Answer {
    int status = 0; ///< 0: the transfer breaks off
    std::vector<HttpHeader> headers = {};
    std::string body = {};
};

std::string_view take(std::string_view& rest, char end) {
    const std::string_view out = rest.substr(0, rest.find(end));
    rest.remove_prefix(std::min(out.size() + 1, rest.size()));
    return out;
}

/// Headers as base/http/http_transfer.cpp gives them.
Answer parse_answer(std::string_view text) {
    Answer out;
    out.status = static_cast<int>(parse_unsigned(take(text, '\n').substr(0, 3)).value_or(0));
    while (!text.empty()) {
        const std::string_view line = trim(take(text, '\n'));
        if (line.empty()) {
            break;
        }
        if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
            out.headers.push_back(
                {std::string(line.substr(0, colon)), std::string(trim(line.substr(colon + 1)))});
        }
    }
    out.body = text;
    return out;
}

void replace_all(std::string& text, std::string_view mark, std::string_view by) {
    for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos; at += by.size()) {
        text.replace(at, mark.size(), by);
    }
}

std::vector<Answer> parse_answers(std::string_view text) {
    constexpr std::size_t kMost = 9; // of one digit
    std::vector<Answer> out;
    while (!text.empty() && out.size() < kMost) {
        out.push_back(parse_answer(take(text, '\0')));
    }
    const std::string key = fmt::format(R"("key":"{}")", wanted_key().to_string());
    // From the last on, since a digest is of what is sent.
    for (std::size_t i = out.size(); i-- > 0;) {
        std::string& body = out.at(i).body;
        replace_all(body, "@K", key);
        for (std::size_t later = i + 1; later < out.size(); ++later) {
            const std::string mark = fmt::format("@{}", later + 1);
            if (body.find(mark) != std::string::npos) {
                const std::string& blob = out.at(later).body;
                const std::string digest = sha256(blob).to_string();
                replace_all(
                    body, mark, fmt::format(R"("digest":"{}","size":{})", digest, blob.size()));
            }
        }
    }
    return out;
}

/// Gives the answers one after the other and judges every request.
class AnsweringClient final : public HttpClient {
  public:
    AnsweringClient(std::string host, bool is_local, std::vector<Answer> answers)
        : host_(std::move(host)), is_local_(is_local), answers_(std::move(answers)) {}

    HttpResponse send(const HttpRequest& request, Sink& sink) override {
        KILN_CHECK(request.purpose == HttpPurpose::registry && request.expected_size > 0);
        if (request.body != nullptr) {
            MemorySink body;
            copy(*request.body, body);
            KILN_CHECK(body.text().size() == request.body_size);
        }
        const auto first = Url::parse(request.url);
        KILN_CHECK(first);
        // As base/http/http_curl.cpp follows redirects.
        Url url = *first;
        std::vector<HttpHeader> headers = request.headers;
        for (int hops = 0;; ++hops) {
            HttpResponse response = hop(request, url, headers, sink);
            const auto location = response.header("location");
            constexpr std::array kRedirects{301, 302, 303, 307, 308};
            const bool leads_on = std::count(kRedirects.begin(), kRedirects.end(), response.status);
            if (!leads_on || request.method != "GET" || !location) {
                return response;
            }
            constexpr int kMostHops = 5;
            if (hops == kMostHops) {
                throw TransferError("more redirects", false, ExitCode::remote_refused);
            }
            const Url next = follow_reference(request.purpose, url, *location);
            headers = headers_after_hop(headers, url, next);
            url = next;
        }
    }

  private:
    void judge(const Url& url, const std::vector<HttpHeader>& headers) const {
        const test::UrlJudge judge(url.text());
        KILN_CHECK(url.text().find_first_of(std::string_view("\0\r\n", 3)) == std::string::npos);
        KILN_CHECK(judge.scheme() == "https" || (is_local_ && judge.scheme() == "http"));
        KILN_CHECK(judge.scheme() == "https" || judge.is_this_machine());
        KILN_CHECK(is_local_ || !judge.is_this_machine());
        for (const HttpHeader& header : headers) {
            KILN_CHECK(
                header.value.find_first_of(std::string_view("\0\r\n", 3)) == std::string::npos);
            if (header.name == "Authorization") {
                const bool may_know = judge.authority() == host_ ||
                                      (header.value == kLogin && url.origin() == token_server_);
                KILN_CHECK(may_know);
            }
        }
    }

    HttpResponse
    hop(const HttpRequest& request,
        const Url& url,
        const std::vector<HttpHeader>& headers,
        Sink& sink) {
        judge(url, headers);
        const Answer answer = next_answer();
        if (answer.status == 0) {
            throw TransferError(fmt::format("cannot fetch '{}'", redact_url(url.text())), true);
        }
        HttpResponse response;
        response.status = answer.status;
        response.headers = answer.headers;
        response.url = url.text();
        if (answer.status >= 300) {
            response.error_body = answer.body;
        } else if (request.method != "HEAD") {
            sink.write_text(answer.body);
        }
        if (answer.status == 401 && test::UrlJudge(url.text()).authority() == host_) {
            note_challenge(url, response);
        }
        return response;
    }

    /// Whom the registry itself names may get the login.
    void note_challenge(const Url& url, const HttpResponse& response) {
        if (const auto challenge = find_challenge(response, "bearer")) {
            const auto named = url.resolve(challenge->parameter("realm"));
            token_server_ = named ? named->origin() : "";
        }
    }

    Answer next_answer() {
        constexpr std::size_t kMostRequests = 200;
        KILN_CHECK(asked_ < kMostRequests); // whatever the answers, there is an end
        return asked_ < answers_.size() ? answers_.at(asked_++) : (++asked_, Answer{404});
    }

    std::string host_;
    bool is_local_;
    std::vector<Answer> answers_;
    std::size_t asked_ = 0;
    std::string token_server_;
};

class Playground {
  public:
    void run(char what, char registry, std::string_view answers) {
        const bool is_local = (registry & 1) != 0;
        const std::string host = is_local ? "127.0.0.1:5000" : "reg.example";
        AnsweringClient http(host, is_local, parse_answers(answers));
        std::optional<RegistryCredentials> login;
        if ((registry & 2) != 0) {
            login = {"u", "p"};
        }
        try {
            RegistryClient client(http, {host, "x/y"}, std::move(login), test::impatient(2));
            run(what, client);
        } catch (const Error& error) {
            check(error, answers);
        }
        KILN_CHECK(store_.list().empty());
        KILN_CHECK(printable_lines(log_.str()) == log_.str());
        log_.str("");
    }

  private:
    void run(char what, RegistryClient& client) {
        const OciDescriptor blob{"x", sha256(kBlob), kBlob.size()};
        const auto open = [] { return std::make_unique<MemorySource>(as_byte_span(kBlob)); };
        switch (what) {
        case '0':
            static_cast<void>(pull_artifact(
                "tag", {"core", {wanted_key(), sha256("a tree")}}, client, store_, console_));
            break;
        case '1':
            if (const auto manifest = client.manifest("tag")) {
                KILN_CHECK(manifest->digest == sha256(manifest->text));
            }
            break;
        case '2':
            if (const auto manifest = client.manifest(blob.digest.to_string())) {
                KILN_CHECK(manifest->text == kBlob);
            }
            break;
        case '3':
            KILN_CHECK(client.fetch_text(blob) == kBlob);
            break;
        case '4':
            client.push_blob(blob, open);
            break;
        default:
            static_cast<void>(client.push_manifest("tag", kBlob, media_type::kManifest));
        }
    }

    static void check(const Error& error, std::string_view answers) {
        if (error.exit_code() == ExitCode::bug) {
            throw error;
        }
        constexpr std::size_t kLongest = 2000;
        KILN_CHECK(
            error.exit_code() == ExitCode::remote_refused || error.exit_code() == ExitCode::failed);
        KILN_CHECK(printable_lines(error.message()) == error.message());
        KILN_CHECK(error.message().size() < kLongest);
        // Unless the answers say so, and are quoted.
        constexpr std::string_view kLibrary = "json.exception";
        KILN_CHECK(
            error.message().find(kLibrary) == std::string::npos ||
            answers.find(kLibrary) != std::string_view::npos);
        KILN_CHECK(
            error.message().find(kLogin.substr(6)) == std::string::npos ||
            answers.find(kLogin.substr(6)) != std::string_view::npos);
    }

    TempDir dir_{temporary_root(), "kiln-fuzz"};
    Store store_{dir_.path()};
    std::ostringstream log_;
    Console console_{log_, {.level = Level::debug}};
};

} // namespace
} // namespace kiln

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static kiln::Playground playground;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (text.size() >= 2) {
        playground.run(text[0], text[1], text.substr(2));
    }
    return 0;
}
