// SPDX-License-Identifier: MIT
#include "publish/droplet/patience.hpp"

namespace kiln {

void try_again_later(DigitalOceanApi& api, const std::function<void()>& request) {
    const auto end = api.clock().now() + kTryAgainFor;
    for (;;) {
        try {
            request();
            return;
        } catch (const ApiRefusal& refusal) {
            if (!may_work_later(refusal) || api.clock().now() >= end) {
                throw;
            }
        }
        api.clock().wait(kTryAgainDelay);
    }
}

void post_again(
    DigitalOceanApi& api,
    const std::string& path,
    const DigitalOceanApi::Json& body,
    const std::string& what) {
    constexpr unsigned kMostTries = 5;
    unsigned tries = 0;
    bool is_done = false;
    while (!is_done) {
        try {
            try_again_later(api, [&] { static_cast<void>(api.post(path, body, what)); });
            is_done = true;
        } catch (const UnclearOutcome&) {
            if (++tries == kMostTries) {
                throw;
            }
            api.clock().wait(kTryAgainDelay);
        }
    }
}

} // namespace kiln
