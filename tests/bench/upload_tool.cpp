// SPDX-License-Identifier: MIT
//
// One piece of kiln's work on its way to a cloud, for benchmarks that run it beside a peer's:
//   upload_tool gzip FILE TARGET JOBS
//   upload_tool s3 FILE ENDPOINT BUCKET REGION KEY JOBS      (keys from the environment)
//   upload_tool s3-bucket ENDPOINT BUCKET REGION             prints a URL that makes the bucket
#include "archive/gzip_file.hpp"
#include "base/environment.hpp"
#include "base/error.hpp"
#include "base/http/http.hpp"
#include "publish/s3/s3_credentials.hpp"
#include "publish/s3/s3_upload.hpp"

#include <fmt/format.h>

#include <iostream>
#include <string>
#include <vector>

namespace {

using namespace kiln;

S3Credentials keys() {
    Environment env;
    for (const char* name : {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}) {
        env.emplace(name, process_env(name).value_or(""));
    }
    return find_s3_credentials(env).value_or(S3Credentials{});
}

void upload(S3Client& client, const fs::path& file, const std::string& key, unsigned jobs) {
    Console console(std::cerr, {});
    Job job = console.start("upload");
    S3UploadState state = new_s3_upload(key, fs::file_size(file), sha256_file(file.string()));
    S3UploadOptions options;
    options.jobs = jobs;
    upload_to_s3(client, file, state, options, job);
    job.finish();
}

void run(const std::vector<std::string>& words) {
    const std::string& command = words.at(0);
    if (command == "gzip") {
        Console console(std::cerr, {});
        Job job = console.start("compress");
        const auto jobs = static_cast<unsigned>(std::stoul(words.at(3)));
        gzip_file(words.at(1), words.at(2), jobs, job);
        job.finish();
        return;
    }
    CurlHttpClient http;
    if (command == "s3-bucket") {
        const S3Client client(http, {words.at(1), words.at(3), words.at(2)}, keys());
        std::cout << client.presigned_url("PUT", "", std::chrono::seconds(60)) << '\n';
        return;
    }
    S3Client client(http, {words.at(2), words.at(4), words.at(3)}, keys());
    upload(client, words.at(1), words.at(5), static_cast<unsigned>(std::stoul(words.at(6))));
}

} // namespace

int main(int argc, char** argv) {
    try {
        run({argv + 1, argv + argc});
        return 0;
    } catch (const Error& error) {
        std::cerr << "error: " << error.message() << '\n';
        return static_cast<int>(error.exit_code());
    } catch (const std::exception& error) {
        std::cerr << "error: " << error.what() << '\n';
        return 1;
    }
}
