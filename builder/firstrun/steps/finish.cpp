// SPDX-License-Identifier: MIT
//
// Step: what the next boot and the next image read: the remembered answers, which image this volume
// belongs to now, and the stamp that all steps were done once.
#include "firstrun/host/journal.hpp"
#include "firstrun/host/locations.hpp"
#include "firstrun/steps/steps.hpp"

#include <fmt/format.h>

namespace kiln::firstrun {

namespace {

/// This image's note, with the level that the tables have: PAUSE's own scripts raise it.
Image wanted_image(const Context& context) {
    Image out = context.image;
    if (const auto last = read_volume_image(context.host)) {
        out.schema = last->schema;
    }
    return out;
}

} // namespace

Reasons finish_needed(Context& context) {
    Reasons reasons;
    if (context.host.read(locations::kRememberedAnswers) != render_remembered(context.answers)) {
        reasons.emplace_back("the saved answers differ");
    }
    const auto last = read_volume_image(context.host);
    if (!last || *last != wanted_image(context)) {
        reasons.emplace_back("the volume was not used with this image before");
    }
    need_file(context, reasons, locations::kComplete);
    return reasons;
}

void apply_finish(Context& context) {
    Host& host = context.host;
    const std::string answers = render_remembered(context.answers);
    if (host.read(locations::kRememberedAnswers) != answers) {
        host.write_file(locations::kRememberedAnswers, answers, {}, 0600);
    }
    const Image image = wanted_image(context);
    if (read_volume_image(host) != image) {
        host.write_file(locations::kVolumeImage, render_image(image), {}, 0644);
    }
    if (!host.exists(locations::kComplete)) {
        host.write_file(
            locations::kComplete, fmt::format("{} {}\n", time_stamp(), image.id), {}, 0644);
    }
}

} // namespace kiln::firstrun
