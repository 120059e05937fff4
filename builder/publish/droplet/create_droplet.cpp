// SPDX-License-Identifier: MIT
#include "publish/droplet/create_droplet.hpp"

#include "base/text.hpp"
#include "publish/droplet/patience.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace kiln {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLookDelay{5000};

} // namespace

std::string DropletCreator::how_to_go_on() const {
    return fmt::format(
        "the same command goes on; 'kiln droplet destroy {}' undoes it", plan_.droplet.name);
}

CreateReport DropletCreator::run(const CreateOptions& options) {
    try {
        return run_steps(options);
    } catch (Error& error) {
        std::vector<std::string> left;
        if (journal_.droplet != 0) {
            left.push_back(fmt::format("droplet {} exists", journal_.droplet));
        } else if (journal_.is_requested) {
            left.emplace_back("the droplet may have been created");
        }
        for (const std::string& id : journal_.created_volumes) {
            left.push_back(fmt::format("volume {} was created and exists", id));
        }
        if (!left.empty()) {
            left.insert(left.begin(), error.details().begin(), error.details().end());
            error.set_details(std::move(left));
            error.set_hint_if_empty(how_to_go_on());
        }
        throw;
    }
}

CreateReport DropletCreator::run_steps(const CreateOptions& options) {
    end_ = api_.clock().now() + options.timeout;
    journal_.region = plan_.droplet.region;
    journal_.size = plan_.droplet.size;
    journal_.image = plan_.droplet.image;
    provide_volumes();
    request_droplet();
    CreateReport report;
    if (!options.wait) {
        if (auto droplet = find_droplet(api_, journal_.droplet)) {
            report.droplet = std::move(*droplet);
        }
        report.droplet.id = journal_.droplet;
        return report;
    }
    report.droplet = wait_until_active(options);
    remove_surplus();
    attach_volumes(report.droplet);
    assign(report.droplet);
    for (const DomainHost& host : plan_.hosts) {
        point_host(api_, host, report.droplet.public_address, console_);
        console_.info(
            fmt::format("{} points to {}", host.full_name(), report.droplet.public_address));
    }
    if (!plan_.droplet.is_private) {
        wait_for_ssh(report.droplet, options);
        report.url = wait_for_site(report.droplet, options);
    }
    report.is_finished = true;
    return report;
}

void DropletCreator::provide_volumes() {
    for (const PlannedVolume& planned : plan_.volumes) {
        if (planned.found) {
            volumes_.push_back(*planned.found);
            if (planned.found->has_tag(journal_.own_tag()) &&
                std::find(
                    journal_.created_volumes.begin(),
                    journal_.created_volumes.end(),
                    planned.found->id) == journal_.created_volumes.end()) {
                // Made by a run that was ended before it could write that down.
                journal_.created_volumes.push_back(planned.found->id);
                save_();
            }
            continue;
        }
        // By its name and tag others know the volume when the next step is the last one.
        journal_.volume_names.push_back(planned.wanted.name);
        save_();
        volumes_.push_back(create_volume(
            api_, planned.wanted, plan_.droplet.region, {"kiln", journal_.own_tag()}));
        journal_.created_volumes.push_back(volumes_.back().id);
        save_();
        console_.info(fmt::format(
            "created volume '{}' ({} GB)", planned.wanted.name, planned.wanted.gigabytes));
    }
}

bool DropletCreator::adopt() {
    const std::vector<Droplet> found = droplets_with_tag(api_, journal_.own_tag());
    if (found.empty()) {
        return false;
    }
    journal_.droplet = found.front().id;
    save_();
    console_.notice(fmt::format("droplet {} was created by the request before", journal_.droplet));
    return true;
}

void DropletCreator::request_droplet() {
    if (plan_.begun) {
        journal_.droplet = plan_.begun->id;
        save_();
        return;
    }
    if (journal_.is_requested && adopt()) {
        return;
    }
    NewDroplet request = plan_.droplet;
    for (const Volume& volume : volumes_) {
        request.volumes.push_back(volume.id);
    }
    journal_.is_unclear = journal_.is_unclear || journal_.is_requested;
    journal_.is_requested = true;
    journal_.droplet = 0;
    save_();
    try {
        try_again_later(api_, [&] { request_once(request); });
    } catch (ApiRefusal& refusal) {
        if (!journal_.is_unclear) {
            undo_volumes(refusal);
        }
        throw;
    }
    console_.info(fmt::format("requested droplet {}", journal_.droplet));
}

void DropletCreator::request_once(const NewDroplet& request) {
    constexpr unsigned kMostTries = 3;
    constexpr unsigned kLooks = 3;
    for (unsigned tries = 1;; ++tries) {
        try {
            journal_.droplet = create_droplet(api_, request).id;
            save_();
            return;
        } catch (const UnclearOutcome& error) {
            journal_.is_unclear = true;
            save_();
            console_.notice(error.message());
            for (unsigned look = 0; look < kLooks; ++look) {
                api_.clock().wait(kLookDelay);
                if (adopt()) {
                    return;
                }
            }
            if (tries == kMostTries) {
                throw;
            }
        }
    }
}

void DropletCreator::undo_volumes(Error& error) {
    journal_.is_requested = false;
    save_();
    std::vector<std::string>& ids = journal_.created_volumes;
    while (!ids.empty()) {
        try {
            delete_volume(api_, ids.back());
        } catch (const Error& other) {
            error.set_details({other.message()});
            return;
        }
        ids.pop_back();
        save_();
    }
    journal_.volume_names.clear();
    save_();
}

void DropletCreator::wait_or_fail(milliseconds delay, const std::string& what) {
    if (api_.clock().now() >= end_) {
        throw Error(fmt::format("{} in time", what)).with_hint(how_to_go_on());
    }
    api_.clock().wait(delay);
}

Droplet DropletCreator::wait_until_active(const CreateOptions& /*options*/) {
    Job job = console_.start(fmt::format("create droplet {}", journal_.droplet));
    for (;;) {
        auto droplet = find_droplet(api_, journal_.droplet);
        if (!droplet) {
            throw Error(
                fmt::format("droplet {} was deleted meanwhile", journal_.droplet),
                ExitCode::remote_refused);
        }
        if (droplet->is_reachable(plan_.droplet.is_private)) {
            job.finish();
            return std::move(*droplet);
        }
        if (has_create_failed(api_, journal_.droplet)) {
            throw Error(
                fmt::format("DigitalOcean could not create droplet {}", journal_.droplet),
                ExitCode::remote_refused)
                .with_hint(fmt::format(
                    "'kiln droplet destroy {}' removes what there is of it", plan_.droplet.name));
        }
        job.note(droplet->status);
        wait_or_fail(kLookDelay, fmt::format("droplet {} did not become active", journal_.droplet));
    }
}

void DropletCreator::remove_surplus() {
    if (!journal_.is_unclear) {
        return;
    }
    // A request that was given up may have come through later.
    for (const Droplet& each : droplets_with_tag(api_, journal_.own_tag())) {
        if (each.id != journal_.droplet) {
            delete_droplet(api_, each.id);
            console_.notice(fmt::format(
                "deleted droplet {}, which a request whose answer was lost had created", each.id));
        }
    }
    journal_.is_unclear = false;
    save_();
}

void DropletCreator::attach_volumes(const Droplet& droplet) {
    for (const Volume& volume : volumes_) {
        if (!droplet.has_volume(volume.id)) {
            attach_volume(api_, volume, droplet.id);
            console_.info(fmt::format("attached volume '{}'", volume.name));
        }
    }
}

void DropletCreator::assign(const Droplet& droplet) {
    if (!plan_.project) {
        return;
    }
    std::vector<std::string> resources{fmt::format("do:droplet:{}", droplet.id)};
    for (const std::string& id : journal_.created_volumes) {
        resources.push_back("do:volume:" + id);
    }
    assign_to_project(api_, plan_.project->id, resources);
}

void DropletCreator::wait_for_ssh(const Droplet& droplet, const CreateOptions& options) {
    const std::string& address = droplet.public_address;
    Job job = console_.start(fmt::format("wait for sshd of {}:{}", address, options.ssh_port));
    while (!probe_.banner(address, options.ssh_port).starts_with("SSH-")) {
        wait_or_fail(
            kLookDelay, fmt::format("sshd of {}:{} did not answer", address, options.ssh_port));
    }
    job.finish();
}

std::string DropletCreator::wait_for_site(const Droplet& droplet, const CreateOptions& options) {
    if (options.wait_for.empty()) {
        return {};
    }
    const std::string url = options.wait_for.front() == '/'
                                ? "https://" + droplet.public_address + options.wait_for
                                : options.wait_for;
    Job job = console_.start(fmt::format("wait for {}", redact_url(url)));
    constexpr int kOk = 200;
    for (int status = 0; (status = probe_.status(url)) != kOk;) {
        job.note(status == 0 ? "no answer" : fmt::format("status {}", status));
        wait_or_fail(
            kLookDelay,
            fmt::format(
                "{} did not answer with status 200 ({})",
                redact_url(url),
                status == 0 ? "no answer" : fmt::format("status {}", status)));
    }
    job.finish();
    return url;
}

} // namespace kiln
