// SPDX-License-Identifier: MIT
//
// The web server that has the site's certificate in memory: systemd runs it on a machine, runit in
// a container.
#pragma once

#include "firstrun/host/host.hpp"

namespace kiln::firstrun {

/// False while nothing supervises it, as before the services of a boot.
[[nodiscard]] bool is_web_server_running(Host& host);

/// Has the running server read its configuration and certificate again. False when it refuses them:
/// it then keeps what it has in memory, and would not start again.
[[nodiscard]] bool reload_web_server(Host& host);

} // namespace kiln::firstrun
