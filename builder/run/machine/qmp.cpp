// SPDX-License-Identifier: MIT
#include "run/machine/qmp.hpp"

#include "base/error.hpp"
#include "oci/oci_model.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace kiln {

namespace {

constexpr std::chrono::seconds kPatience{30};

} // namespace

Qmp::Qmp(const fs::path& socket) : socket_(socket) {
    if (!socket_.receive(kPatience)) { // the greeting
        throw Error("QEMU does not respond");
    }
    execute("qmp_capabilities");
}

void Qmp::execute(const std::string& command) {
    execute(command, nlohmann::ordered_json::object());
}

void Qmp::execute(const std::string& command, const nlohmann::ordered_json& arguments) {
    const nlohmann::ordered_json request{{"execute", command}, {"arguments", arguments}};
    socket_.send(request.dump());
    while (const auto line = socket_.receive(kPatience)) {
        const nlohmann::ordered_json answer = parse_json(*line, "QEMU's response");
        if (answer.contains("return")) {
            return;
        }
        if (answer.contains("error")) {
            throw Error(fmt::format(
                "QEMU command '{}' failed: {}",
                command,
                answer["error"].value("desc", "no reason given")));
        }
    }
    throw Error(fmt::format("QEMU does not respond to '{}'", command));
}

} // namespace kiln
