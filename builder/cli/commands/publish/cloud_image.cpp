// SPDX-License-Identifier: MIT
//
// The custom images of a DigitalOcean account.
#include "base/error.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/options/confirm.hpp"
#include "cli/options/digitalocean_options.hpp"
#include "publish/digitalocean/images.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <ostream>

namespace kiln {

namespace {

constexpr PositionalSpec kIdPositional{
    .name = "ID",
    .doc = "of an image, as 'kiln image list' shows it",
    .count = Count::at_least_one};
constexpr OptionSpec kKeepOption{
    .name = "--keep", .value = "N", .doc = "how many images of each name to keep, the newest"};
constexpr OptionSpec kNameOption{
    .name = "--name", .value = "NAME", .doc = "images of that name only"};

nlohmann::ordered_json json_of(const CloudImage& image) {
    return {
        {"id", image.id},
        {"name", image.name},
        {"status", image.status},
        {"error", image.error_message},
        {"regions", image.regions},
        {"tags", image.tags},
        {"created", image.created_at},
        {"min_disk_gb", image.min_disk_gigabytes},
        {"gb", image.gigabytes}};
}

std::string line_of(const CloudImage& image) {
    return fmt::format(
        "{:>10}  {:<20} {:<10} {}  {}",
        image.id,
        printable(image.created_at),
        printable(image.status),
        printable(image.name),
        printable(join(image.regions, ",")));
}

std::vector<CloudImage> custom_images(DigitalOceanApi& api) {
    std::vector<CloudImage> out = private_images(api);
    std::erase_if(out, [](const CloudImage& each) { return each.type != "custom"; });
    std::sort(out.begin(), out.end(), [](const CloudImage& a, const CloudImage& b) {
        return std::pair(a.created_at, a.id) < std::pair(b.created_at, b.id);
    });
    return out;
}

/// The API and what it stands on.
class Account {
  public:
    Account(const Arguments& arguments, Context& context)
        : services_(context), in_(services_.context()),
          http_(with_api_messages(in_.http, context.console)),
          api_(digitalocean_api(*http_, options(arguments), context)) {}

    [[nodiscard]] DigitalOceanApi& api() { return api_; }

  private:
    static ApiOptions options(const Arguments& arguments) {
        ApiOptions out;
        out.base_url = api_url_of(arguments);
        return out;
    }

    InputServices services_;
    InputContext in_;
    std::unique_ptr<HttpClient> http_;
    DigitalOceanApi api_;
};

ExitCode run_list(const Arguments& arguments, Context& context) {
    Account account(arguments, context);
    auto json = nlohmann::ordered_json::array();
    for (const CloudImage& image : custom_images(account.api())) {
        if (context.global.json) {
            json.push_back(json_of(image));
        } else {
            context.io.out << line_of(image) << '\n';
        }
    }
    if (context.global.json) {
        context.io.out << json_text(json) << '\n';
    }
    return ExitCode::ok;
}

/// Deletes the images one by one, so that what is printed has happened.
void delete_all(const std::vector<CloudImage>& images, DigitalOceanApi& api, Context& context) {
    auto json = nlohmann::ordered_json::array();
    for (const CloudImage& image : images) {
        delete_image(api, image.id);
        if (context.global.json) {
            json.push_back(json_of(image));
        } else {
            context.io.out << fmt::format("{} deleted\n", image.id);
        }
    }
    if (context.global.json) {
        context.io.out << json_text(json) << '\n';
    }
}

bool confirm_deletion(
    const std::vector<CloudImage>& images, const Arguments& arguments, Context& context) {
    for (const CloudImage& image : images) {
        context.console.notice(line_of(image));
    }
    return confirm(arguments, context, fmt::format("delete {} images for good?", images.size()));
}

ExitCode run_delete(const Arguments& arguments, Context& context) {
    Account account(arguments, context);
    std::vector<CloudImage> images;
    for (const std::string& text : arguments.positionals(kIdPositional.name)) {
        const auto id = parse_unsigned(text);
        if (!id || *id == 0) {
            throw UsageError(fmt::format("'{}' is not the id of an image", excerpt(text)))
                .with_hint("'kiln image list' shows them");
        }
        auto image = find_image(account.api(), *id);
        if (!image) {
            context.console.notice(fmt::format("image {} is not there", *id));
            continue;
        }
        if (image->type != "custom") {
            throw UsageError(
                fmt::format("image {} is a {}, not a custom image", *id, excerpt(image->type)));
        }
        images.push_back(std::move(*image));
    }
    if (images.empty() || !confirm_deletion(images, arguments, context)) {
        return ExitCode::ok;
    }
    delete_all(images, account.api(), context);
    return ExitCode::ok;
}

ExitCode run_prune(const Arguments& arguments, Context& context) {
    constexpr std::uint64_t kMost = 100'000;
    const auto keep = arguments.number(kKeepOption.name, 0, kMost);
    if (!keep) {
        throw UsageError("--keep is missing: how many images of each name are to stay?");
    }
    Account account(arguments, context);
    const auto name = arguments.value(kNameOption.name);
    std::map<std::string, std::vector<CloudImage>> by_name; // the oldest first
    for (CloudImage& image : custom_images(account.api())) {
        // What others made, or what is not finished, is not looked at.
        if (image.has_tag("kiln") && image.is_available() && (!name || image.name == *name)) {
            by_name[image.name].push_back(std::move(image));
        }
    }
    std::vector<CloudImage> old;
    for (auto& [each, images] : by_name) {
        const std::size_t stay = std::min<std::size_t>(images.size(), *keep);
        old.insert(old.end(), images.begin(), images.end() - static_cast<std::ptrdiff_t>(stay));
    }
    if (old.empty()) {
        context.console.notice("nothing to delete");
        return ExitCode::ok;
    }
    if (confirm_deletion(old, arguments, context)) {
        delete_all(old, account.api(), context);
    }
    return ExitCode::ok;
}

constexpr auto kListExamples = std::to_array<Example>({
    {"kiln image list", "list the custom images of the account, the oldest first"},
    {"kiln image list --json", "print the same as JSON, with tags and errors"},
});
constexpr auto kDeleteExamples = std::to_array<Example>({
    {"kiln image delete 7555620", "shows the image and asks"},
    {"kiln image delete 7555620 7555621 --yes", "deletes two images"},
});
constexpr auto kPruneExamples = std::to_array<Example>({
    {"kiln image prune --keep 3", "keeps three images of each name, shows the others and asks"},
    {"kiln image prune --keep 3 --name shop --yes", "deletes old images of one name"},
});
constexpr std::array kListOptions{kApiUrlOption};
constexpr std::array kDeleteOptions{kYesOption, kApiUrlOption};
constexpr std::array kDeletePositionals{kIdPositional};
constexpr std::array kPruneOptions{kKeepOption, kNameOption, kYesOption, kApiUrlOption};

} // namespace

const CommandSpec kImageListCommand{
    .name = "image list",
    .summary = "list the custom images of a DigitalOcean account",
    .description =
        "Lists the custom images of a DigitalOcean account, whoever made them: id, time, "
        "status, name and regions. Credentials as for 'kiln publish digitalocean'.",
    .examples = kListExamples,
    .options = kListOptions,
    .run = run_list};

const CommandSpec kImageDeleteCommand{
    .name = "image delete",
    .summary = "delete custom images of a DigitalOcean account",
    .description = "Deletes custom images in all their regions, after showing them. Droplets made "
                   "from them go on running. An image that is gone already is not an error.",
    .examples = kDeleteExamples,
    .options = kDeleteOptions,
    .positionals = kDeletePositionals,
    .run = run_delete};

const CommandSpec kImagePruneCommand{
    .name = "image prune",
    .summary = "delete old images that kiln published to DigitalOcean",
    .description =
        "Deletes all but the newest images of each name, after showing them. Only images "
        "that kiln published and that are available are looked at.",
    .examples = kPruneExamples,
    .options = kPruneOptions,
    .run = run_prune};

} // namespace kiln
