// SPDX-License-Identifier: MIT
// A real registry (Debian's docker-registry) on loopback, with TLS and a password.
#include "base/error.hpp"
#include "base/io/file.hpp"
#include "base/process/background_process.hpp"
#include "oci/registry/registry.hpp"
#include "support/fake_http_client.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <thread>

namespace kiln {
namespace {

using testing::HasSubstr;

/// One that was free a moment ago.
int free_port() {
    const UniqueFd probe(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(probe.get(), generic, size), 0);
    EXPECT_EQ(::getsockname(probe.get(), generic, &size), 0);
    return ntohs(address.sin_port);
}

class RealRegistry : public testing::Test {
  protected:
    void SetUp() override {
        if (find_program("docker-registry").empty()) {
            GTEST_SKIP() << "needs docker-registry";
        }
        SystemProcessRunner().run_checked(
            {.program = "openssl",
             .args =
                 {"req",
                  "-x509",
                  "-newkey",
                  "rsa:2048",
                  "-nodes",
                  "-days",
                  "2",
                  "-subj",
                  "/CN=registry",
                  "-addext",
                  "subjectAltName=IP:127.0.0.1",
                  "-keyout",
                  at("key").string(),
                  "-out",
                  at("crt").string()},
             .env = clean_environment()});
        write_file(
            at("htpasswd"), // "loaf & crumb"
            "baker:$2b$04$zRvhhVgNQbVKljI.LQRYDOqG5DwKG.1j/yH26IqqalHz2W0JQ2Ipe\n");
        host_ = fmt::format("127.0.0.1:{}", free_port());
        write_file(
            at("config.yml"),
            fmt::format(
                R"({{"version": 0.1, "storage": {{"filesystem": {{"rootdirectory": "{0}/data"}}}},
"http": {{"addr": "{1}", "tls": {{"certificate": "{0}/crt", "key": "{0}/key"}}}},
"auth": {{"htpasswd": {{"realm": "test", "path": "{0}/htpasswd"}}}}}})",
                dir_.path().string(),
                host_));
        registry_.emplace(
            Command{
                .program = "docker-registry",
                .args = {"serve", at("config.yml").string()},
                .env = clean_environment()},
            at("log"));
        wait();
    }

    [[nodiscard]] fs::path at(const char* name) const { return dir_.path() / name; }

    void wait() {
        for (int i = 0; i < 100; ++i) {
            try {
                static_cast<void>(client().has_blob(sha256("x")));
                return;
            } catch (const TransferError&) {
                std::this_thread::sleep_for(std::chrono::milliseconds(100));
            } catch (const Error& error) {
                if (error.exit_code() != ExitCode::remote_refused) {
                    throw;
                }
                std::this_thread::sleep_for(std::chrono::milliseconds(100));
            }
        }
        FAIL() << read_text_file(at("log"));
    }

    RegistryClient client(const std::string& password = "loaf & crumb") {
        HttpOptions options;
        options.ca_file = at("crt").string();
        http_.emplace(options);
        return RegistryClient(
            *http_, {host_, "a/b"}, RegistryCredentials{"baker", password}, test::impatient(1));
    }

    TempDir dir_{temporary_root(), "kiln-test"};
    std::string host_;
    std::optional<BackgroundProcess> registry_;
    std::optional<CurlHttpClient> http_;
};

TEST_F(RealRegistry, TakesAndGivesBlobsAndManifests) {
    RegistryClient registry = client();
    const std::string content(300'000, 'x');
    const OciDescriptor blob{"application/octet-stream", sha256(content), content.size()};
    const OciDescriptor config{std::string(media_type::kConfig), sha256("{}"), 2};
    for (const auto& [what, text] :
         {std::pair{blob, content}, std::pair{config, std::string("{}")}}) {
        registry.push_blob(
            what, [&text = text] { return std::make_unique<MemorySource>(as_byte_span(text)); });
        EXPECT_TRUE(registry.has_blob(what.digest));
    }
    const std::string text = fmt::format(
        R"({{"schemaVersion":2,"mediaType":"{0}","config":{{"mediaType":"{1}","digest":"{2}","size":2}},"layers":[{{"mediaType":"{3}","digest":"{4}","size":{5}}}]}})",
        media_type::kManifest,
        config.media_type,
        config.digest.to_string(),
        media_type::kLayer,
        blob.digest.to_string(),
        blob.size);
    const Digest digest = registry.push_manifest("tag", text, media_type::kManifest).digest;
    for (const std::string& reference : {std::string("tag"), digest.to_string()}) {
        const auto manifest = registry.manifest(reference);
        ASSERT_TRUE(manifest);
        EXPECT_EQ(manifest->text, text);
    }
    registry.fetch_blob(blob, at("fetched"));
    EXPECT_EQ(read_text_file(at("fetched")), content);
    EXPECT_EQ(registry.fetch_text(config), "{}");
    EXPECT_FALSE(registry.manifest("none"));
}

TEST_F(RealRegistry, RefusesAWrongPassword) {
    try {
        static_cast<void>(client("crumb").manifest("tag"));
        FAIL() << "no exception";
    } catch (const Error& error) {
        EXPECT_EQ(error.exit_code(), ExitCode::remote_refused);
        EXPECT_THAT(error.message(), HasSubstr("rejected the login: status 401, UNAUTHORIZED"));
    }
}

} // namespace
} // namespace kiln
