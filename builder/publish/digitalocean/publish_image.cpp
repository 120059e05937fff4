// SPDX-License-Identifier: MIT
#include "publish/digitalocean/publish_image.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "publish/digitalocean/image_transfers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

namespace kiln {

namespace {

using std::chrono::milliseconds;

} // namespace

bool find_published(DigitalOceanApi& api, PublishJournal& journal) {
    std::vector<CloudImage> found = images_with_tag(api, journal.content_tag());
    std::erase_if(found, [](const CloudImage& each) { return each.has_failed(); });
    const auto best =
        std::min_element(found.begin(), found.end(), [](const CloudImage& a, const CloudImage& b) {
            return std::pair(!a.is_available(), a.id) < std::pair(!b.is_available(), b.id);
        });
    if (best == found.end()) {
        return false;
    }
    journal.was_there = true;
    journal.image = best->id;
    journal.step = PublishStep::import;
    return true;
}

PublishReport ImagePublisher::run(const PublishOptions& options) {
    using Step = PublishStep;
    if (journal_.step == Step::failed) {
        fail_for_good(); // may have been killed before it was over
    }
    if (journal_.step == Step::prepare && !options.has_looked && find_published(api_, journal_)) {
        save_();
    }
    if (journal_.step == Step::prepare) {
        prepare_file();
    }
    if (journal_.step == Step::upload) {
        upload_file();
    }
    if (journal_.step == Step::create) {
        create();
    }
    bool is_complete = journal_.step != Step::import || wait_for_import(options);
    if (journal_.step == Step::transfer) {
        remove_upload_or_warn();
        ImageTransfers transfers(api_, journal_, save_, console_);
        is_complete = transfers.run(options);
        if (is_complete) {
            transfers.require_all();
            finish();
        }
    }
    return {existing_image(api_, journal_.image), journal_.was_there, !is_complete};
}

void ImagePublisher::prepare_file() {
    journal_.file = prepare_();
    journal_.step = PublishStep::upload;
    save_();
}

void ImagePublisher::upload_file() {
    std::error_code unknown;
    if (!fs::exists(journal_.file.path, unknown)) {
        journal_.file = prepare_(); // somebody has cleaned up here; equal disks give equal files
    }
    journal_.is_upload_begun = true;
    journal_.is_upload_removed = false;
    save_();
    Job job = console_.start(fmt::format("upload {}", journal_.file.name));
    try {
        std::string url = upload_.put(
            journal_.file,
            journal_.upload_state,
            [this](const nlohmann::ordered_json& state) {
                journal_.upload_state = state;
                save_();
            },
            job);
        journal_.url = std::move(url);
    } catch (const TransferError&) {
        throw; // what is there can be gone on with
    } catch (const Error& error) {
        if (error.exit_code() == ExitCode::remote_refused) {
            remove_upload_or_warn();
        }
        throw;
    }
    job.finish();
    journal_.step = PublishStep::create;
    save_();
    discard_file();
}

void ImagePublisher::discard_file() const {
    if (journal_.file.path != journal_.disk.path) {
        std::error_code ignored;
        fs::remove(journal_.file.path, ignored);
    }
}

std::optional<CloudImage> ImagePublisher::find_own(unsigned looks) {
    // What was created may appear in lists a little later.
    constexpr std::array kDelays{
        milliseconds(0), milliseconds(1000), milliseconds(3000), milliseconds(6000)};
    for (unsigned look = 0; look < std::min<std::size_t>(looks, kDelays.size()); ++look) {
        if (kDelays.at(look).count() > 0) {
            api_.clock().wait(kDelays.at(look));
        }
        std::vector<CloudImage> found = images_with_tag(api_, journal_.own_tag());
        // One that this publish works on already stays, whichever came first.
        const auto rank = [this](const CloudImage& each) {
            return std::tuple(each.id != journal_.image, each.has_failed(), each.id);
        };
        std::sort(found.begin(), found.end(), [&](const CloudImage& a, const CloudImage& b) {
            return rank(a) < rank(b);
        });
        if (found.empty()) {
            continue;
        }
        for (std::size_t i = 1; i < found.size(); ++i) {
            console_.notice(fmt::format("deleting image {}, made twice", found.at(i).id));
            delete_image(api_, found.at(i).id);
        }
        return found.front();
    }
    return std::nullopt;
}

void ImagePublisher::take(const CloudImage& image) {
    journal_.image = image.id;
    journal_.step = PublishStep::import;
    save_();
}

void ImagePublisher::create() {
    constexpr unsigned kMostLooks = 4;
    constexpr unsigned kMostTries = 3;
    std::vector<std::string> tags{"kiln", journal_.content_tag(), journal_.own_tag()};
    tags.insert(tags.end(), journal_.tags.begin(), journal_.tags.end());
    const NewCloudImage wanted{
        .name = journal_.image_name,
        .url = journal_.url,
        .region = journal_.regions.front(),
        .distribution = journal_.distribution,
        .description = journal_.description,
        .tags = std::move(tags)};
    std::optional<UnclearOutcome> unclear;
    for (unsigned tries = 0; tries < kMostTries; ++tries) {
        if (journal_.is_create_requested) {
            journal_.is_create_unclear = true;
            if (const auto found = find_own(kMostLooks)) {
                console_.notice(
                    fmt::format("image {} was created by the request before", found->id));
                take(*found);
                return;
            }
        }
        journal_.is_create_requested = true;
        save_();
        try {
            take(create_image(api_, wanted));
            return;
        } catch (const UnclearOutcome& error) {
            console_.notice(error.message() + "; looking for the image");
            unclear = error;
        } catch (const ApiRefusal& refusal) {
            constexpr int kTooManyRequests = 429;
            if (refusal.status() == kTooManyRequests) {
                throw;
            }
            journal_.failure = refusal.message();
            journal_.step = PublishStep::failed;
            save_();
            remove_upload_or_warn();
            throw;
        }
    }
    throw std::move(*unclear);
}

void ImagePublisher::fail(const std::string& message) {
    journal_.failure = message;
    journal_.step = PublishStep::failed;
    save_();
    fail_for_good();
}

void ImagePublisher::fail_for_good() {
    remove_upload_or_warn();
    if (journal_.image != 0 && !journal_.was_there) {
        try {
            delete_image(api_, journal_.image);
        } catch (const Error& error) {
            console_.warning(error.message());
        }
    }
    throw Error(journal_.failure, ExitCode::remote_refused)
        .with_hint(fmt::format("'kiln publish cleanup {}' forgets this publish", journal_.id));
}

bool ImagePublisher::wait_for_import(const PublishOptions& options) {
    Job job = console_.start(fmt::format("import image {}", journal_.image));
    const milliseconds end = api_.clock().now() + options.timeout;
    constexpr unsigned kMostMissing = 2;
    unsigned missing = 0;
    PollDelay delay;
    for (;;) {
        const auto image = find_image(api_, journal_.image);
        // What was just created may not be found everywhere at once.
        missing = image ? 0 : missing + 1;
        if (missing > kMostMissing) {
            fail(fmt::format("image {} is gone: DigitalOcean deleted it", journal_.image));
        }
        if (!image) {
            api_.clock().wait(delay.next());
            continue;
        }
        if (image->has_failed()) {
            fail(fmt::format(
                "DigitalOcean could not import image {}: {}",
                image->id,
                image->error_message.empty() ? "status " + excerpt(image->status)
                                             : excerpt(image->error_message)));
        }
        if (image->is_available()) {
            plan_transfers(*image);
            job.finish();
            return true;
        }
        if (!options.wait) {
            job.finish("not waiting");
            return false;
        }
        if (api_.clock().now() >= end) {
            throw wait_timed_out(
                fmt::format("the import of image {}", image->id), options, journal_.id);
        }
        job.note(printable(image->status));
        api_.clock().wait(delay.next());
    }
}

void ImagePublisher::plan_transfers(const CloudImage& image) {
    journal_.transfers.clear();
    for (const std::string& region : journal_.regions) {
        if (!image.is_in(region)) {
            journal_.transfers.push_back({.region = region});
        }
    }
    journal_.step = PublishStep::transfer;
    save_();
    if (journal_.is_create_unclear) {
        static_cast<void>(find_own(1)); // a lost request may have come through after the second
    }
}

void ImagePublisher::finish() {
    remove_upload();
    discard_file();
    journal_.step = PublishStep::done;
    save_();
}

void ImagePublisher::remove_upload() {
    if (!journal_.is_upload_begun || journal_.is_upload_removed) {
        return;
    }
    upload_.remove(journal_.upload_state);
    journal_.is_upload_removed = true;
    save_();
}

void ImagePublisher::remove_upload_or_warn() {
    try {
        remove_upload();
    } catch (const Error& error) {
        console_.warning(fmt::format(
            "the upload could not be removed: {}; 'kiln publish cleanup {}' tries again",
            error.message(),
            journal_.id));
    }
}

void ImagePublisher::clean_up(bool delete_image_too) {
    if (journal_.step == PublishStep::create && journal_.is_create_requested) {
        constexpr unsigned kMostLooks = 4;
        if (const auto found = find_own(kMostLooks)) {
            take(*found);
        }
    }
    const bool is_ours = journal_.image != 0 && !journal_.was_there;
    if (is_ours && !journal_.is_finished() && delete_image_too) {
        delete_image(api_, journal_.image);
    } else if (is_ours && journal_.step == PublishStep::import) {
        const auto image = find_image(api_, journal_.image);
        if (image && !image->has_failed() && !image->is_available()) {
            throw Error(fmt::format(
                            "image {} of publish '{}' is still being imported",
                            journal_.image,
                            journal_.id))
                .with_hint(fmt::format(
                    "'kiln publish resume {}' waits for it; with --delete-image the image is "
                    "deleted",
                    journal_.id));
        }
    }
    remove_upload();
}

} // namespace kiln
