// SPDX-License-Identifier: MIT
#include "run/machine/serial_shell.hpp"

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/text.hpp"
#include "run/base64.hpp"
#include "run/machine/qmp.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <thread>

namespace kiln {

namespace {

/// One line in, one line out; a '+' before each text keeps empty ones in their place. The port can
/// be opened only once, so it is opened for reading and writing.
constexpr std::string_view kGuestScript = R"sh(exec 0<>/dev/kiln-shell 1>&0
echo kiln hello
while read -r id limit text input; do
    printf %s "${text#+}" | base64 -d >/run/kiln-shell.text
    status=0
    printf %s "${input#+}" | base64 -d |
        timeout "$limit" sh /run/kiln-shell.text >/run/kiln-shell.out 2>/run/kiln-shell.err ||
        status=$?
    echo "kiln $id $status +$(base64 -w0 /run/kiln-shell.out) +$(base64 -w0 /run/kiln-shell.err)"
done
)sh";

constexpr std::string_view kUnit = R"([Unit]
Description=Shell on a serial port
DefaultDependencies=no
[Service]
ExecStart=/bin/sh /run/kiln-shell
WorkingDirectory=/root
Environment=HOME=/root
)";

/// The port is plugged in after this rule has come; its device then wants the unit.
constexpr std::string_view kRule =
    R"(ACTION!="remove", SUBSYSTEM=="virtio-ports", ATTR{name}=="kiln", SYMLINK+="kiln-shell", TAG+="systemd", ENV{SYSTEMD_WANTS}+="kiln-shell.service"
)";

} // namespace

std::string serial_shell_credential() {
    // "~": the text is base64 (tmpfiles.d(5)).
    return fmt::format(
        "f~ /run/kiln-shell 0700 root root - {}\n"
        "f~ /run/systemd/system/kiln-shell.service 0644 root root - {}\n"
        "f~ /run/udev/rules.d/70-kiln-shell.rules 0644 root root - {}\n",
        to_base64(kGuestScript),
        to_base64(kUnit),
        to_base64(kRule));
}

SerialShell::SerialShell(fs::path qmp_socket, fs::path shell_socket)
    : qmp_socket_(std::move(qmp_socket)), shell_socket_(std::move(shell_socket)) {}

bool SerialShell::open(std::chrono::milliseconds patience) {
    constexpr std::chrono::milliseconds kUnplugTime{1000};
    try {
        if (!line_) {
            line_ = std::make_unique<LineSocket>(shell_socket_);
        }
        Qmp qmp(qmp_socket_);
        if (is_plugged_in_) {
            qmp.execute("device_del", {{"id", "shell-port"}});
            std::this_thread::sleep_for(kUnplugTime); // the guest notices it as two events
            is_plugged_in_ = false;
        }
        qmp.execute(
            "device_add",
            {{"driver", "virtserialport"},
             {"id", "shell-port"},
             {"bus", "ports.0"},
             {"chardev", "shell"},
             {"name", "kiln"}});
        is_plugged_in_ = true;
        const auto end = std::chrono::steady_clock::now() + patience;
        while (std::chrono::steady_clock::now() < end) {
            constexpr std::chrono::milliseconds kSlice{500};
            const auto line = line_->receive(kSlice);
            if (line && line->ends_with("kiln hello")) {
                return true;
            }
        }
        return false;
    } catch (const Error&) { // QEMU is not up yet, or not any more
        line_.reset();
        return false;
    }
}

ProcessResult
SerialShell::run(const std::string& text, const std::string& input, std::chrono::seconds limit) {
    constexpr std::chrono::seconds kGrace{30};
    if (!line_) {
        throw Error("the shell inside the VM is not available yet")
            .with_hint("run 'instance ready' to wait for it");
    }
    const std::string id = std::to_string(++next_id_);
    line_->send(fmt::format("{} {} +{} +{}", id, limit.count(), to_base64(text), to_base64(input)));
    const auto end = std::chrono::steady_clock::now() + limit + kGrace;
    while (std::chrono::steady_clock::now() < end) {
        const auto line = line_->receive(std::chrono::seconds(1));
        if (!line) {
            continue;
        }
        const std::vector<std::string> words = split(*line, ' ');
        constexpr std::size_t kWords = 5;
        if (words.size() != kWords || words[0] != "kiln" || words[1] != id ||
            !words[3].starts_with('+') || !words[4].starts_with('+')) {
            continue; // an answer that nobody waits for any more
        }
        const auto status = parse_unsigned(words[2]);
        const auto output = from_base64(std::string_view(words[3]).substr(1));
        const auto errors = from_base64(std::string_view(words[4]).substr(1));
        if (status && output && errors) {
            return {static_cast<int>(*status), *output, *errors, false};
        }
    }
    throw Error("the shell inside the VM does not respond");
}

} // namespace kiln
