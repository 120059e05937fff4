// SPDX-License-Identifier: MIT
#include "run/control.hpp"

#include "base/error.hpp"
#include "base/shell_word.hpp"
#include "base/text.hpp"
#include "run/instance.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace kiln {

namespace {

constexpr int kSliceMs = 100;

fs::path make_pipe(const fs::path& path) {
    if (::mkfifo(path.c_str(), 0600) != 0) {
        throw SystemError(fmt::format("cannot create '{}'", path.string()));
    }
    return path;
}

} // namespace

Control::Control(const fs::path& folder, std::string_view name, Handler handler)
    : reply_((folder / fmt::format("{}.reply", name)).string()), handler_(std::move(handler)) {
    const fs::path request = make_pipe(folder / fmt::format("{}.request", name));
    // For reading and writing, so that it never ends when a script closes it.
    requests_ = open_file(request, O_RDWR | O_NONBLOCK);
    thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
}

void Control::serve(const std::stop_token& stop) {
    std::string pending;
    while (!stop.stop_requested()) {
        pollfd ready{requests_.get(), POLLIN, 0};
        if (::poll(&ready, 1, kSliceMs) <= 0) {
            continue;
        }
        std::array<char, 4096> buffer{};
        const ssize_t count = ::read(requests_.get(), buffer.data(), buffer.size());
        if (count > 0) {
            pending.append(buffer.data(), static_cast<std::size_t>(count));
        }
        for (std::size_t end = 0; (end = pending.find('\n')) != std::string::npos;) {
            const std::string line = pending.substr(0, end);
            pending.erase(0, end + 1);
            answer(line, stop);
        }
    }
}

ControlReply Control::handle(const std::string& request) const {
    const std::size_t space = std::min(request.find(' '), request.size());
    try {
        return handler_(
            std::string_view(request).substr(0, space),
            request.substr(std::min(space + 1, request.size())));
    } catch (const Error& error) {
        std::string text = error.message() + '\n';
        for (const std::string& detail : error.details()) {
            text += "  " + detail + '\n';
        }
        return {static_cast<int>(error.exit_code()), std::move(text)};
    } catch (const Interrupted& interrupted) {
        return {static_cast<int>(ExitCode::interrupted), fmt::format("{}\n", interrupted.what())};
    } catch (const std::exception& error) {
        return {static_cast<int>(ExitCode::bug), fmt::format("{}\n", error.what())};
    }
}

/// A line is "ID VERB ..."; the answer goes to the pipe of that id.
void Control::answer(const std::string& line, const std::stop_token& stop) {
    const std::size_t space = line.find(' ');
    if (space == std::string::npos || !parse_unsigned(line.substr(0, space))) {
        return;
    }
    const std::string path = fmt::format("{}.{}", reply_, line.substr(0, space));
    const ControlReply reply = handle(line.substr(space + 1));
    // A script that was ended meanwhile never opens its end.
    constexpr int kTries = 20;
    UniqueFd out;
    for (int i = 0; i < kTries && !out.is_open() && !stop.stop_requested(); ++i) {
        out = UniqueFd(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
        if (!out.is_open()) {
            ::poll(nullptr, 0, kSliceMs);
        }
    }
    if (!out.is_open()) {
        return;
    }
    ::fcntl(out.get(), F_SETFL, 0);
    const std::string text = fmt::format("{}\n{}", reply.status, reply.text);
    std::string_view left = text;
    while (!left.empty()) {
        const ssize_t written = ::write(out.get(), left.data(), left.size());
        if (written <= 0) {
            return;
        }
        left.remove_prefix(static_cast<std::size_t>(written));
    }
}

std::string Control::lock_text(const fs::path& folder, std::string_view name) {
    return fmt::format(
        "exec 9>{}\nflock 9\n", shell_quote((folder / fmt::format("{}.lock", name)).string()));
}

std::string Control::request_text(
    const fs::path& folder,
    std::string_view name,
    std::string_view request,
    std::string_view consumer) {
    const auto file = [&](std::string_view end) {
        return shell_quote((folder / fmt::format("{}.{}", name, end)).string());
    };
    return fmt::format(
        "reply={}.$$\n"
        "mkfifo \"$reply\"\n"
        "printf '%s\\n' \"$$ {}\" >{}\n"
        "exec <\"$reply\"\n"
        "rm -f \"$reply\"\n"
        "read -r status\n"
        "{}\n"
        "exit \"$status\"\n",
        file("reply"),
        request,
        file("request"),
        consumer);
}

} // namespace kiln
