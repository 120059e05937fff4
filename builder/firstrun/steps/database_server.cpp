// SPDX-License-Identifier: MIT
#include "firstrun/steps/database_server.hpp"

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/io/file.hpp"
#include "base/text.hpp"
#include "firstrun/host/locations.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <cstring>

namespace kiln::firstrun {

namespace {

constexpr std::chrono::seconds kStartPatience{600}; // crash recovery of a large database is slow
constexpr std::chrono::seconds kStopPatience{600};
constexpr int kPollMilliseconds = 20;

const fs::path& log_file() {
    static const fs::path kPath = fs::path(locations::kDatabaseRun) / "log";
    return kPath;
}

bool answers(const fs::path& socket_path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = socket_path.string();
    if (path.size() >= sizeof address.sun_path) {
        throw Error(fmt::format("the path '{}' is too long for a socket", path));
    }
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return fd.is_open() &&
           ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

} // namespace

DatabaseServer::DatabaseServer(Context& context) : context_(context) {
    const Account& mysql = context.accounts.get("mysql");
    Host& host = context.host;
    host.make_directory(locations::kRun, {}, 0755);
    host.make_directory(locations::kDatabaseRun, owner_of(mysql), 0700);
    host.remove(locations::kDatabaseSocket);
    // The image's own configuration applies, so that the files fit the server that comes later.
    const Command start{
        "mariadbd",
        {fmt::format("--datadir={}", locations::kDataDirectory),
         fmt::format("--socket={}", locations::kDatabaseSocket),
         fmt::format("--pid-file={}/pid", locations::kDatabaseRun),
         "--skip-networking",
         "--skip-log-bin",
         "--skip-slave-start",
         "--init-connect=",
         "--log-error=",
         "--tmpdir=/tmp"}};
    server_ = host.start("start the database", start, &mysql, log_file());
    wait_until_ready();
}

DatabaseServer::~DatabaseServer() {
    if (server_ && server_->is_running()) {
        server_->stop(kStopPatience);
    }
}

void DatabaseServer::wait_until_ready() {
    const auto end = std::chrono::steady_clock::now() + kStartPatience;
    while (!answers(context_.host.real(locations::kDatabaseSocket))) {
        throw_if_interrupted();
        if (!server_->is_running()) {
            fail("the database server exited during start-up");
        }
        if (std::chrono::steady_clock::now() > end) {
            fail(fmt::format(
                "the database server does not respond after {} s", kStartPatience.count()));
        }
        ::poll(nullptr, 0, kPollMilliseconds);
    }
}

void DatabaseServer::stop() {
    context_.host.note("stop the database");
    if (const int status = server_->stop(kStopPatience); status != 0) {
        fail(fmt::format(
            "the database server did not shut down cleanly: {}", describe_exit(status)));
    }
}

void DatabaseServer::fail(const std::string& message) {
    throw Error(message)
        .with_details(last_lines(context_.host.read(log_file()).value_or("")))
        .with_hint(fmt::format(
            "see its log {}; usual causes are a data directory of another major version, or a full "
            "or damaged volume",
            log_file().string()));
}

void make_data_directory(Context& context) {
    const Account& mysql = context.accounts.get("mysql");
    Host& host = context.host;
    if (!host.list(locations::kDataDirectory).empty()) {
        throw Error(
            fmt::format(
                "'{}' contains files, but not a MariaDB database", locations::kDataDirectory))
            .with_hint(
                "restore the database from a backup, or empty the directory to create a new one");
    }
    host.remove_tree(locations::kNewDataDirectory);
    host.make_directory(locations::kNewDataDirectory, owner_of(mysql), 0755);
    const Command install{
        "mariadb-install-db",
        {fmt::format("--datadir={}", locations::kNewDataDirectory),
         "--auth-root-authentication-method=socket",
         "--skip-test-db",
         "--skip-name-resolve",
         "--tmpdir=/tmp"}};
    host.run("create the data directory", install, &mysql);
    host.rename(locations::kNewDataDirectory, locations::kDataDirectory);
}

DatabaseVersion parse_version(std::string_view text) {
    const auto is_digit = [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; };
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (!is_digit(text[i])) {
            continue;
        }
        const std::size_t dot = text.find_first_not_of("0123456789", i);
        if (dot != std::string_view::npos && text[dot] == '.' && dot + 1 < text.size() &&
            is_digit(text[dot + 1])) {
            const std::size_t end =
                std::min(text.find_first_not_of("0123456789", dot + 1), text.size());
            return {
                static_cast<unsigned>(parse_unsigned(text.substr(i, dot - i)).value_or(0)),
                static_cast<unsigned>(
                    parse_unsigned(text.substr(dot + 1, end - dot - 1)).value_or(0))};
        }
        i = dot == std::string_view::npos ? text.size() : dot;
    }
    return {};
}

void refuse_newer_data(Context& context) {
    const fs::path folder(locations::kDataDirectory);
    auto note = context.host.read(folder / "mysql_upgrade_info");
    if (!note) {
        note = context.host.read(folder / "mariadb_upgrade_info");
    }
    if (!note) {
        return;
    }
    const DatabaseVersion data = parse_version(*note);
    const DatabaseVersion server =
        parse_version(context.host.query({"mariadbd", {"--version"}}).output);
    if (data > server) {
        throw Error(fmt::format(
                        "the databases were last used by MariaDB {}.{}, this image has {}.{}",
                        data.major,
                        data.minor,
                        server.major,
                        server.minor))
            .with_hint("MariaDB cannot be downgraded: use the newer image, or restore the copy of "
                       "the volume from before the upgrade");
    }
}

} // namespace kiln::firstrun
