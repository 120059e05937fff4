// SPDX-License-Identifier: MIT
//
// What the commands that talk to DigitalOcean have in common.
#pragma once

#include "cli/command.hpp"
#include "cli/options/input_options.hpp"
#include "publish/digitalocean/api.hpp"
#include "publish/digitalocean/image_upload.hpp"
#include "publish/digitalocean/journal.hpp"
#include "publish/digitalocean/publish_image.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace kiln {

inline constexpr OptionSpec kApiUrlOption{
    .name = "--api-url",
    .value = "URL",
    .doc = "another server with DigitalOcean's API, such as one for tests"};

inline constexpr OptionSpec kNoWaitOption{
    .name = "--no-wait", .doc = "end when all is requested; 'kiln publish resume' goes on"};

inline constexpr OptionSpec kPublishTimeoutOption{
    .name = "--timeout",
    .value = "TIME",
    .doc = "how long to wait for the import, and for the transfers: 90m, 3h (default: 3h)"};

/// The value of --timeout, "90m". Throws UsageError.
[[nodiscard]] std::chrono::seconds parse_timeout(const std::string& text);

/// --no-wait and --timeout. Throws UsageError.
[[nodiscard]] PublishOptions publish_options(const Arguments& arguments);

/// --api-url or DigitalOcean's own.
[[nodiscard]] std::string api_url_of(const Arguments& arguments);

/// The journals of this user.
[[nodiscard]] JournalStore journal_store(Context& context);

/// Shows every request to the API as a debug message; of queries what is asked for.
[[nodiscard]] std::unique_ptr<HttpClient> with_api_messages(HttpClient& http, Console& console);
/// Parameters of a query to the API that may be shown.
[[nodiscard]] std::vector<std::string_view> shown_api_parameters();

/// A client with the token of the caller's environment. `http` must outlive it.
[[nodiscard]] DigitalOceanApi
digitalocean_api(HttpClient& http, ApiOptions options, Context& context);

/// ImageUpload::kind() of uploads in journals: to a web server of the user's, to Spaces with a key
/// of the user's, and with one that is made for the upload.
inline constexpr std::string_view kUrlUpload = "url";
inline constexpr std::string_view kSpacesUpload = "spaces";
inline constexpr std::string_view kSpacesKeyUpload = "spaces-key";

/// Whether the caller has keys of Spaces. Throws as find_s3_credentials() does.
[[nodiscard]] bool has_spaces_keys(Context& context);

/// The upload that a journal says it uses. `api` and `http` must outlive it.
[[nodiscard]] std::unique_ptr<ImageUpload>
upload_of(const PublishJournal& journal, DigitalOceanApi& api, HttpClient& http, Context& context);

/// The file for the upload of a journal, made in `folder` if it is not the disk itself.
[[nodiscard]] UploadFile
file_of(const PublishJournal& journal, const fs::path& folder, Context& context);

/// Runs the publish of a journal to its end and prints what came of it. What ends it otherwise says
/// how to go on.
ExitCode run_publish(
    OpenJournal& journal,
    DigitalOceanApi& api,
    const PublishOptions& options,
    Context& context,
    ImageUpload& upload);

/// What `kiln publish list` says of a step: "being imported".
[[nodiscard]] std::string describe_step(const PublishJournal& journal);

} // namespace kiln
