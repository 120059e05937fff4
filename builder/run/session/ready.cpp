// SPDX-License-Identifier: MIT
#include "run/session/ready.hpp"

#include "base/interrupt.hpp"
#include "base/text.hpp"
#include "run/ports.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace kiln {

namespace {

constexpr std::size_t kLogLines = 30;

class Wait {
  public:
    Wait(const ReadySpec& spec, const ReadyContext& context) : spec_(spec), context_(context) {}

    /// What is still missing, in a few words; nothing when all is there.
    std::optional<std::string> missing() {
        if (!console_ok_) {
            console_ok_ =
                spec_.console.empty() || context_.instance.kind() != InstanceKind::vm ||
                context_.instance.log_since_start().find(spec_.console) != std::string::npos;
            if (!console_ok_) {
                return fmt::format("'{}' on the serial console", spec_.console);
            }
        }
        if (!port_ok_) {
            const std::string found = ask_port();
            port_ok_ = found.empty();
            if (!port_ok_) {
                return found;
            }
        }
        if (!inside_ok_) {
            inside_ok_ = context_.instance.open_inside();
            if (!inside_ok_) {
                const std::string trouble = context_.instance.inside_trouble();
                return "a shell inside" +
                       (trouble.empty() ? std::string() : fmt::format(" ({})", trouble));
            }
        }
        if (!spec_.run.empty() && !context_.run(spec_.run)) {
            return "the script 'ready: run' to pass";
        }
        return std::nullopt;
    }

  private:
    /// Empty when the port answers as it should.
    [[nodiscard]] std::string ask_port() const {
        if (spec_.port.empty()) {
            return {};
        }
        const auto port = std::find_if(
            context_.ports.begin(), context_.ports.end(), [&](const PublishedPort& each) {
                return each.name == spec_.port;
            });
        KILN_CHECK(port != context_.ports.end());
        if (spec_.path.empty()) {
            return accepts_connections(port->host)
                       ? std::string()
                       : fmt::format("port '{}' to accept a connection", spec_.port);
        }
        HttpRequest request;
        request.url = ready_url(spec_, port->host);
        request.purpose = HttpPurpose::local;
        request.follow_redirects = false;
        NullSink sink;
        try {
            const int status = context_.http.send(request, sink).status;
            const bool is_wanted =
                std::find(spec_.statuses.begin(), spec_.statuses.end(), status) !=
                spec_.statuses.end();
            return is_wanted ? std::string()
                             : fmt::format(
                                   "{} to respond with status {}; last status: {}",
                                   request.url,
                                   fmt::join(spec_.statuses, " or "),
                                   status);
        } catch (const TransferError&) {
            return fmt::format("{} to respond", request.url);
        }
    }

    const ReadySpec& spec_;
    const ReadyContext& context_;
    bool console_ok_ = false;
    bool port_ok_ = false;
    bool inside_ok_ = false;
};

[[noreturn]] void fail(std::string message, Instance& instance) {
    std::vector<std::string> lines = last_lines(instance.log(), kLogLines);
    std::string hint = lines.empty()
                           ? fmt::format("its {} is empty", instance.log_name())
                           : fmt::format("see the end of its {} above", instance.log_name());
    throw Error(std::move(message)).with_details(std::move(lines)).with_hint(std::move(hint));
}

} // namespace

std::string ready_url(const ReadySpec& spec, std::uint16_t host_port) {
    return fmt::format("{}://127.0.0.1:{}{}", spec.tls ? "https" : "http", host_port, spec.path);
}

std::string last_console_line(Instance& instance) {
    if (instance.kind() != InstanceKind::vm) {
        return {};
    }
    const std::vector<std::string> lines = split_lines(instance.log_since_start());
    const auto last = std::find_if(
        lines.rbegin(), lines.rend(), [](const std::string& line) { return !trim(line).empty(); });
    return last == lines.rend() ? std::string()
                                : fmt::format("; its console: {}", excerpt(trim(*last)));
}

void wait_until_ready(const ReadySpec& spec, Milliseconds within, const ReadyContext& context) {
    constexpr Milliseconds kPause{500};
    const std::string_view noun = context.instance.kind() == InstanceKind::vm ? "VM" : "container";
    Job job = context.console.start(fmt::format("waiting for the {}", noun));
    Wait wait(spec, context);
    const auto end = std::chrono::steady_clock::now() + within;
    while (true) {
        throw_if_interrupted();
        if (!context.instance.is_running()) {
            fail(fmt::format("the {} exited before it was ready", noun), context.instance);
        }
        const auto missing = wait.missing();
        if (!missing) {
            break;
        }
        if (std::chrono::steady_clock::now() >= end) {
            fail(
                fmt::format(
                    "the {} was not ready within {}: timed out waiting for {}",
                    noun,
                    format_duration(std::chrono::duration<double>(within).count()),
                    *missing),
                context.instance);
        }
        job.note("for " + *missing + last_console_line(context.instance));
        context.wait(kPause);
    }
    job.finish();
}

} // namespace kiln
