// SPDX-License-Identifier: MIT
//
// Makes what a CreatePlan says, in steps that are in the journal before they are taken, and waits
// until the droplet answers. Ended anywhere, the same plan goes on; nothing is made twice.
#pragma once

#include "base/console.hpp"
#include "publish/droplet/create_plan.hpp"
#include "publish/droplet/reachable.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace kiln {

struct CreateOptions {
    bool wait = true; ///< for the droplet to run and to answer
    /// For all of it. A droplet of a large image was seen to take more than an hour.
    std::chrono::seconds timeout = std::chrono::hours(2);
    std::uint16_t ssh_port = kDropletSshPort;
    /// URL, or a path of https at its address; its first 200 is waited for. Empty: none.
    std::string wait_for;
};

struct CreateReport {
    Droplet droplet;
    bool is_finished = false; ///< else --no-wait left something to do
    std::string url;          ///< that answered 200; may be empty
};

class DropletCreator {
  public:
    using Save = std::function<void()>;

    /// All must outlive it.
    DropletCreator(
        DigitalOceanApi& api,
        const CreatePlan& plan,
        CreateJournal& journal,
        Save save,
        const DropletProbe& probe,
        Console& console)
        : api_(api), plan_(plan), journal_(journal), save_(std::move(save)), probe_(probe),
          console_(console) {}

    /// Throws what DigitalOceanApi throws, and Error when something does not come about. Whatever
    /// stays behind then is named, with the command that removes it.
    [[nodiscard]] CreateReport run(const CreateOptions& options);

  private:
    [[nodiscard]] CreateReport run_steps(const CreateOptions& options);
    void provide_volumes();
    void request_droplet();
    void request_once(const NewDroplet& request);
    [[nodiscard]] bool adopt();
    void undo_volumes(Error& error);
    [[nodiscard]] Droplet wait_until_active(const CreateOptions& options);
    void remove_surplus();
    void attach_volumes(const Droplet& droplet);
    void assign(const Droplet& droplet);
    void wait_for_ssh(const Droplet& droplet, const CreateOptions& options);
    [[nodiscard]] std::string wait_for_site(const Droplet& droplet, const CreateOptions& options);
    void wait_or_fail(std::chrono::milliseconds delay, const std::string& what);
    [[nodiscard]] std::string how_to_go_on() const;

    DigitalOceanApi& api_;
    const CreatePlan& plan_;
    CreateJournal& journal_;
    Save save_;
    const DropletProbe& probe_;
    Console& console_;
    std::vector<Volume> volumes_;
    std::chrono::milliseconds end_{0};
};

} // namespace kiln
