// SPDX-License-Identifier: MIT
//
// A registry that does what none may: whatever it answers, kiln ends soon, with a separate error
// and exit code 5 (1 when a transfer broke off), and a file of the host is what it was.
#pragma once

#include "artifact/lookup/artifact_registry.hpp"
#include "base/error.hpp"
#include "base/io/file.hpp"
#include "support/fake_http_client.hpp"
#include "support/script_server.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kiln::test {

inline constexpr std::string_view kSecret = "dTpw"; // "u:p" in base64

inline const Digest& key() {
    static const Digest kKey = sha256("the key of what went in");
    return kKey;
}

/// What the lock says of the artifact.
inline WantedArtifact wanted() {
    return {"core", {key(), sha256("a tree")}};
}

inline std::string
descriptor(std::string_view type, std::string_view content, std::string size = "") {
    return fmt::format(
        R"({{"mediaType": "{}", "digest": "{}", "size": {}}})",
        type,
        sha256(content).to_string(),
        size.empty() ? std::to_string(content.size()) : size);
}

/// A manifest of an artifact with this config and layer, both as JSON.
inline std::string manifest(const std::string& config, const std::string& layer) {
    return fmt::format(
        R"({{"schemaVersion": 2, "artifactType": "{}", "config": {}, "layers": [{}]}})",
        media_type::kArtifact,
        config,
        layer);
}

inline std::string config_text(const std::string& name = "core") {
    return fmt::format(
        R"({{"name": "{}", "kind": "program", "key": "{}", "tree": "{}", "libraries": [], "parts": []}})",
        name,
        key().to_string(),
        sha256("a tree").to_string());
}

inline std::string config_of(const std::string& text) {
    return descriptor(media_type::kArtifactConfig, text);
}

inline std::string layer_of(const std::string& text, const std::string& size = "") {
    return descriptor(media_type::kLayerZstd, text, size);
}

class HostileRegistry : public testing::Test {
  protected:
    HostileRegistry() { write_file(dir_.path() / "victim", "of the host"); }

    ~HostileRegistry() override {
        EXPECT_EQ(read_text_file(dir_.path() / "victim"), "of the host");
        EXPECT_TRUE(store_.list().empty());
    }

    [[nodiscard]] std::string victim() const {
        return "file://" + (dir_.path() / "victim").string();
    }

    static HttpOptions hasty() {
        HttpOptions options;
        options.stall_timeout = std::chrono::seconds(2);
        options.time_beside_size = std::chrono::seconds(6);
        return options;
    }

    RegistryClient client(const std::string& host) {
        return RegistryClient(http_, {host, "x"}, RegistryCredentials{"u", "p"}, impatient(1));
    }

    template <typename Action> static Error failure(Action&& action) {
        const auto begin = std::chrono::steady_clock::now();
        try {
            action();
        } catch (const Error& error) {
            EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(9));
            return error;
        } // anything else, such as an exception of a library, ends the test
        ADD_FAILURE() << "no exception";
        return Error("none");
    }

    /// `script` answers all but the first question of every client.
    static ScriptServer::Script registry(ScriptServer::Script script) {
        return [script = std::move(script)](
                   const ScriptServer::Request& request, ScriptServer::Connection& connection) {
            if (request.target == "/v2/") {
                connection.answer(200, "{}");
            } else {
                script(request, connection);
            }
        };
    }

    Error pull(const ScriptServer::Script& script, const std::string& reference = "tag") {
        const ScriptServer server(registry(script));
        RegistryClient registry = client(server.host());
        return failure([&] {
            static_cast<void>(pull_artifact(reference, wanted(), registry, store_, console_));
        });
    }

    /// A registry with this manifest and these blobs, by content.
    Error pull_of(const std::string& text, const std::vector<std::string>& blobs = {}) {
        return pull(
            [&](const ScriptServer::Request& request, ScriptServer::Connection& connection) {
                if (request.target == "/v2/x/manifests/tag") {
                    connection.answer(200, text);
                    return;
                }
                for (const std::string& blob : blobs) {
                    if (request.target == "/v2/x/blobs/" + sha256(blob).to_string()) {
                        connection.answer(200, blob);
                        return;
                    }
                }
                connection.answer(404, "");
            });
    }

    /// An upload after which `location` is named.
    Error push(const std::string& location) {
        const ScriptServer server(registry(
            [&](const ScriptServer::Request& request, ScriptServer::Connection& connection) {
                if (request.method == "POST") {
                    connection.answer(202, "", "Location: " + location + "\r\n");
                } else {
                    connection.answer(404, "");
                }
            }));
        const Error error = failure([&] { push_to(server.host()); });
        for (const ScriptServer::Request& request : server.requests()) {
            EXPECT_NE(request.method, "PUT");
        }
        return error;
    }

    void push_to(const std::string& host) {
        client(host).push_blob({"x", sha256("data"), 4}, [] {
            return std::make_unique<MemorySource>(as_byte_span(std::string_view("data")));
        });
    }

    /// A registry that sends to `realm` for a token.
    Error ask(const std::string& realm) {
        return pull([&](const ScriptServer::Request&, ScriptServer::Connection& connection) {
            connection.answer(
                401, "", "WWW-Authenticate: Bearer realm=\"" + realm + "\",service=\"s\"\r\n");
        });
    }

    /// A registry whose token server answers so.
    Error token(int status, const std::string& answer) {
        ScriptServer server(
            [&](const ScriptServer::Request& request, ScriptServer::Connection& connection) {
                if (request.target.starts_with("/token")) {
                    connection.answer(status, answer);
                } else {
                    EXPECT_EQ(request.header("Authorization"), "");
                    connection.answer(
                        request.target == "/v2/" ? 200 : 401,
                        "",
                        "WWW-Authenticate: Bearer realm=\"/token\",service=\"s\"\r\n");
                }
            });
        RegistryClient registry = client(server.host());
        return failure([&] { static_cast<void>(registry.manifest("tag")); });
    }

    TempDir dir_{temporary_root(), "kiln-test"};
    Store store_{dir_.path() / "store"};
    CurlHttpClient http_{hasty()};
    std::ostringstream log_;
    Console console_{log_, {}};
};

inline void expect_refused(const Error& error, const std::string& words) {
    EXPECT_EQ(error.exit_code(), ExitCode::remote_refused) << error.message();
    EXPECT_THAT(error.message(), testing::HasSubstr(words));
    EXPECT_THAT(
        error.message(),
        testing::AllOf(
            testing::Not(testing::HasSubstr("\x1b")),
            testing::Not(testing::HasSubstr("json.exception"))));
    EXPECT_LT(error.message().size(), 2000U);
}

} // namespace kiln::test
