// SPDX-License-Identifier: MIT
#include "publish/digitalocean/image_transfers.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace kiln {

namespace {

using std::chrono::milliseconds;

} // namespace

milliseconds PollDelay::next() {
    constexpr milliseconds kLongest{30'000};
    const milliseconds out = delay_;
    delay_ = std::min(kLongest, delay_ * 3 / 2);
    return out;
}

Error wait_timed_out(
    const std::string& what, const PublishOptions& options, const std::string& id) {
    return Error(fmt::format(
                     "{} has not ended within {}",
                     what,
                     format_duration(static_cast<double>(options.timeout.count()))))
        .with_hint(fmt::format("'kiln publish resume {}' goes on waiting", id));
}

CloudImage existing_image(DigitalOceanApi& api, std::uint64_t id) {
    auto image = find_image(api, id);
    if (!image) {
        throw Error(fmt::format("image {} was deleted meanwhile", id), ExitCode::remote_refused);
    }
    return std::move(*image);
}

bool ImageTransfers::find_transfer(PublishTransfer& transfer) {
    for (const ImageAction& action : image_actions(api_, journal_.image)) {
        if (action.type == "transfer" && action.region == transfer.region &&
            action.status != "errored") {
            transfer.action = action.id;
            return true;
        }
    }
    return false;
}

void ImageTransfers::request_transfer(PublishTransfer& transfer) {
    if (transfer.is_requested && find_transfer(transfer)) {
        save_();
        return;
    }
    transfer.is_requested = true;
    save_();
    try {
        transfer.action = start_transfer(api_, journal_.image, transfer.region).id;
    } catch (const UnclearOutcome& error) {
        console_.notice(error.message()); // the next look finds it or requests it again
    } catch (const ApiRefusal& refusal) {
        transfer.is_requested = false;
        if (!may_work_later(refusal)) {
            transfer.failure = refusal.message();
        }
    }
    save_();
}

void ImageTransfers::look_at_transfer(PublishTransfer& transfer, const CloudImage& image) {
    if (image.is_in(transfer.region)) {
        transfer.is_done = true;
        save_();
        return;
    }
    if (transfer.action == 0) {
        request_transfer(transfer);
        return;
    }
    const auto action = find_image_action(api_, journal_.image, transfer.action);
    if (!action || action->status == "errored") {
        transfer.failure = fmt::format("transfer to {} failed", transfer.region);
        save_();
    } else if (action->status == "completed") {
        transfer.is_done = true;
        save_();
    }
}

bool ImageTransfers::run(const PublishOptions& options) {
    const auto is_open = [](const PublishTransfer& each) {
        return !each.is_done && each.failure.empty();
    };
    for (PublishTransfer& each : journal_.transfers) {
        if (!each.failure.empty()) { // of a run before
            each = {.region = each.region};
        }
    }
    std::vector<PublishTransfer>& all = journal_.transfers;
    if (std::none_of(all.begin(), all.end(), is_open)) {
        return true;
    }
    Job job = console_.start(fmt::format("transfer image {}", journal_.image));
    job.set_total(all.size(), Job::Unit::items);
    const milliseconds end = api_.clock().now() + options.timeout;
    PollDelay delay;
    for (;;) {
        const CloudImage image = existing_image(api_, journal_.image);
        for (PublishTransfer& each : all) {
            if (is_open(each)) {
                look_at_transfer(each, image);
            }
        }
        const auto left =
            static_cast<std::uint64_t>(std::count_if(all.begin(), all.end(), is_open));
        job.set_done(all.size() - left);
        const bool all_requested = std::all_of(all.begin(), all.end(), [&](const auto& each) {
            return !is_open(each) || each.action != 0;
        });
        if (left == 0) {
            job.finish();
            return true;
        }
        if (!options.wait && all_requested) {
            job.finish("not waiting");
            return false;
        }
        if (api_.clock().now() >= end) {
            throw wait_timed_out(
                fmt::format("the transfer of image {}", journal_.image), options, journal_.id);
        }
        api_.clock().wait(delay.next());
    }
}

void ImageTransfers::require_all() const {
    std::vector<std::string> failures;
    std::vector<std::string> regions;
    for (const PublishTransfer& each : journal_.transfers) {
        if (!each.failure.empty()) {
            failures.push_back(each.failure);
            regions.push_back(each.region);
        }
    }
    if (!failures.empty()) {
        throw Error(
            fmt::format("image {} is not available in {}", journal_.image, join(regions, ", ")),
            ExitCode::remote_refused)
            .with_details(std::move(failures))
            .with_hint(fmt::format("'kiln publish resume {}' tries again", journal_.id));
    }
}

} // namespace kiln
