// SPDX-License-Identifier: MIT
#include "firstrun/host/web_server.hpp"

#include "firstrun/host/locations.hpp"

namespace kiln::firstrun {

namespace {

bool has_systemd(const Host& host) {
    return host.exists("/run/systemd/system");
}

} // namespace

bool is_web_server_running(Host& host) {
    if (has_systemd(host)) {
        return host.query({"systemctl", {"is-active", "--quiet", "nginx"}}).ok();
    }
    if (!host.has_program("sv")) {
        return false;
    }
    // Ends well for a service that is down, too.
    const ProcessResult status = host.query({"sv", {"status", locations::kContainerWebServer}});
    return status.ok() && status.output.starts_with("run:");
}

bool reload_web_server(Host& host) {
    // A self-check first: nginx keeps its old configuration on a bad reload, but a later restart
    // would not come up.
    if (!host.try_run("check the web server's configuration", {"nginx", {"-t", "-q"}}).ok()) {
        return false;
    }
    const Command reload = has_systemd(host)
                               ? Command{"systemctl", {"reload", "nginx"}}
                               : Command{"sv", {"hup", locations::kContainerWebServer}};
    return host.try_run("reload the web server", reload).ok();
}

} // namespace kiln::firstrun
