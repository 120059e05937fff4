// SPDX-License-Identifier: MIT
// What a registry says that it has, and what it sends instead.
#include "hostile_registry.hpp"

namespace kiln::test {
namespace {

using testing::HasSubstr;
using Connection = ScriptServer::Connection;
using Request = ScriptServer::Request;

TEST_F(HostileRegistry, HasManifestsThatMakeNoSense) {
    const std::string good = config_of("c");
    for (const std::string& text : std::vector<std::string>{
             "",
             "<html>",
             "null",
             "[]",
             "7",
             "\"x\"",
             "{}",
             R"({"artifactType": 7})",
             R"({"artifactType": null, "layers": []})",
             R"({"artifactType": "application/vnd.kiln.artifact.v1"})",
             R"({"artifactType": "application/vnd.kiln.artifact.v1", "layers": 7})",
             R"({"artifactType": "application/vnd.kiln.artifact.v1", "layers": "x"})",
             R"({"artifactType": "application/vnd.kiln.artifact.v1", "layers": {"0": {}}})",
             manifest("{}", "{}"),
             manifest("[]", "[]"),
             manifest("null", "null"),
             manifest("\"x\"", "7"),
             manifest(good, R"({"mediaType": [], "digest": {}, "size": 1})"),
             manifest(good, good),
             std::string(100'000, '['),
             "{\"artifactType\": \"\xff\xfe\"}",
             "{\"\xff\": 1}",
             "\xef\xbb\xbf\x1b[2J"}) {
        expect_refused(pull_of(text), "");
    }
    expect_refused(
        pull_of("<html>"), "manifest 'tag' is not valid: syntax error at line 1, column 1");
    expect_refused(pull_of(std::string(100'000, '[')), "nested deeper than 32 levels");
    expect_refused(pull_of("{\"a\": \"\x1b[2J\"}"), "manifest 'tag' is not valid");
}

TEST_F(HostileRegistry, SaysSizesThatNobodyHas) {
    const std::string config = config_text();
    for (const std::string size :
         {"4611686018427387904",
          "18446744073709551615",
          "99999999999999999999",
          "-1",
          "1.5",
          "1e300"}) {
        expect_refused(
            pull_of(manifest(config_of(config), layer_of("x", size)), {config}),
            "manifest 'tag' is");
        expect_refused(
            pull_of(
                manifest(descriptor(media_type::kArtifactConfig, config, size), layer_of("x")),
                {config}),
            "manifest 'tag' is");
    }
}

TEST_F(HostileRegistry, SendsOtherContentThanItSaid) {
    const std::string config = config_text();
    const std::string text = manifest(config_of(config), layer_of("layer"));
    const auto blobs = [&](const std::string& sent) {
        return pull([&](const Request& request, Connection& connection) {
            const bool is_config = request.target.ends_with(sha256(config).to_string());
            connection.answer(
                200,
                request.target.ends_with("/tag") ? text
                : is_config                      ? config
                                                 : sent);
        });
    };
    expect_refused(blobs("other"), "the registry sent 5 bytes with digest");
    expect_refused(blobs("lay"), "the registry sent 3 bytes with digest");
    expect_refused(blobs("layer and more"), "is larger than the 5 bytes in its manifest");
    const Digest wanted = sha256("another manifest");
    expect_refused(
        pull(
            [&](const Request&, Connection& connection) { connection.answer(200, text); },
            wanted.to_string()),
        "for " + wanted.to_string());
    // Endless content ends at the size that the manifest says.
    expect_refused(
        pull([&](const Request& request, Connection& connection) {
            if (request.target.ends_with("/tag")) {
                connection.answer(200, text);
            } else {
                connection.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
                connection.repeat(std::string(100'000, 'x'));
            }
        }),
        "bytes in its manifest");
}

TEST_F(HostileRegistry, HasLayersThatAreDamaged) {
    const std::string config = config_text();
    const std::string zstd_that_is_cut = "\x28\xb5\x2f\xfd\x04";
    for (const std::string& layer :
         {std::string("no archive"), zstd_that_is_cut, std::string(2000, 'x')}) {
        expect_refused(
            pull_of(manifest(config_of(config), layer_of(layer)), {config, layer}),
            "'tag' of the registry has a damaged layer: ");
    }
}

TEST_F(HostileRegistry, CompressesWhatWasNotAskedFor) {
    expect_refused(
        pull([](const Request&, Connection& connection) {
            connection.answer(200, "\x1f\x8b\x08 of gzip", "Content-Encoding: gzip\r\n");
        }),
        "manifest 'tag' is not valid");
}

TEST_F(HostileRegistry, HasConfigsThatMakeNoSense) {
    for (const std::string& config : std::vector<std::string>{
             "",
             "{}",
             "[]",
             R"({"name": 7, "kind": [], "key": {}, "tree": null})",
             R"({"name": "core", "kind": "x", "key": "sha256:1", "tree": "x"})",
             config_text("../../victim"),
             config_text(""),
             config_text("a\\u001b[2J"),
             config_text("\xff"),
             std::string(5000, '[')}) {
        expect_refused(
            pull_of(manifest(config_of(config), layer_of("x")), {config}),
            "the config of 'tag' is not valid");
    }
    std::string other = config_text();
    other.replace(other.find(key().hex()), 64, std::string(64, '0'));
    expect_refused(
        pull_of(manifest(config_of(other), layer_of("x")), {other}), "is artifact sha256:0000");
    const std::string namesake = config_text("evil");
    expect_refused(
        pull_of(manifest(config_of(namesake), layer_of("x")), {namesake}),
        "is artifact 'evil', not 'core'");
    std::string changed = config_text();
    changed.replace(changed.find(sha256("a tree").hex()), 64, std::string(64, '1'));
    expect_refused(
        pull_of(manifest(config_of(changed), layer_of("x")), {changed}),
        "contains tree sha256:1111111111111111111111111111111111111111111111111111111111111111, "
        "but the lock has " +
            sha256("a tree").to_string());
}

TEST_F(HostileRegistry, WritesToTheTerminal) {
    const auto error = [&](const std::string& body) {
        return pull([&](const Request&, Connection& connection) { connection.answer(400, body); });
    };
    expect_refused(
        error(R"({"errors": [{"code": "\u001b[31m", "message": "a\r\u009bb"}]})"),
        "status 400, \\x1b[31m a\\x0d\\u{9b}b");
    // Wrong types have no words, long ones are cut.
    for (const char* body :
         {R"({"errors": [7, null, {"code": 1, "message": []}]})",
          R"({"errors": {"code": "x"}})",
          R"({"errors": "x"})",
          R"([])",
          "\x1b[2J"}) {
        EXPECT_TRUE(error(body).message().ends_with("status 400")) << body;
    }
    expect_refused(
        error(R"({"errors": [{"code": ")" + std::string(50'000, 'x') + "\"}]}"), "xxx...");
}

} // namespace
} // namespace kiln::test
