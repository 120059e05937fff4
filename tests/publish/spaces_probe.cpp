// SPDX-License-Identifier: MIT
// SpacesUpload for tests: spaces_probe COMMAND ENDPOINT BUCKET REGION STATE [FILE]
//   check   that put can work
//   put     upload the file, or go on with what the state says; prints URL and what was sent
//   remove  what put made
//   sign    print a presigned URL of the state's object
//   get     print the object's SHA-256, read in ranges
//   parts   print how many parts of the upload the service has
//   left    print how many objects and uploads of the state's key there are
//   sign-bucket  print a presigned URL that makes the bucket
// Every request goes to standard error. Environment: keys as kiln's; CLOCK_OFFSET in seconds.
#include "base/environment.hpp"
#include "base/error.hpp"
#include "base/http/http.hpp"
#include "base/http/http_trace.hpp"
#include "base/interrupt.hpp"
#include "publish/digitalocean/spaces_upload.hpp"
#include "publish/s3/s3_credentials.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <iostream>
#include <string>
#include <vector>

namespace {

using namespace kiln;
using Json = nlohmann::ordered_json;

struct Call {
    std::string command;
    SpacesOptions options;
    fs::path state_file;
    fs::path file;
};

Environment environment() {
    Environment out;
    for (const char* name :
         {"SPACES_ACCESS_KEY_ID",
          "SPACES_SECRET_ACCESS_KEY",
          "SPACES_SECRET_ACCESS_KEY_FILE",
          "SSL_CERT_FILE",
          "CLOCK_OFFSET"}) {
        if (const auto value = process_env(name)) {
            out.emplace(name, *value);
        }
    }
    return out;
}

UploadFile file_of(const fs::path& path) {
    return {path, path.filename().string(), fs::file_size(path), sha256_file(path.string())};
}

std::string digest_of(S3Client& client, const std::string& key) {
    const auto object = client.find(key);
    if (!object) {
        throw Error("no such object");
    }
    Sha256 hash;
    constexpr std::uint64_t kPiece = std::uint64_t{4} << 20U;
    for (std::uint64_t at = 0; at < object->size; at += kPiece) {
        hash.update(client.read(key, at, std::min(kPiece, object->size - at)));
    }
    return hash.finish().hex();
}

std::string look(const std::string& command, S3Client& client, const Json& state) {
    constexpr std::chrono::seconds kLifetime{60};
    if (command == "sign-bucket") {
        return client.presigned_url("PUT", "", kLifetime);
    }
    const auto upload = s3_upload_state_of(state.at("object"));
    if (command == "sign") {
        return client.presigned_url("GET", upload.key, kLifetime);
    }
    if (command == "get") {
        return digest_of(client, upload.key);
    }
    if (command == "parts") {
        return std::to_string(client.list_parts(upload.key, upload.upload)->size());
    }
    return fmt::format(
        "{} {}", client.find(upload.key) ? 1 : 0, client.uploads_of(upload.key).size());
}

void run(const Call& call, HttpClient& http, const S3Credentials& keys, Console& console) {
    SpacesUpload upload(http, call.options, keys);
    const auto state =
        fs::exists(call.state_file) ? Json::parse(read_text_file(call.state_file)) : Json(nullptr);
    if (call.command == "check") {
        upload.check(file_of(call.file));
    } else if (call.command == "put") {
        Job job = console.start("upload");
        const auto save = [&](const Json& now) {
            write_file_atomically(call.state_file, now.dump());
        };
        std::cout << upload.put(file_of(call.file), state, save, job) << '\n';
        const S3UploadReport& report = upload.report();
        std::cout << fmt::format(
            "{} {} {}\n", report.parts_sent, report.parts_there, report.bytes_sent);
        job.finish();
    } else if (call.command == "remove") {
        upload.remove(state);
    } else {
        S3Client client(http, spaces_bucket(call.options), keys, call.options.client);
        std::cout << look(call.command, client, state) << '\n';
    }
}

} // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    constexpr std::size_t kFewest = 5;
    if (words.size() < kFewest) {
        return static_cast<int>(ExitCode::usage);
    }
    install_interrupt_handlers();
    const Environment env = environment();
    Console console(std::cerr, {.level = Level::debug});
    try {
        Call call{words[0], {words[3], words[2], words[1]}, words[4], {}};
        call.file = words.size() > kFewest ? words[kFewest] : "";
        const long offset = env.contains("CLOCK_OFFSET") ? std::stol(env.at("CLOCK_OFFSET")) : 0;
        call.options.client.now = [offset] { return std::int64_t{std::time(nullptr)} + offset; };
        HttpOptions http_options;
        http_options.ca_file = variable(env, "SSL_CERT_FILE");
        CurlHttpClient curl(http_options);
        TracedHttpClient http(curl, {"partNumber", "uploads"}, [&](const TracedRequest& request) {
            console.debug(fmt::format(
                "{} {} ({} bytes): {}", request.method, request.url, request.sent, request.status));
        });
        const auto keys = find_s3_credentials(env);
        run(call, http, keys.value_or(S3Credentials{}), console);
        return 0;
    } catch (const Error& error) {
        console.report(error);
        return static_cast<int>(error.exit_code());
    } catch (const Interrupted&) {
        return static_cast<int>(ExitCode::interrupted);
    }
}
